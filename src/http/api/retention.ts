// How much of an app's past is kept.
import { createRoute, z } from "@hono/zod-openapi";
import { refuses } from "./refusals.ts";
import { AppPath, givenLimits, json, jsonBody, makeRouter, needs, noSuchApp } from "./resource.ts";

const bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

export const RetentionJson = z
  .object({
    keptDeploys: z.int().min(1).max(100_000).openapi({
      description: "Attempts to deploy. What is live, or has its data kept, stays beside them.",
    }),
    keptSnapshots: z.int().min(1).max(1000).openapi({ description: "Snapshots that deploys made." }),
    keptSnapshotBytes: bytes.openapi({ description: "What they may come to; the newest stays whatever its size." }),
    rehearsedBytes: bytes.openapi({ description: "Larger data is not copied for a rehearsal." }),
  })
  .openapi("Retention");

export const retention = makeRouter();

const getRoute = createRoute({
  method: "get",
  path: "/apps/{app}/retention",
  summary: "How many deploys and snapshots are kept",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath },
  responses: { 200: json(RetentionJson, "The limits.") },
});

retention.openapi(getRoute, async (c) => {
  const { app } = c.req.valid("param");
  const limits = await c.env.host.env.SUPERVISOR.getByName(app).changeRetention({});
  if (limits === undefined) throw noSuchApp(app);
  return c.json(limits, 200);
});

const patchRoute = createRoute({
  method: "patch",
  path: "/apps/{app}/retention",
  summary: "Change the limits, from the next deploy on; what is not given stays as it is",
  ...needs("admin"),
  ...refuses("not-found"),
  request: { params: AppPath, body: jsonBody(RetentionJson.partial().openapi("RetentionChange")) },
  responses: { 200: json(RetentionJson, "The limits as they are now.") },
});

retention.openapi(patchRoute, async (c) => {
  const { app } = c.req.valid("param");
  const change = givenLimits(c.req.valid("json"));
  const limits = await c.env.host.env.SUPERVISOR.getByName(app).changeRetention(change);
  if (limits === undefined) throw noSuchApp(app);
  return c.json(limits, 200);
});
