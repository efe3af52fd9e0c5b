// What every resource of the API is made of: a router whose refusals are HostingErrors, who may call a route, and the parts of
// declarations that all of them share.
import { OpenAPIHono, z, type Hook } from "@hono/zod-openapi";
import type { Context, Next, ValidationTargets } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { readAppName, type AppName } from "../../app/app-name.ts";
import { HostingError } from "../../errors.ts";
import type { Host } from "../../push-host.ts";
import { permit, type Caller, type Deed } from "../../app/access.ts";
import { answerOnce } from "./idempotency.ts";
import { recordAudit } from "../audit.ts";
import { authenticate, readToken } from "../auth.ts";
import { statusOf } from "../problem.ts";

/** What a handler finds in its context. */
export interface ApiEnv {
  readonly Bindings: {
    readonly host: Host;
    /** Whoever is signed in, where the dashboard calls: it has seen to who asks. A client cannot set it. */
    readonly signedIn?: Caller | undefined;
  };
  readonly Variables: {
    /** Who calls. */
    readonly caller: Caller;
    /** The app that a call is about, where its path does not name it: for the audit log. */
    readonly aboutApp?: AppName;
  };
}

/** A router for one resource. What does not fit a route's schemas is refused as "invalid-request" before its handler runs. */
export function makeRouter(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });
}

/**
 * Who may call a route: what its caller does to the app that the path names, or "host": only the whole host's admin, or "any": every
 * token, where the handler itself sees to what it is shown. Spread it into the route's declaration; it is checked before anything
 * else of the request is read, so that who may not call it learns nothing of what it takes. Calls that change something are written
 * into the audit log, whatever comes of them.
 */
export function needs(action: Deed["action"]) {
  const admit = createMiddleware<ApiEnv>(async (c, next) => {
    const caller = c.env.signedIn ?? (await authenticate(c.req.raw, c.env.host));
    const app = c.req.param("app");
    let outcome = INTERNAL_ERROR;
    try {
      permit(caller, deedOf(action, app));
      c.set("caller", caller);
      await (isJson(c) ? limitBody(c, () => answer(c, next)) : answer(c, next));
      outcome = c.res.status;
    } catch (error) {
      if (error instanceof HostingError) outcome = statusOf(error.code);
      throw error;
    } finally {
      if (c.req.method !== "GET" && c.req.method !== "HEAD") {
        const deed = `${c.req.method} ${c.req.path.slice(PREFIX.length)}`;
        const at = { host: c.env.host, context: c.executionCtx };
        const about = app ?? c.get("aboutApp");
        recordAudit(c.req.raw, at, { caller, action: deed, app: about, outcome: String(outcome) });
      }
    }
  });
  return { middleware: admit, security: [{ token: [] }], "x-slipway-access": action };
}

const INTERNAL_ERROR = statusOf("internal-error");

/** JSON is held in memory, several times over. */
const MAX_JSON_BYTES = 16 * 1024 * 1024;

const limitBody = bodyLimit({
  maxSize: MAX_JSON_BYTES,
  onError: () => {
    throw new HostingError("push-too-large", `The body is over ${MAX_JSON_BYTES} bytes. Push with git instead.`);
  },
});

function isJson(c: Context<ApiEnv>): boolean {
  return c.req.header("content-type")?.startsWith("application/json") === true;
}

/** What the route answers, now or the first time that the call came. */
async function answer(c: Context<ApiEnv>, next: Next): Promise<void> {
  const key = c.req.method === "POST" ? c.req.header("idempotency-key") : undefined;
  if (key === undefined) return next();
  // The body is held in memory to be compared: only that of JSON is bounded.
  if (!isJson(c) && c.req.header("content-type") !== undefined) {
    throw new HostingError("invalid-request", "Only calls with JSON take an Idempotency-Key.");
  }
  const content = `${c.req.method} ${c.req.path}\n${await c.req.text()}`;
  const credentials = readToken(c.req.header("authorization")) ?? "";
  const call = { env: c.env.host.env, caller: c.get("caller"), key, credentials, content };
  c.res = await answerOnce(call, async () => {
    await next();
    return c.res;
  });
  return undefined;
}

const PREFIX = "/api/v1";

function deedOf(action: Deed["action"], app: string | undefined): Deed {
  if (action === "host" || action === "any") return { action };
  if (app === undefined) throw new Error(`The path of a route that needs "${action}" must name an {app}.`);
  return { app, action };
}

/** The app that a path names. A name that none can have is refused with the rule. */
export const AppPath = z.object({
  app: z
    .string()
    .transform((text): AppName => readAppName(text))
    .openapi({ param: { name: "app", in: "path" }, type: "string", example: "hello" }),
});

/** A moment, as every answer writes it. */
export const Time = z.iso.datetime().openapi({ example: "2026-01-01T00:00:00.000Z" });

/** Every refusal of every route: problem details. */
export const Problem = z
  .looseObject({
    type: z.string(),
    status: z.int(),
    code: z.string().openapi({ description: "Stable: branch on this.", example: "not-found" }),
    title: z.string(),
    detail: z.string().openapi({ description: "A sentence for people." }),
  })
  .openapi("Problem", { description: "RFC 9457. Some codes come with more members, such as the report of a push." });

/** A body that is one JSON value. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A request's body, which must be there. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: true, content: { "application/json": { schema } } };
}

/** A time as `Time` has it. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** The limits that were given. */
export function givenLimits(limits: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const entries = Object.entries(limits);
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

export function noSuchApp(app: AppName): HostingError {
  return new HostingError("not-found", `There is no app ${app}.`);
}

const PLACES: Record<keyof ValidationTargets, string> = {
  json: "the body",
  form: "the form",
  query: "the query",
  param: "the path",
  header: "the headers",
  cookie: "the cookies",
};

const refuseInvalid: Hook<unknown, ApiEnv, string, unknown> = (result) => {
  if (result.success) return;
  const place = PLACES[result.target];
  const problems = result.error.issues.map(({ path, message }) => {
    const field = path.map(String).join(".");
    return `${field === "" ? place : `"${field}" in ${place}`}: ${message}`;
  });
  throw new HostingError("invalid-request", `The request is not as this route wants it. ${problems.join(". ")}.`);
};
