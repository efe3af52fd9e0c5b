// The history of an app's deploys.
import { createRoute, z } from "@hono/zod-openapi";
import type { AppDescription } from "../../app/description.ts";
import { AppPath, isoTime, json, makeRouter, needs, noSuchApp, PageLimit, PROBLEMS, Time } from "./resource.ts";

type Deploy = NonNullable<AppDescription["live"]>;

/** A deploy as the API shows it. */
export const DeployJson = z
  .object({
    number: z.int(),
    state: z.enum(["live", "committed", "started", "failed", "superseded"]),
    ref: z.string(),
    commit: z.string(),
    tree: z.string(),
    subject: z.string(),
    codeId: z.string(),
    actor: z.string().nullable().openapi({ description: "The name of the token that pushed." }),
    previous: z.int().nullable().openapi({ description: "What was live before it, and what undoing it goes back to." }),
    createdAt: Time,
  })
  .openapi("Deploy");

export const deploys = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps/{app}/deploys",
  summary: "The app's deploys, newest first",
  ...needs("read"),
  request: {
    params: AppPath,
    query: z.object({
      limit: PageLimit,
      before: z.coerce
        .number()
        .int()
        .min(0)
        .optional()
        .openapi({ description: "Only deploys with a lower number: `next` of the page before." }),
    }),
  },
  responses: {
    200: json(z.object({ deploys: z.array(DeployJson), next: z.int().optional() }), "A page of the history."),
    ...PROBLEMS,
  },
});

deploys.openapi(listRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { limit, before } = c.req.valid("query");
  const supervisor = c.env.host.env.SUPERVISOR.getByName(app);
  const description = await supervisor.describe();
  if (description === undefined) throw noSuchApp(app);
  const page = await supervisor.listDeploys({ limit, before });
  return c.json(
    {
      deploys: page.map((deploy) => deployJson(deploy, description.live)),
      next: page.length === limit ? page.at(-1)?.number : undefined,
    },
    200,
  );
});

/** A deploy as the API shows it; `live` is the one that answers visitors. */
export function deployJson(deploy: Deploy, live: Deploy | undefined): z.infer<typeof DeployJson> {
  return {
    number: deploy.number,
    state: deploy.number === live?.number ? "live" : deploy.state,
    ref: deploy.ref,
    commit: deploy.commitId,
    tree: deploy.treeId,
    subject: deploy.subject,
    codeId: deploy.codeId,
    actor: deploy.actor ?? null,
    previous: deploy.previous?.number ?? null,
    createdAt: isoTime(deploy.createdAtMs),
  };
}
