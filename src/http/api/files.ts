// The files of a deploy's commit, and what is in one: to look at what runs without a clone.
import { createRoute, z } from "@hono/zod-openapi";
import { HostingError } from "../../errors.ts";
import type { Host } from "../../push-host.ts";
import { openRepository } from "../../repo/repository.ts";
import { openSourceTree, type CommitTree } from "../../repo/source-tree.ts";
import { Next, pageQuery, slicePage, TextCursor } from "./paging.ts";
import { refuses } from "./refusals.ts";
import { AppPath, json, makeRouter, needs } from "./resource.ts";

/** Larger files are for git. */
const MAX_SHOWN_BYTES = 1024 * 1024;

const FilesPath = AppPath.extend({
  number: z.coerce
    .number()
    .int()
    .min(1)
    .openapi({ param: { name: "number", in: "path" }, type: "integer", example: 12 }),
});

const FilesJson = z
  .object({
    commit: z.string(),
    files: z.array(
      z.object({
        path: z.string(),
        mode: z.enum(["file", "executable", "symlink", "submodule"]),
        bytes: z.int(),
      }),
    ),
    next: Next,
    count: z.int().openapi({ description: "How many files there are in all." }),
  })
  .openapi("Files");

/** The files of a deploy. */
export type FilesAnswer = z.infer<typeof FilesJson>;

export const files = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps/{app}/deploys/{number}/files",
  summary: "The files of a deploy's commit, by path",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: FilesPath, query: pageQuery(TextCursor) },
  responses: { 200: json(FilesJson, "A page of them.") },
});

files.openapi(listRoute, async (c) => {
  const { app, number } = c.req.valid("param");
  const tree = await openDeploy(c.env.host, app, number);
  const paths = [...tree.files.keys()].toSorted();
  const { page, next } = slicePage(c, paths, { ...c.req.valid("query"), keyOf: (path) => path });
  const listed = page.flatMap((path) => {
    const file = tree.files.get(path);
    return file === undefined ? [] : [{ path, mode: file.mode, bytes: file.sizeBytes }];
  });
  return c.json({ commit: tree.commitId, files: listed, next, count: paths.length }, 200);
});

const readRoute = createRoute({
  method: "get",
  path: "/apps/{app}/deploys/{number}/file",
  summary: "One file of a deploy's commit, as its bytes",
  ...needs("read"),
  ...refuses("not-found", "object-too-large"),
  request: {
    params: FilesPath,
    query: z.object({ path: z.string().min(1).max(4096).openapi({ example: "src/index.ts" }) }),
  },
  responses: {
    200: {
      description: "The file. A browser is told to show none of it.",
      content: { "application/octet-stream": { schema: z.string() } },
    },
  },
});

files.openapi(readRoute, async (c) => {
  const { app, number } = c.req.valid("param");
  const { path } = c.req.valid("query");
  const tree = await openDeploy(c.env.host, app, number);
  const file = tree.files.get(path);
  if (file === undefined || file.mode === "submodule") {
    throw new HostingError("not-found", `Deploy ${number} of ${app} has no file ${path}.`);
  }
  if (file.sizeBytes > MAX_SHOWN_BYTES) {
    const message = `${path} has ${file.sizeBytes} bytes, which is over ${MAX_SHOWN_BYTES}. Clone the repository to read it.`;
    throw new HostingError("object-too-large", message);
  }
  const content = (await tree.read([path])).get(path) ?? new Uint8Array();
  return c.body(Uint8Array.from(content), 200, {
    "content-type": "application/octet-stream",
    "content-disposition": "attachment",
    "x-content-type-options": "nosniff",
  });
});

/** Objects of kept deploys are never left out of a compaction, so that what is in the history can be read. */
async function openDeploy(host: Host, app: string, number: number): Promise<CommitTree> {
  const supervisor = host.env.SUPERVISOR.getByName(app);
  const [state, entry] = await Promise.all([supervisor.readRepository(), supervisor.findHistoryEntry(number)]);
  if (state === undefined) throw new HostingError("not-found", `There is no app ${app}.`);
  if (entry?.deploy === undefined) {
    throw new HostingError("not-found", `There is no deploy ${number} of ${app} whose files are stored.`);
  }
  return openSourceTree(openRepository(host.packs, state), entry.deploy.commitId, undefined);
}
