// What an app used, by day, environment and deploy, and what is stored for it.
import { createRoute, z } from "@hono/zod-openapi";
import { refuses } from "./refusals.ts";
import { AppPath, json, makeRouter, needs, noSuchApp } from "./resource.ts";

const MAX_DAYS = 400;

const UsageRowJson = z
  .object({
    day: z.string().openapi({ example: "2026-01-01", description: "In UTC." }),
    environment: z.string().openapi({ description: '"app" is production.' }),
    deploy: z.int(),
    requests: z.int(),
    errors: z.int().openapi({ description: "Requests that were answered 5xx, by the app or for it." }),
    cpuMs: z.number().openapi({ description: "0 on a local host, which does not measure it." }),
    wallMs: z.number().openapi({
      description:
        "Time until requests were answered, and alarms and cron runs had ended, as the host measures it. Bodies that stream on are not in it.",
    }),
    egressRequests: z.int(),
    egressSentBytes: z.int(),
    egressReceivedBytes: z.int(),
    logLines: z.int(),
    droppedLogLines: z.int(),
    deploys: z.int().openapi({
      description:
        "1 on the day on which the deploy was committed, also if it did not start: their sum is how many there were.",
    }),
  })
  .openapi("UsageRow");

const UsageJson = z
  .object({
    usage: z.array(UsageRowJson),
    storedBytes: z.object({
      repository: z.int(),
      snapshots: z.int(),
      assets: z.int().openapi({ description: "Static assets of what is live." }),
      data: z.int().openapi({ description: "The app's own in production, as last measured." }),
      objects: z.int().openapi({ description: "That of production's named objects." }),
      previews: z.int().openapi({ description: "Data of all other environments, their objects included." }),
    }),
    objects: z.int().openapi({ description: "Named objects of production." }),
  })
  .openapi("Usage");

/** What an app used, and what is stored for it. */
export type UsageAnswer = z.infer<typeof UsageJson>;

/** What one day, environment and deploy used. */
export type UsageRowAnswer = z.infer<typeof UsageRowJson>;

export const usage = makeRouter();

const getRoute = createRoute({
  method: "get",
  path: "/apps/{app}/usage",
  summary: "What the app used, by day, environment and deploy",
  ...needs("read"),
  ...refuses("not-found"),
  request: {
    params: AppPath,
    query: z.object({
      days: z.coerce
        .number()
        .int()
        .min(1)
        .max(MAX_DAYS)
        .default(30)
        .openapi({ description: "So many days, today included.", example: 30 }),
    }),
  },
  responses: {
    200: json(UsageJson, "Oldest first."),
  },
});

usage.openapi(getRoute, async (c) => {
  const { app } = c.req.valid("param");
  const used = await c.env.host.env.SUPERVISOR.getByName(app).readUsage(c.req.valid("query").days);
  if (used === undefined) throw noSuchApp(app);
  const rows = used.rows.map(({ facet, deployNumber, ...row }) => ({
    ...row,
    environment: facet,
    deploy: deployNumber,
  }));
  return c.json({ usage: rows, storedBytes: used.storedBytes, objects: used.objectCount }, 200);
});
