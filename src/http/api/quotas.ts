// Caps of an app. Whoever runs the host sets them; whoever has the app sees them.
import { createRoute, z } from "@hono/zod-openapi";
import { QUOTAS, type Quotas } from "../../app/quota-table.ts";
import { refuses } from "./refusals.ts";
import { AppPath, json, jsonBody, makeRouter, needs, noSuchApp } from "./resource.ts";

function cap(name: keyof Quotas) {
  const { meaning, value } = QUOTAS[name];
  return z.number().min(0).max(Number.MAX_SAFE_INTEGER).openapi({ description: meaning, example: value });
}

export const QuotasJson = z
  .object({
    requestsPerMinute: cap("requestsPerMinute"),
    cpuMsPerRequest: cap("cpuMsPerRequest"),
    egressRequestsPerMinute: cap("egressRequestsPerMinute"),
    logLinesPerSecond: cap("logLinesPerSecond"),
    repositoryBytes: cap("repositoryBytes"),
    assetBytes: cap("assetBytes"),
    objects: cap("objects"),
    databaseBytes: cap("databaseBytes"),
    snapshotBytes: cap("snapshotBytes"),
  })
  .openapi("Quotas");

/** The caps of an app. */
export type QuotasAnswer = z.infer<typeof QuotasJson>;

const ChangeJson = z
  .object({
    requestsPerMinute: cap("requestsPerMinute").nullable(),
    cpuMsPerRequest: cap("cpuMsPerRequest").nullable(),
    egressRequestsPerMinute: cap("egressRequestsPerMinute").nullable(),
    logLinesPerSecond: cap("logLinesPerSecond").nullable(),
    repositoryBytes: cap("repositoryBytes").nullable(),
    assetBytes: cap("assetBytes").nullable(),
    objects: cap("objects").nullable(),
    databaseBytes: cap("databaseBytes").nullable(),
    snapshotBytes: cap("snapshotBytes").nullable(),
  })
  .partial()
  .openapi("QuotasChange");

export const quotas = makeRouter();

const getRoute = createRoute({
  method: "get",
  path: "/apps/{app}/quotas",
  summary: "What the app may take",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath },
  responses: { 200: json(QuotasJson, "The caps.") },
});

quotas.openapi(getRoute, async (c) => {
  const { app } = c.req.valid("param");
  const caps = await c.env.host.env.SUPERVISOR.getByName(app).readQuotas();
  if (caps === undefined) throw noSuchApp(app);
  return c.json(caps, 200);
});

const patchRoute = createRoute({
  method: "patch",
  path: "/apps/{app}/quotas",
  summary: "Change caps of the app; null goes back to the host's own",
  description:
    "Only whoever runs the host may. The host's own caps are in its QUOTAS variable, a table of the same names.",
  ...needs("host"),
  ...refuses("not-found"),
  request: { params: AppPath, body: jsonBody(ChangeJson) },
  responses: { 200: json(QuotasJson, "The caps as they are now.") },
});

quotas.openapi(patchRoute, async (c) => {
  const { app } = c.req.valid("param");
  const caps = await c.env.host.env.SUPERVISOR.getByName(app).changeQuotas(c.req.valid("json"));
  if (caps === undefined) throw noSuchApp(app);
  return c.json(caps, 200);
});
