// Commits without a git client: changed files go through the same stages as a push. And copies: a fork of an app's code.
import { createRoute, z } from "@hono/zod-openapi";
import { permit, type Caller } from "../../app/access.ts";
import { readAppName, type AppName } from "../../app/app-name.ts";
import { parseObjectId, type ObjectId } from "../../git/object-id.ts";
import { commitFiles, type CommitRequest, type MadePushRequest } from "../../push-made.ts";
import { forkApp } from "../../push-fork.ts";
import { appUrl } from "../host-name.ts";
import { DEPLOY_CODES, refuses } from "./refusals.ts";
import { AppPath, json, jsonBody, makeRouter, needs } from "./resource.ts";

type FileChange = CommitRequest["files"] extends ReadonlyMap<string, infer Change> ? Change : never;

const MAX_FILES = 10_000;

const FileJson = z.union([
  z.string().openapi({ description: "The file's text." }),
  z.object({ base64: z.base64(), executable: z.boolean().optional() }),
  z.object({ text: z.string(), executable: z.boolean().optional() }),
  z.null().openapi({ description: "The file is deleted." }),
]);

const Author = z.object({
  name: z.string().regex(/^[^<>\n\0]{1,200}$/),
  email: z.string().regex(/^[^<>\n\0]{1,200}$/),
});

const CommitId = z
  .string()
  .transform((text, context): ObjectId => {
    const id = parseObjectId(text);
    if (id !== undefined) return id;
    context.addIssue({ code: "custom", message: "a commit's id has 40 hexadecimal digits" });
    return z.NEVER;
  })
  .openapi({ type: "string", description: "A commit's id, 40 hexadecimal digits." });

const NewCommit = z
  .object({
    files: z
      .record(z.string(), FileJson)
      .refine((files) => Object.keys(files).length <= MAX_FILES, `at most ${MAX_FILES} files in a commit`)
      .openapi({
        description:
          "By path from the root. What is not named stays as it is; none at all deploys the same files once more.",
        example: { "src/index.ts": "export class App {}\n", "old.txt": null },
      }),
    message: z
      .string()
      .regex(/^[^\0]*\S[^\0]*$/)
      .openapi({ example: "Greet by name" }),
    branch: z.string().optional().openapi({ description: "Without it: the production branch, or main in a new app." }),
    parent: CommitId.nullable()
      .optional()
      .openapi({ description: "What the branch must be at; null: it must not exist. Otherwise the answer is 409." }),
    author: Author.optional().openapi({ description: "Without it: the token's name." }),
    options: z
      .array(z.string())
      .optional()
      .openapi({ description: "As git push -o.", example: ["store"] }),
  })
  .openapi("NewCommit");

/** What a push came to. */
const PushReportJson = z
  .looseObject({
    app: z.string(),
    ok: z.boolean(),
    lines: z.array(z.string()).readonly().openapi({ description: "What git push would have shown." }),
  })
  .openapi("PushReport", { description: "The facts that git push -o json prints: deploy, url, build, refs, undo." });

export const commits = makeRouter();

const commitRoute = createRoute({
  method: "post",
  path: "/apps/{app}/commits",
  summary: "Commit changed files and deploy them, as a push of that commit would",
  description:
    "Makes the app where there is none. A failed build or start is refused with its code, and `report` says what a pusher would have been told.",
  ...needs("push"),
  ...refuses(...DEPLOY_CODES),
  request: { params: AppPath, body: jsonBody(NewCommit) },
  responses: {
    200: json(
      PushReportJson.extend({ commit: z.string() }).openapi("CommitReport"),
      "The commit is live, or stored where nothing deploys.",
    ),
  },
});

commits.openapi(commitRoute, async (c) => {
  const { files, options, author, ...asked } = c.req.valid("json");
  const caller = c.get("caller");
  const report = await commitFiles(pushAs(c.req.raw, c.env.host.env, caller, c.req.valid("param").app), c.env.host, {
    branch: asked.branch,
    parent: asked.parent,
    message: asked.message,
    files: new Map(Object.entries(files).map(([path, file]) => [path, readFile(file)])),
    author: author ?? { name: caller.name.replaceAll(/[<>\n\0]/g, " "), email: "api@slipway.invalid" },
    pushOptions: options ?? [],
  });
  return c.json(report, 200);
});

const forkRoute = createRoute({
  method: "post",
  path: "/apps/{app}/fork",
  summary: "Make an app of this one's code, with all its history, its settings and its plain variables",
  description:
    "Settings, what is kept for how long, allowed hosts, caps and plain variables come along; secrets, and production's data and alarms " +
    "with those of its named objects, if asked for. Previews, snapshots and tokens stay behind.",
  ...needs("read"),
  ...refuses("app-exists", "sql-failed", ...DEPLOY_CODES),
  request: {
    params: AppPath,
    body: jsonBody(
      z
        .object({
          name: z.string().openapi({ example: "hello-2" }),
          data: z
            .boolean()
            .default(false)
            .openapi({ description: "true: with a copy of the data, and the alarms that go with it." }),
          secrets: z
            .boolean()
            .default(false)
            .openapi({ description: "true: with the secrets; needs a token that may administer the source." }),
        })
        .openapi("NewFork"),
    ),
  },
  responses: {
    201: json(
      PushReportJson.extend({
        alarmCount: z.int(),
        missingSecrets: z.array(z.string()).readonly().openapi({ description: "Secrets that stayed behind." }),
      }).openapi("ForkReport"),
      "The new app is live, if the source is.",
    ),
  },
});

commits.openapi(forkRoute, async (c) => {
  const { app } = c.req.valid("param");
  const asked = c.req.valid("json");
  const name = readAppName(asked.name);
  const caller = c.get("caller");
  // No token of one app may: the caps of the source come along, which only a token for the whole host sets.
  permit(caller, { app: name, action: "push" });
  // Who reads an app's data may push to it; see the dump. Who gives its secrets away administers it.
  if (asked.data) permit(caller, { app, action: "push" });
  if (asked.secrets) permit(caller, { app, action: "admin" });
  const request = pushAs(c.req.raw, c.env.host.env, caller, name);
  const { data, secrets } = asked;
  return c.json(await forkApp(request, c.env.host, { from: app, data, secrets }), 201);
});

/** A push that is made here, in the caller's name. */
export function pushAs(request: Request, env: Env, caller: Caller, app: AppName): MadePushRequest {
  const url = new URL(request.url);
  const apiUrl = `${url.origin}/api/v1/apps/${app}`;
  return { app, actor: caller.name, urlOf: (label) => appUrl(url, env.HOST, label), apiUrl, now: Date.now };
}

function readFile(file: z.infer<typeof FileJson>): FileChange {
  if (file === null) return { kind: "delete" };
  if (typeof file === "string") return { kind: "write", bytes: Buffer.from(file) };
  const bytes = "base64" in file ? Buffer.from(file.base64, "base64") : Buffer.from(file.text);
  return { kind: "write", bytes, isExecutable: file.executable };
}
