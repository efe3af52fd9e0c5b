// Every route of the host on one screen. Apps answer on origins of their own; everything else is the host's.
import { Hono } from "hono";
import { HostingError } from "../errors.ts";
import { answerMcp } from "./agents/mcp.ts";
import { answerAgents } from "./agents/page.ts";
import { api } from "./api/routes.ts";
import { answerForApp } from "./app-request.ts";
import { dashboard } from "./dashboard/routes.tsx";
import { readOrigin } from "./host-name.ts";
import type { Host } from "../push-host.ts";
import { answerMetrics } from "./metrics.ts";
import { pageAnswer, problemAnswer, refuseMethod } from "./problem.ts";
import { drainUnread } from "./request-body.ts";
import { advertise, fetchPack, receivePush, refusePath } from "./smart-http.ts";

/** The answer to any request that reaches the Worker. Never throws: an error becomes an answer here. */
export async function route(request: Request, host: Host, context: ExecutionContext): Promise<Response> {
  const url = new URL(request.url);
  const origin = readOrigin(url, host.env.HOST);
  if (origin.kind === "host") return hostRoutes.fetch(request, { host }, context);
  try {
    return await answerForApp(request, host.env, origin.label);
  } catch (error) {
    return pageAnswer(error, request);
  }
}

const hostRoutes = new Hono<{ Bindings: { readonly host: Host } }>()
  .use(async (c, next) => {
    await next();
    await drainUnread(c.req.raw);
  })
  .get("/healthz", (c) => c.text("ok\n"))
  .route("/", dashboard)
  .get("/metrics", (c) => answerMetrics(c.req.raw, c.env.host))
  .get("/llms.txt", (c) => answerAgents(c.req.raw, c.env.host, "text/plain"))
  .get("/AGENTS.md", (c) => answerAgents(c.req.raw, c.env.host, "text/markdown"))
  .all("/mcp", (c) => answerMcp(c.req.raw, { host: c.env.host, context: c.executionCtx }))
  .route("/api/v1", api)
  .get("/:repository{.+\\.git}/info/refs", (c) => advertise(c.req.raw, c.env.host, c.req.param("repository")))
  .post("/:repository{.+\\.git}/git-upload-pack", (c) => fetchPack(c.req.raw, c.env.host, c.req.param("repository")))
  .post("/:repository{.+\\.git}/git-receive-pack", (c) =>
    receivePush(c.req.raw, { host: c.env.host, context: c.executionCtx }, c.req.param("repository")),
  )
  .all("/:repository{.+\\.git}/info/refs", (c) => refuseMethod(c.req.raw, "GET, HEAD", pageAnswer))
  .all("/:repository{.+\\.git}/git-upload-pack", (c) => refuseMethod(c.req.raw, "POST", pageAnswer))
  .all("/:repository{.+\\.git}/git-receive-pack", (c) => refuseMethod(c.req.raw, "POST", pageAnswer))
  .all("/:repository{.+\\.git}/*", () => refusePath())
  .all("/", (c) => refuseMethod(c.req.raw, "GET, HEAD", pageAnswer))
  .all("/llms.txt", (c) => refuseMethod(c.req.raw, "GET, HEAD", pageAnswer))
  .all("/AGENTS.md", (c) => refuseMethod(c.req.raw, "GET, HEAD", pageAnswer))
  .all("/healthz", (c) => refuseMethod(c.req.raw, "GET, HEAD", pageAnswer))
  .notFound((c) => answerAt(c.req.path)(new HostingError("not-found", "There is nothing here."), c.req.raw))
  .onError((error, c) => answerAt(c.req.path)(error, c.req.raw));

/** Programs ask below /api/, git and people everywhere else. */
function answerAt(path: string): typeof pageAnswer {
  return path.startsWith("/api/") ? problemAnswer : pageAnswer;
}
