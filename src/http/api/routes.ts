// The JSON API, version 1: where the resources are mounted, and the OpenAPI document that their declarations make.
//
// To add a resource: write src/http/api/<resource>.ts after the pattern of deploys.ts (schemas, then createRoute, then
// router.openapi(route, handler)); say who may call each route with ...needs(action); list what its handler
// refuses with by ...refuses(codes); throw a HostingError where the request cannot be served; mount the router below. test/http/api.test.ts holds the document against the
// routes and calls each with a token that must not get through. Nothing else is to be registered anywhere.
import { HTTPException } from "hono/http-exception";
import { HostingError } from "../../errors.ts";
import { problemAnswer, refuseMethod } from "../problem.ts";
import { apps } from "./apps.ts";
import { archives } from "./archives.ts";
import { audit } from "./audit.ts";
import { commits } from "./commits.ts";
import { data } from "./data.ts";
import { deploys } from "./deploys.ts";
import { egress } from "./egress.ts";
import { variables } from "./env.ts";
import { files } from "./files.ts";
import { logs } from "./logs.ts";
import { quotas } from "./quotas.ts";
import { objects } from "./objects.ts";
import { usage } from "./usage.ts";
import { previews } from "./previews.ts";
import { describeRefusals } from "./refusals.ts";
import { makeRouter, Problem } from "./resource.ts";
import { retention } from "./retention.ts";
import { signInLinks } from "./sign-in-links.ts";
import { snapshots } from "./snapshots.ts";
import { templates } from "./templates.ts";
import { tokens } from "./tokens.ts";

/** The routes below /api/v1. */
export const api = makeRouter();

api.onError((error, c) => problemAnswer(readError(error), c.req.raw));
api.use(async (c, next) => {
  c.req.raw = readAsJson(c.req.raw);
  await next();
  c.header("cache-control", "no-store");
  // Answers quote what apps and pushers wrote, which no browser is to take for a page.
  c.header("x-content-type-options", "nosniff");
});
api.route("/", apps);
api.route("/", deploys);
api.route("/", retention);
api.route("/", snapshots);
api.route("/", commits);
api.route("/", templates);
api.route("/", tokens);
api.route("/", audit);
api.route("/", signInLinks);
api.route("/", egress);
api.route("/", variables);
api.route("/", files);
api.route("/", logs);
api.route("/", usage);
api.route("/", quotas);
api.route("/", objects);
api.route("/", previews);
api.route("/", data);
api.route("/", archives);

api.openAPIRegistry.registerComponent("securitySchemes", "token", {
  type: "http",
  scheme: "bearer",
  description:
    "The owner's token, or one that was made here. HTTP Basic with the token as the password and any user name does as well.",
});

api.openAPIRegistry.register("Problem", Problem);

/** Read without a token: it says nothing of this host but what it can do. */
api.get("/openapi.json", (c) => {
  const document = api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Slipway",
      version: "1",
      description:
        "Apps, their deploys and what their owner controls. Errors are problem details (RFC 9457) with a stable code.",
    },
    servers: [{ url: "/api/v1" }],
  });
  return c.json(describeRefusals(document));
});

const methodsByPath = readMethods();

// A path of the API with a method that it does not have, and then everything that is no path of the API.
for (const [path, methods] of methodsByPath) {
  const allowed = [...methods].join(", ");
  api.on("OPTIONS", path, () => new Response(null, { status: 204, headers: { allow: allowed } }));
  api.all(path, (c) => refuseMethod(c.req.raw, allowed, problemAnswer));
}
api.all("*", (c) => {
  throw new HostingError(
    "not-found",
    `There is no ${c.req.path} in this API. /api/v1/openapi.json lists what there is.`,
  );
});

/** What each path answers, as the Allow header lists it. */
function readMethods(): ReadonlyMap<string, ReadonlySet<string>> {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of api.routes) {
    if (method === "ALL") continue;
    const known = methods.get(path) ?? new Set(["OPTIONS"]);
    known.add(method);
    if (method === "GET") known.add("HEAD");
    methods.set(path, known);
  }
  return methods;
}

/** What hono itself refuses, with our codes: a body that is not JSON, and a content type that a route does not take. */
function readError(error: Error): Error {
  if (!(error instanceof HTTPException)) return error;
  if (error.status === 400) return new HostingError("invalid-request", "The body is not JSON.", { cause: error });
  if (error.status !== 415) return error;
  const message = "This route takes another content type. For JSON: content-type: application/json.";
  return new HostingError("media-type-unsupported", message, { cause: error });
}

/** What clients send where nobody told them a type: nothing, curl's for -d, fetch's for a string. */
const UNNAMED_TYPES = ["application/x-www-form-urlencoded", "text/plain"];

/** A body whose type nobody named is JSON too: this API takes little else. */
function readAsJson(request: Request): Request {
  const type = request.headers.get("content-type")?.split(";", 1)[0] ?? "text/plain";
  if (request.body === null || !UNNAMED_TYPES.includes(type.toLowerCase())) return request;
  const headers = new Headers(request.headers);
  headers.set("content-type", "application/json");
  return new Request(request, { headers });
}
