// The dashboard's only way to the host: its own JSON API, called in this isolate in the name of whoever is signed in. So a page
// shows what the API says, and what somebody may do is decided in one place.
import { Hono, type Context } from "hono";
import { HostingError, type ErrorCode } from "../../errors.ts";
import type { ApiEnv } from "../api/resource.ts";
import { api } from "../api/routes.ts";
import type { DashboardEnv } from "./session.ts";

/** How the API refuses, as problem.ts writes it. */
export interface Problem {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
}

export type ApiAnswer<T> =
  | { readonly kind: "ok"; readonly data: T }
  | { readonly kind: "problem"; readonly problem: Problem };

/** The longest page that a list has: more of what an app has few of is not shown. */
export const MOST = 1000;

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const mounted = new Hono<ApiEnv>().route("/api/v1", api);
const paths: ReadonlySet<string> = new Set(api.routes.map(({ method, path }) => `${method} ${path}`));

/** Whether the API has such a route, with its parameters as in ":app". */
export function hasRoute(method: string, path: string): boolean {
  return paths.has(`${method} ${path}`);
}

/** The API's own answer, for what is streamed. `path` is below /api/v1. */
export async function fetchApi(
  c: Context<DashboardEnv>,
  method: string,
  path: string,
  { body, headers }: CallOptions = {},
): Promise<Response> {
  const address = c.req.header("cf-connecting-ip");
  const request = new Request(`${new URL(c.req.url).origin}/api/v1${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(address === undefined ? {} : { "cf-connecting-ip": address }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return mounted.fetch(request, { host: c.env.host, signedIn: c.get("session").caller }, c.executionCtx);
}

/** One call. T is what the route answers; nothing where it answers 204. */
export async function callApi<T>(
  c: Context<DashboardEnv>,
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiAnswer<T>> {
  const response = await fetchApi(c, method, path, { body });
  if (!response.ok) return { kind: "problem", problem: await response.json<Problem>() };
  const text = await response.text();
  return { kind: "ok", data: text === "" ? undefined : JSON.parse(text) };
}

/**
 * What a page cannot be without.
 * @throws HostingError what the API refused with
 */
export async function getApi<T>(c: Context<DashboardEnv>, path: string): Promise<T> {
  const answer = await callApi<T>(c, "GET", path);
  if (answer.kind === "ok") return answer.data;
  throw new HostingError(answer.problem.code, answer.problem.detail);
}

/** What a page can do without: undefined where the caller may not see it. */
export async function findApi<T>(c: Context<DashboardEnv>, path: string): Promise<T | undefined> {
  const answer = await callApi<T>(c, "GET", path);
  return answer.kind === "ok" ? answer.data : undefined;
}

/** What leads a call of a list to the page that the dashboard's own address asks for. */
export function cursorQuery(cursor: string | undefined): string {
  return cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
}
