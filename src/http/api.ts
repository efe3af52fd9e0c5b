// The JSON API, version 1. Every route needs the owner's token as a Bearer token (or as Basic's password) and answers
// errors as problem details.
import { Hono } from "hono";
import { readAppName, type AppName } from "../app/app-name.ts";
import type { AppDescription } from "../app/description.ts";
import { HostingError } from "../errors.ts";
import type { Host } from "../push-host.ts";
import { requireOwner } from "./auth.ts";
import { appUrl } from "./host-name.ts";

type Deploy = NonNullable<AppDescription["live"]>;
type Settings = AppDescription["settings"];

/** What an owner sets. The same names in requests and answers. */
const SETTINGS = ["deploy", "denyNonFastForwards"] as const satisfies readonly (keyof Settings)[];

const PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;

/** The routes below /api/v1. */
export const api = new Hono<{ Bindings: { readonly host: Host } }>()
  .use(async (c, next) => {
    requireOwner(c.req.raw, c.env.host.env);
    await next();
    c.header("cache-control", "no-store");
  })
  .get("/apps", async (c) => {
    const page = { after: c.req.query("after"), limit: readLimit(c.req.query("limit")) };
    const entries = await directory(c.env.host.env).list(page);
    const url = new URL(c.req.url);
    const apps = entries.map((entry) => ({
      ...addresses(url, c.env.host.env, entry.name),
      createdAt: isoTime(entry.createdAtMs),
    }));
    return c.json({ apps, next: entries.length === page.limit ? entries.at(-1)?.name : undefined });
  })
  .post("/apps", async (c) => {
    const body = await readObject(c.req.raw);
    const app = readAppName(readString(body, "name"));
    const { kind } = await supervisor(c.env.host.env, app).createRepository(readSettings(body));
    if (kind === "exists") throw new HostingError("app-exists", `There is an app ${app} already.`);
    return c.json(await describe(c.req.raw, c.env.host.env, app), 201);
  })
  .get("/apps/:app", async (c) => c.json(await describe(c.req.raw, c.env.host.env, readAppName(c.req.param("app")))))
  .patch("/apps/:app", async (c) => {
    const app = readAppName(c.req.param("app"));
    const settings = readSettings(await readObject(c.req.raw));
    if (Object.keys(settings).length === 0) {
      throw invalid(`There is nothing to change. What can be set to true or false: ${SETTINGS.join(", ")}.`);
    }
    const state = await supervisor(c.env.host.env, app).changeSettings(settings);
    if (state === undefined) throw noSuchApp(app);
    return c.json(await describe(c.req.raw, c.env.host.env, app));
  })
  .delete("/apps/:app", async (c) => {
    const app = readAppName(c.req.param("app"));
    await findDescription(c.env.host.env, app);
    await supervisor(c.env.host.env, app).destroy();
    return c.body(null, 204);
  })
  .get("/apps/:app/deploys", async (c) => {
    const app = readAppName(c.req.param("app"));
    const description = await findDescription(c.env.host.env, app);
    const limit = readLimit(c.req.query("limit"));
    const before = c.req.query("before");
    const deploys = await supervisor(c.env.host.env, app).listDeploys({
      limit,
      before: before === undefined ? undefined : readNumber("before", before),
    });
    return c.json({
      deploys: deploys.map((deploy) => deployJson(deploy, description.live)),
      next: deploys.length === limit ? deploys.at(-1)?.number : undefined,
    });
  });

function supervisor(env: Env, app: AppName) {
  return env.SUPERVISOR.getByName(app);
}

function directory(env: Env) {
  return env.DIRECTORY.getByName("directory");
}

async function findDescription(env: Env, app: AppName): Promise<AppDescription> {
  const description = await supervisor(env, app).describe();
  if (description === undefined) throw noSuchApp(app);
  return description;
}

/** An app as the API shows it. */
async function describe(request: Request, env: Env, app: AppName) {
  const description = await findDescription(env, app);
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

function deployJson(deploy: Deploy, live: Deploy | undefined) {
  return {
    number: deploy.number,
    state: deploy.number === live?.number ? "live" : deploy.state,
    ref: deploy.ref,
    commit: deploy.commitId,
    tree: deploy.treeId,
    subject: deploy.subject,
    codeId: deploy.codeId,
    previous: deploy.previous?.number ?? null,
    createdAt: isoTime(deploy.createdAtMs),
  };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

async function readObject(request: Request): Promise<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = await request.json();
  } catch (cause) {
    throw new HostingError("invalid-request", "The body is not JSON.", { cause });
  }
  if (!isObject(value)) throw invalid("The body must be a JSON object.");
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readSettings(body: Readonly<Record<string, unknown>>): Partial<Settings> {
  const given = SETTINGS.map((name) => [name, readBoolean(body, name)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function readString(body: Readonly<Record<string, unknown>>, field: string): string {
  const value = body[field];
  if (typeof value !== "string") throw invalid(`The field "${field}" must be a string.`);
  return value;
}

function readBoolean(body: Readonly<Record<string, unknown>>, field: string): boolean | undefined {
  const value = body[field];
  if (value === undefined || typeof value === "boolean") return value;
  throw invalid(`The field "${field}" must be true or false.`);
}

function readNumber(name: string, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw invalid(`"${name}" must be a whole number.`);
}

function readLimit(text: string | undefined): number {
  const limit = text === undefined ? PAGE_SIZE : readNumber("limit", text);
  if (limit >= 1 && limit <= MAX_PAGE_SIZE) return limit;
  throw invalid(`"limit" must be from 1 to ${MAX_PAGE_SIZE}.`);
}

function invalid(message: string): HostingError {
  return new HostingError("invalid-request", message);
}

function noSuchApp(app: AppName): HostingError {
  return new HostingError("not-found", `There is no app ${app}.`);
}
