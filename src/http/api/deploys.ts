// The history of an app's deploys.
import { createRoute, z } from "@hono/zod-openapi";
import type { AppDescription } from "../../app/description.ts";
import type { Supervisor } from "../../app/supervisor.ts";
import { HostingError, ERROR_CODES } from "../../errors.ts";
import { cutPage, Next, NumberCursor, pageQuery } from "./paging.ts";
import { refuses } from "./refusals.ts";
import { AppPath, isoTime, json, makeRouter, needs, noSuchApp, Time } from "./resource.ts";

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

/** Which deploy a path names. */
const DeployNumber = z.coerce
  .number()
  .int()
  .min(1)
  .openapi({ param: { name: "number", in: "path" }, type: "integer", example: 12 });

type HistoryEntry = Awaited<ReturnType<Supervisor["listHistory"]>>[number];

const HistoryJson = DeployJson.extend({
  kind: z.enum(["push", "rollback", "redeploy", "restore", "variables"]),
  state: z.enum(["running", "interrupted", "live", "committed", "started", "failed", "superseded"]).openapi({
    description: "live: answers visitors. started: did before. interrupted: cut short by the end of the host.",
  }),
  actor: z.string().openapi({ description: "Who asked for it: a token's name." }),
  subject: z.string().nullable(),
  tree: z.string().nullable(),
  codeId: z.string().nullable().openapi({ description: "null where it did not come to the commit." }),
  environment: z.string().nullable().openapi({ description: "app is production.", example: "app" }),
  restoresSnapshot: z.int().nullable().openapi({ description: "The snapshot whose data came back with it." }),
  configuration: z.string().nullable().openapi({ description: "Which variables it runs with; null: none were set." }),
  endedAt: Time.nullable(),
  failure: z
    .object({ stage: z.string(), code: z.enum(ERROR_CODES), reason: z.string() })
    .nullable()
    .openapi({ description: "Why it made nothing live." }),
  facts: z.record(z.string(), z.unknown()).openapi({
    description: "What the stages said: durations in stagesMs, sizes in received and build, the cutover.",
  }),
  log: z.string().openapi({ description: "Where everything that was said is kept." }),
}).openapi("HistoryEntry");

/** One attempt to deploy. */
export type HistoryAnswer = z.infer<typeof HistoryJson>;

export const deploys = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps/{app}/deploys",
  summary: "Every attempt to deploy, newest first, whatever came of it",
  ...needs("read"),
  ...refuses("not-found"),
  request: {
    params: AppPath,
    query: pageQuery(NumberCursor),
  },
  responses: {
    200: json(z.object({ deploys: z.array(HistoryJson), next: Next }), "A page of the history."),
  },
});

deploys.openapi(listRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { limit, cursor } = c.req.valid("query");
  const supervisor = c.env.host.env.SUPERVISOR.getByName(app);
  if ((await supervisor.describe()) === undefined) throw noSuchApp(app);
  const found = await supervisor.listHistory({ limit: limit + 1, before: cursor });
  const { page, next } = cutPage(c, found, { limit, keyOf: ({ attempt }) => attempt.number });
  return c.json({ deploys: page.map((entry) => historyJson(entry, new URL(c.req.url), app)), next }, 200);
});

const getRoute = createRoute({
  method: "get",
  path: "/apps/{app}/deploys/{number}",
  summary: "One attempt to deploy",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath.extend({ number: DeployNumber }) },
  responses: { 200: json(HistoryJson, "What is kept of it.") },
});

deploys.openapi(getRoute, async (c) => {
  const { app, number } = c.req.valid("param");
  const entry = await c.env.host.env.SUPERVISOR.getByName(app).findHistoryEntry(number);
  if (entry === undefined) throw noSuchDeploy(app, number);
  return c.json(historyJson(entry, new URL(c.req.url), app), 200);
});

const logRoute = createRoute({
  method: "get",
  path: "/apps/{app}/deploys/{number}/log",
  summary: "What the pusher saw, and more; as far as it has come",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath.extend({ number: DeployNumber }) },
  responses: { 200: { description: "The log.", content: { "text/plain": { schema: z.string() } } } },
});

deploys.openapi(logRoute, async (c) => {
  const { app, number } = c.req.valid("param");
  const supervisor = c.env.host.env.SUPERVISOR.getByName(app);
  if ((await supervisor.findHistoryEntry(number)) === undefined) throw noSuchDeploy(app, number);
  const chunks: string[] = [];
  for (let position = 0; ;) {
    // oxlint-disable-next-line no-await-in-loop -- each piece begins behind the one before
    const chunk = await supervisor.readLog(number, position);
    if (chunk === undefined) break;
    position = chunk.position;
    chunks.push(chunk.text);
  }
  return c.text(chunks.join(""), 200);
});

function noSuchDeploy(app: string, number: number): HostingError {
  return new HostingError("not-found", `There is no deploy ${number} of ${app}, or none any more.`);
}

function historyJson({ attempt, deploy, state }: HistoryEntry, url: URL, app: string): z.infer<typeof HistoryJson> {
  const { number, kind, actor, end, endedAtMs } = attempt;
  return {
    number,
    kind,
    state,
    ref: attempt.ref,
    commit: attempt.commitId,
    actor,
    subject: deploy?.subject ?? end?.subject ?? null,
    tree: deploy?.treeId ?? null,
    codeId: deploy?.codeId ?? null,
    environment: deploy?.facet ?? null,
    restoresSnapshot: deploy?.restoresSnapshot ?? null,
    configuration: deploy?.envId ?? null,
    previous: deploy?.previous?.number ?? null,
    createdAt: isoTime(attempt.beganAtMs),
    endedAt: endedAtMs === undefined ? null : isoTime(endedAtMs),
    failure: end?.failure ?? null,
    facts: JSON.parse(end?.factsJson ?? "{}"),
    log: `${url.origin}/api/v1/apps/${app}/deploys/${number}/log`,
  };
}

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
