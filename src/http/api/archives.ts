// A whole app as one file that does not need this host to be read.
import { createRoute, z } from "@hono/zod-openapi";
import { exportApp } from "../../archive-export.ts";
import { AppPath, makeRouter, needs, noSuchApp, PROBLEMS } from "./resource.ts";

export const archives = makeRouter();

const exportRoute = createRoute({
  method: "get",
  path: "/apps/{app}/export",
  summary: "The whole app as a tar file: repository, data, settings, history",
  description:
    "repository.bundle is for git clone, data/*.sql for sqlite3; README.txt in it says the rest. Secrets are not in it. It is " +
    "made as it is read: a transfer that breaks off is not whole.",
  ...needs("push"),
  request: { params: AppPath },
  responses: {
    200: { description: "The archive.", content: { "application/x-tar": { schema: z.string() } } },
    ...PROBLEMS,
  },
});

archives.openapi(exportRoute, async (c) => {
  const { app } = c.req.valid("param");
  const archive = await exportApp(app, c.env.host, Date.now());
  if (archive === undefined) throw noSuchApp(app);
  return c.body(archive, 200, {
    "content-type": "application/x-tar",
    "content-disposition": `attachment; filename="${app}.tar"`,
  });
});
