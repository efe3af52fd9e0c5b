// Who is signed in: the cookie, and what a form must carry so that no other page can send it. The cookie is no token: it opens the
// dashboard and nothing else, so that neither git nor the API can be driven by what a browser sends on its own.
import { createHash, timingSafeEqual } from "node:crypto";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import type { Context } from "hono";
import type { Caller } from "../../app/access.ts";
import { HostingError } from "../../errors.ts";
import type { Host } from "../../push-host.ts";
import { limitAnonymous, refuseOtherOrigins } from "../auth.ts";

/** A signed-in browser. */
export interface Session {
  readonly caller: Caller;
  /** In every form of its pages, and in no page of anybody else's. */
  readonly formToken: string;
}

/** What the dashboard's handlers find in their context. `session` is there behind `requireSession`. */
export interface DashboardEnv {
  readonly Bindings: { readonly host: Host };
  readonly Variables: { readonly session: Session; readonly form: Readonly<Record<string, string>> };
}

type DashboardContext = Context<DashboardEnv>;

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Whoever is signed in; undefined: nobody. */
export async function findSession(c: DashboardContext): Promise<Session | undefined> {
  const { name } = cookieFor(c);
  const text = getCookie(c, name);
  const caller = text === undefined ? undefined : await directoryOf(c).findSessionCaller(text);
  if (text === undefined || caller === undefined) {
    limitAnonymous(c.req.raw, c.env.host);
    return undefined;
  }
  return { caller, formToken: createHash("sha256").update(`form\n${text}`).digest("hex") };
}

/** Lets a request through to its handler if somebody is signed in and, where it changes something, one of our own forms sent it. */
export const requireSession = createMiddleware<DashboardEnv>(async (c, next) => {
  const session = await findSession(c);
  if (session === undefined) {
    const here = new URL(c.req.url);
    const isPage = c.req.method === "GET" && c.req.header("accept")?.includes("text/html") === true;
    if (isPage) return c.redirect(`/sign-in?next=${encodeURIComponent(here.pathname + here.search)}`, 303);
    throw new HostingError("auth-required", "Nobody is signed in here any more. Sign in, and try again.");
  }
  c.set("session", session);
  if (c.req.method === "POST") {
    refuseOtherOrigins(c.req.raw);
    const form = await readForm(c);
    const sent = Buffer.from(form["form"] ?? "");
    const expected = Buffer.from(session.formToken);
    if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) {
      throw new HostingError(
        "auth-forbidden",
        "This form is from another session. Load the page again, and try again.",
      );
    }
    c.set("form", form);
  }
  return next();
});

/** A form's fields. Of those of one name the last counts; files are not taken. */
export async function readForm(c: DashboardContext): Promise<Readonly<Record<string, string>>> {
  const fields = Object.entries(await c.req.parseBody());
  return Object.fromEntries(fields.flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])));
}

/** Signs the browser in as the bearer of a token. */
export async function signIn(c: DashboardContext, caller: Caller): Promise<void> {
  keepCookie(c, await directoryOf(c).openSession("session", caller.tokenId));
}

/** Signs the browser in by a link. false: the link was followed already, or is too old. */
export async function signInByLink(c: DashboardContext, link: string): Promise<boolean> {
  const opened = await directoryOf(c).followSessionLink(link);
  if (opened !== undefined) keepCookie(c, opened);
  return opened !== undefined;
}

/** Ends the session here and for whoever else may have its cookie. */
export async function signOut(c: DashboardContext): Promise<void> {
  const { name, isSecure } = cookieFor(c);
  const text = getCookie(c, name);
  if (text !== undefined) await directoryOf(c).closeSession(text);
  deleteCookie(c, name, { path: "/", secure: isSecure });
}

function keepCookie(c: DashboardContext, opened: { readonly text: string; readonly expiresAtMs: number }): void {
  const { name, isSecure } = cookieFor(c);
  setCookie(c, name, opened.text, {
    httpOnly: true,
    sameSite: "Strict",
    secure: isSecure,
    path: "/",
    expires: new Date(opened.expiresAtMs),
  });
}

/** Apps live below the host's own name: `__Host-` keeps them from planting a cookie of theirs here (RFC 6265bis, 4.1.3.2). */
function cookieFor(c: DashboardContext): { readonly name: string; readonly isSecure: boolean } {
  const isSecure = !LOOPBACK.test(new URL(c.req.url).hostname);
  return { name: isSecure ? "__Host-slipway" : "slipway", isSecure };
}

function directoryOf(c: DashboardContext) {
  return c.env.host.env.DIRECTORY.getByName("directory");
}

/** Whether the reader's pages offer what deploys. The API decides; this only spares them what would be refused. */
export function mayPush({ caller: { scope } }: Session): boolean {
  return scope.kind === "host" || scope.access !== "read";
}

/** As `mayPush`, for settings, data and deletion. */
export function mayAdminister({ caller: { scope } }: Session): boolean {
  return scope.kind === "host" || scope.access === "admin";
}
