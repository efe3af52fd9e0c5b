// Apps: which there are, making one, its settings, its end.
import { createRoute, z } from "@hono/zod-openapi";
import { permit } from "../../app/access.ts";
import { readAppName, type AppName } from "../../app/app-name.ts";
import type { AppDescription } from "../../app/description.ts";
import { HostingError } from "../../errors.ts";
import { deletedApp } from "../../push-deleted.ts";
import { pushTemplate } from "../../push-made.ts";
import { appUrl } from "../host-name.ts";
import { pushAs } from "./commits.ts";
import { deployJson, DeployJson } from "./deploys.ts";
import { cutPage, Next, pageQuery } from "./paging.ts";
import { DEPLOY_CODES, refuses } from "./refusals.ts";
import { AppPath, isoTime, json, jsonBody, makeRouter, needs, noSuchApp, Time } from "./resource.ts";

type Settings = AppDescription["settings"];

/** A path below the repository's root, as git writes it: no backslash, no control character. Readers of the document may know no \p. */
const ROOT = /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[ -[\]-~\u00a0-\uffff]+$|^$/;
const MAX_ROOT_LENGTH = 1024;

/** What an owner sets. The same names in requests and answers. */
export const SettingsJson = z.object({
  deploy: z.boolean().openapi({ description: "false: pushes are stored and deploy nothing." }),
  denyNonFastForwards: z.boolean().openapi({ description: "true: no push takes commits from a branch." }),
  root: z.string().max(MAX_ROOT_LENGTH).regex(ROOT).openapi({
    description: 'The folder of the repository that the app is in; "" finds it by itself.',
    example: "apps/web",
  }),
  typecheck: z.enum(["off", "warn", "strict"]).openapi({
    description:
      "Whether pushes have their types checked: not at all, with errors told, or with errors that stop them.",
  }),
  maxPreviews: z
    .int()
    .min(0)
    .max(100)
    .openapi({ description: "How many previews may be alive; 0: other branches than production do not deploy." }),
  previewIdleHours: z
    .int()
    .min(1)
    .max(24 * 365)
    .openapi({ description: "A preview without a request for so long expires." }),
  previewAlarms: z.boolean().openapi({ description: "Whether alarms ring in previews." }),
  previewCrons: z.boolean().openapi({ description: "Whether cron triggers run in previews." }),
});

const AppEntry = z
  .object({
    name: z.string().openapi({ example: "hello" }),
    url: z.string().openapi({ description: "Where it answers." }),
    repository: z.string().openapi({ description: "What git clones and pushes to, without a token." }),
    createdAt: Time,
  })
  .openapi("AppEntry");

const AppJson = AppEntry.extend({
  ...SettingsJson.shape,
  productionBranch: z.string().nullable(),
  live: DeployJson.nullable().openapi({ description: "The deploy that answers visitors." }),
  refCount: z.int(),
  repositoryBytes: z.int(),
}).openapi("App");

/** An app in the list, and by itself. */
export type AppEntryAnswer = z.infer<typeof AppEntry>;
export type AppAnswer = z.infer<typeof AppJson>;

export const apps = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps",
  summary: "The apps that the token may see, by name",
  ...needs("any"),
  request: {
    query: pageQuery(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)),
  },
  responses: {
    200: json(z.object({ apps: z.array(AppEntry), next: Next }), "A page of the list."),
  },
});

apps.openapi(listRoute, async (c) => {
  const { limit, cursor } = c.req.valid("query");
  const { env } = c.env.host;
  const { scope } = c.get("caller");
  const own = scope.kind === "app" ? scope.app : undefined;
  const found = await env.DIRECTORY.getByName("directory").list({ after: cursor, limit: limit + 1, own });
  const { page, next } = cutPage(c, found, { limit, keyOf: ({ name }) => name });
  const url = new URL(c.req.url);
  const listed = page.map(({ name, createdAtMs }) => ({
    ...addresses(url, env, name),
    createdAt: isoTime(createdAtMs),
  }));
  return c.json({ apps: listed, next }, 200);
});

const createAppRoute = createRoute({
  method: "post",
  path: "/apps",
  summary: "Make an app, or a repository whose pushes are only stored",
  description: "With a token for the whole host, or with one that may push to an app of this name.",
  ...needs("any"),
  ...refuses("app-exists", "invalid-app-name", ...DEPLOY_CODES),
  request: {
    body: jsonBody(
      z
        .object({
          name: z.string().openapi({ example: "hello" }),
          template: z
            .string()
            .optional()
            .openapi({ description: "Starts with this template, deployed.", example: "counter" }),
          ...SettingsJson.partial().shape,
        })
        .openapi("NewApp"),
    ),
  },
  responses: { 201: json(AppJson, "The new app.") },
});

apps.openapi(createAppRoute, async (c) => {
  const { name, template, ...settings } = c.req.valid("json");
  const app = readAppName(name);
  c.set("aboutApp", app);
  permit(c.get("caller"), { app, action: "push" });
  const { env } = c.env.host;
  if (template !== undefined) {
    await pushTemplate(pushAs(c.req.raw, env, c.get("caller"), app), c.env.host, template);
    await env.SUPERVISOR.getByName(app).changeSettings(given(settings));
  } else {
    const { kind, state } = await env.SUPERVISOR.getByName(app).createRepository(given(settings));
    if (state.deletedUntilMs !== undefined)
      throw deletedApp(pushAs(c.req.raw, env, c.get("caller"), app), state.deletedUntilMs);
    if (kind === "exists") throw new HostingError("app-exists", `There is an app ${app} already.`);
  }
  return c.json(await describe(c.req.raw, env, app), 201);
});

const getRoute = createRoute({
  method: "get",
  path: "/apps/{app}",
  summary: "What is live, and how the app is set",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath },
  responses: { 200: json(AppJson, "The app.") },
});

apps.openapi(getRoute, async (c) => c.json(await describe(c.req.raw, c.env.host.env, c.req.valid("param").app), 200));

const patchRoute = createRoute({
  method: "patch",
  path: "/apps/{app}",
  summary: "Change settings; what is not given stays as it is",
  ...needs("admin"),
  ...refuses("not-found"),
  request: { params: AppPath, body: jsonBody(SettingsJson.partial().openapi("AppChange")) },
  responses: { 200: json(AppJson, "The app as it is now.") },
});

apps.openapi(patchRoute, async (c) => {
  const { app } = c.req.valid("param");
  const settings = given(c.req.valid("json"));
  if (Object.keys(settings).length === 0) {
    const names = Object.keys(SettingsJson.shape).join(", ");
    throw new HostingError("invalid-request", `There is nothing to change. What can be set: ${names}.`);
  }
  const { env } = c.env.host;
  const state = await env.SUPERVISOR.getByName(app).changeSettings(settings);
  if (state === undefined) throw noSuchApp(app);
  return c.json(await describe(c.req.raw, env, app), 200);
});

const DEFAULT_UNDELETE_HOURS = 24;
const HOUR_MS = 3_600_000;

const deleteRoute = createRoute({
  method: "delete",
  path: "/apps/{app}",
  summary: "Remove the app; it can be brought back for a while, unless it is removed for good",
  description:
    "It answers 404 at once, and its name and tokens are kept. After the host's UNDELETE_HOURS, or at once with forever=1: code, data, packs, " +
    "name and the tokens that are for it alone are gone.",
  ...needs("admin"),
  ...refuses("not-found"),
  request: {
    params: AppPath,
    query: z.object({
      forever: z.enum(["0", "1", "false", "true"]).optional().openapi({ description: "1: nothing brings it back." }),
    }),
  },
  responses: {
    200: json(
      z.object({ name: z.string(), undeleteUntil: Time }).openapi("DeletedApp"),
      "It is gone until it is undeleted.",
    ),
    204: { description: "It is gone for good." },
  },
});

apps.openapi(deleteRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { forever } = c.req.valid("query");
  const { env, tokens } = c.env.host;
  const supervisor = env.SUPERVISOR.getByName(app);
  const deletedUntilMs = await supervisor.findDeletedUntil();
  if (deletedUntilMs === undefined && (await supervisor.describe()) === undefined) throw noSuchApp(app);
  const hours = readUndeleteHours(env.UNDELETE_HOURS);
  if (forever === "1" || forever === "true" || hours === 0) {
    await supervisor.destroy();
    tokens.forgetAll();
    return c.body(null, 204);
  }
  const untilMs = deletedUntilMs ?? (await supervisor.deleteUntil(Date.now() + hours * HOUR_MS));
  if (untilMs === undefined) throw noSuchApp(app);
  return c.json({ name: app, undeleteUntil: isoTime(untilMs) }, 200);
});

/** A var of wrangler's is text or a number. */
function readUndeleteHours(value: unknown): number {
  const hours = value === undefined ? DEFAULT_UNDELETE_HOURS : Number(value);
  if (Number.isFinite(hours) && hours >= 0) return hours;
  throw new TypeError("UNDELETE_HOURS must be a number of hours, 0 or more.");
}

const undeleteRoute = createRoute({
  method: "post",
  path: "/apps/{app}/undelete",
  summary: "Bring a deleted app back as it was",
  ...needs("admin"),
  ...refuses("not-found"),
  request: { params: AppPath },
  responses: { 200: json(AppJson, "The app.") },
});

apps.openapi(undeleteRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { env } = c.env.host;
  if (!(await env.SUPERVISOR.getByName(app).undelete())) {
    throw new HostingError("not-found", `There is no app ${app} that was deleted and could be brought back.`);
  }
  return c.json(await describe(c.req.raw, env, app), 200);
});

/** An app as the API shows it. */
async function describe(request: Request, env: Env, app: AppName): Promise<z.infer<typeof AppJson>> {
  const description = await env.SUPERVISOR.getByName(app).describe();
  if (description === undefined) throw noSuchApp(app);
  return {
    ...addresses(new URL(request.url), env, app),
    ...description.settings,
    productionBranch: description.productionBranch?.replace("refs/heads/", "") ?? null,
    live: description.live === undefined ? null : deployJson(description.live, description.live),
    refCount: description.refCount,
    repositoryBytes: description.packBytes,
    createdAt: isoTime(description.createdAtMs),
  };
}

function addresses(url: URL, env: Env, app: string) {
  return { name: app, url: appUrl(url, env.HOST, app), repository: `${url.origin}/${app}.git` };
}

/** The settings that were given. */
export function given(settings: { readonly [Name in keyof Settings]?: Settings[Name] | undefined }): Partial<Settings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
