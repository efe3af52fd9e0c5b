// Every page of the host on one screen: the home page, the doors in and out, and behind them the dashboard.
import { Hono } from "hono";
import { accepts } from "hono/accepts";
import { HostingError } from "../../errors.ts";
import { problemAnswer } from "../problem.ts";
import { limitAnonymous } from "../auth.ts";
import { appPages } from "./app-pages.tsx";
import browser from "./browser.generated.json" with { type: "json" };
import { ErrorPage } from "./error-page.tsx";
import { Home, plainHome } from "./home.tsx";
import { hostPages } from "./host-pages.tsx";
import { SCRIPT_PATH, STYLE_PATH } from "./layout.tsx";
import { findSession, requireSession, type DashboardEnv } from "./session.ts";
import { signInRoutes } from "./sign-in-routes.tsx";

/** What a page may load and where it may send to: this host. Nothing inline, so that no text of an app's can ever run. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE_HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

const FOREVER = { "cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff" };

export const dashboard = new Hono<DashboardEnv>();

dashboard.onError(async (error, c) => {
  const told = problemAnswer(error, c.req.raw);
  const problem = await told.clone().json<{ detail: string; code: string }>();
  const page = await c.html(<ErrorPage problem={problem} session={c.get("session")} />);
  const headers = new Headers({ ...PAGE_HEADERS, "content-type": "text/html; charset=utf-8" });
  const retryAfter = told.headers.get("retry-after");
  if (retryAfter !== null) headers.set("retry-after", retryAfter);
  return new Response(page.body, { status: told.status, headers });
});

dashboard.get(STYLE_PATH, (c) => c.body(browser.style, 200, { ...FOREVER, "content-type": "text/css; charset=utf-8" }));
dashboard.get(SCRIPT_PATH, (c) =>
  c.body(browser.script, 200, { ...FOREVER, "content-type": "text/javascript; charset=utf-8" }),
);

for (const path of [
  "/",
  "/sign-in",
  "/sign-in/*",
  "/sign-out",
  "/apps",
  "/apps/*",
  "/tokens",
  "/tokens/*",
  "/activity",
]) {
  dashboard.use(path, async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(PAGE_HEADERS)) c.header(name, value);
  });
}

dashboard.get("/", async (c) => {
  const url = new URL(c.req.url);
  const type = accepts(c, { header: "Accept", supports: ["text/plain", "text/html"], default: "text/plain" });
  if (type === "text/html" && c.req.header("accept")?.includes("text/html") === true) {
    return c.html(<Home url={url} hostName={c.env.host.env.HOST} session={await findSession(c)} />);
  }
  limitAnonymous(c.req.raw, c.env.host);
  return c.text(plainHome(url, c.env.host.env.HOST));
});

dashboard.route("/", signInRoutes);
for (const path of ["/apps", "/apps/*", "/tokens", "/tokens/*", "/activity"]) dashboard.use(path, requireSession);
dashboard.route("/", hostPages);
dashboard.route("/", appPages);
dashboard.get("/apps/*", () => {
  throw new HostingError("not-found", "There is no such page.");
});
