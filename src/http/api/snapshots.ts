// Copies of production's data, and going back: to a deploy, to a deploy with its data, to a snapshot's data.
import { createRoute, z } from "@hono/zod-openapi";
import type { Supervisor } from "../../app/supervisor.ts";
import { CopyTooSlow } from "../../app/copy-too-slow.ts";
import { HostingError } from "../../errors.ts";
import { rollBack, type RollbackRequest } from "../../push-rollback.ts";
import { appUrl } from "../host-name.ts";
import { Next, pageQuery, slicePage, TextCursor } from "./paging.ts";
import { DEPLOY_CODES, refuses } from "./refusals.ts";
import { AppPath, isoTime, json, jsonBody, makeRouter, needs, noSuchApp, Time } from "./resource.ts";

type Snapshot = Awaited<ReturnType<Supervisor["listSnapshots"]>>[number];

const SnapshotJson = z
  .object({
    id: z.int(),
    deploy: z.int().openapi({ description: "The deploy that ran on the data." }),
    before: z.int().nullable().openapi({ description: "The deploy that it was kept for; null: made by hand." }),
    reason: z.string().openapi({ example: "deploy 12" }),
    takenAt: Time,
    bytes: z.int().nullable(),
  })
  .openapi("Snapshot");

/** One snapshot. */
export type SnapshotAnswer = z.infer<typeof SnapshotJson>;

const DeployReport = z
  .looseObject({ deploy: z.int().openapi({ description: "The number of the deploy that is live now." }) })
  .openapi("DeployReport", { description: "What a push with -o json says: stages, cutover, the line that undoes it." });

const SnapshotPath = AppPath.extend({
  id: z.coerce
    .number()
    .int()
    .min(1)
    .openapi({ param: { name: "id", in: "path" }, type: "integer", example: 3 }),
});

export const snapshots = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps/{app}/snapshots",
  summary: "The copies of production's data that are kept, newest first",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath, query: pageQuery(TextCursor) },
  responses: { 200: json(z.object({ snapshots: z.array(SnapshotJson), next: Next }), "A page of them.") },
});

snapshots.openapi(listRoute, async (c) => {
  const { app } = c.req.valid("param");
  const supervisor = c.env.host.env.SUPERVISOR.getByName(app);
  if ((await supervisor.describe()) === undefined) throw noSuchApp(app);
  const query = { ...c.req.valid("query"), keyOf: ({ id }: Snapshot) => String(id) };
  const { page, next } = slicePage(c, await supervisor.listSnapshots(), query);
  return c.json({ snapshots: page.map(snapshotJson), next }, 200);
});

const takeRoute = createRoute({
  method: "post",
  path: "/apps/{app}/snapshots",
  summary: "Copy production's data as it is now; kept until it is deleted",
  ...needs("push"),
  ...refuses("not-found", "app-not-deployed", "copy-too-slow", "quota-exceeded"),
  request: { params: AppPath },
  responses: { 201: json(SnapshotJson, "The copy.") },
});

snapshots.openapi(takeRoute, async (c) => {
  const { app } = c.req.valid("param");
  const supervisor = c.env.host.env.SUPERVISOR.getByName(app);
  if ((await supervisor.describe()) === undefined) throw noSuchApp(app);
  const taken = await supervisor.takeSnapshot();
  if (taken.kind === "too-slow") throw new CopyTooSlow(taken.sizeBytes);
  if (taken.kind === "not-deployed") {
    throw new HostingError("app-not-deployed", `Nothing of ${app} has been deployed yet.`);
  }
  if (taken.kind === "over") {
    const { usedBytes: used, limitBytes: limit } = taken;
    const text = `The snapshots of ${app} would have ${used} bytes of the ${limit} that they may have. Delete some first.`;
    throw new HostingError("quota-exceeded", text, { facts: { quota: "snapshotBytes", used, limit } });
  }
  return c.json(snapshotJson(taken.snapshot), 201);
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/apps/{app}/snapshots/{id}",
  summary: "Delete a snapshot",
  ...needs("admin"),
  ...refuses("not-found", "snapshot-needed"),
  request: { params: SnapshotPath },
  responses: { 204: { description: "It is gone." } },
});

snapshots.openapi(deleteRoute, async (c) => {
  const { app, id } = c.req.valid("param");
  const outcome = await c.env.host.env.SUPERVISOR.getByName(app).deleteSnapshot(id);
  if (outcome === "not-found") throw new HostingError("not-found", `There is no snapshot ${id} of ${app}.`);
  if (outcome === "needed") {
    throw new HostingError("snapshot-needed", `A deploy that is under way needs snapshot ${id}. Try again after it.`);
  }
  return c.body(null, 204);
});

const restoreRoute = createRoute({
  method: "post",
  path: "/apps/{app}/snapshots/{id}/restore",
  summary: "Deploy what is live again, on a snapshot's data",
  ...needs("push"),
  ...refuses(...DEPLOY_CODES),
  request: { params: SnapshotPath },
  responses: { 200: json(DeployReport, "It is live; the data of before is kept as a snapshot.") },
});

snapshots.openapi(restoreRoute, async (c) => {
  const { app, id } = c.req.valid("param");
  const asked = { kind: "restore", deployNumber: undefined, data: { snapshotId: id } } as const;
  const request = { app, actor: c.get("caller").name, ...addresses(c.req.url, c.env.host.env, app), ...asked };
  return c.json(await rollBack(request, c.env.host), 200);
});

const rollbackRoute = createRoute({
  method: "post",
  path: "/apps/{app}/rollback",
  summary: "Make a kept deploy live again, with its variables, and with its data if asked",
  ...needs("push"),
  ...refuses(...DEPLOY_CODES),
  request: {
    params: AppPath,
    body: jsonBody(
      z
        .object({
          deploy: z.int().min(1).openapi({ example: 12 }),
          data: z.boolean().default(false).openapi({ description: "Bring back the data of when it was last live." }),
        })
        .openapi("Rollback"),
    ),
  },
  responses: { 200: json(DeployReport, "It is live, as a deploy of its own.") },
});

snapshots.openapi(rollbackRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { deploy, data } = c.req.valid("json");
  const asked = { kind: "rollback", deployNumber: deploy, data: data ? "deploy" : "present" } as const;
  const request = { app, actor: c.get("caller").name, ...addresses(c.req.url, c.env.host.env, app), ...asked };
  return c.json(await rollBack(request, c.env.host), 200);
});

const redeployRoute = createRoute({
  method: "post",
  path: "/apps/{app}/redeploy",
  summary: "Deploy what is live once more",
  ...needs("push"),
  ...refuses(...DEPLOY_CODES),
  request: { params: AppPath },
  responses: { 200: json(DeployReport, "It is live, as a deploy of its own.") },
});

snapshots.openapi(redeployRoute, async (c) => {
  const { app } = c.req.valid("param");
  const asked = { kind: "redeploy", deployNumber: undefined, data: "present" } as const;
  const request = { app, actor: c.get("caller").name, ...addresses(c.req.url, c.env.host.env, app), ...asked };
  return c.json(await rollBack(request, c.env.host), 200);
});

function addresses(requestUrl: string, env: Env, app: string): Pick<RollbackRequest, "urlOf" | "apiUrl" | "now"> {
  const url = new URL(requestUrl);
  return { urlOf: (label) => appUrl(url, env.HOST, label), apiUrl: `${url.origin}/api/v1/apps/${app}`, now: Date.now };
}

function snapshotJson(snapshot: Snapshot): z.infer<typeof SnapshotJson> {
  return {
    id: snapshot.id,
    deploy: snapshot.ofDeploy,
    before: snapshot.beforeDeploy ?? null,
    reason: snapshot.reason,
    takenAt: isoTime(snapshot.takenAtMs),
    bytes: snapshot.sizeBytes ?? null,
  };
}
