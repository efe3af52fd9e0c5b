// The quota databaseBytes: what goes on at it, what stops far beyond it, and the ways back.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { appSource, deploy, IMPORTS, supervisorOf, takeSnapshot, visit } from "./deployment.ts";

/** Adds megabytes with POST and with GET alike, as many as the query says; DELETE empties it. */
const FILLED = (constructed = ""): string => `${IMPORTS}export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS filling (bytes BLOB)");
    ${constructed}
  }
  async fetch(request) {
    const { sql } = this.ctx.storage;
    if (request.method === "DELETE") sql.exec("DELETE FROM filling");
    const { searchParams } = new URL(request.url);
    if (searchParams.has("alarm")) await this.ctx.storage.setAlarm(Date.now() + 60_000);
    for (let at = 0; at < Number(searchParams.get("mb")); at += 1) sql.exec("INSERT INTO filling VALUES (randomblob(1000000))");
    return new Response("served");
  }
  alarm() { this.ctx.storage.sql.exec("INSERT INTO filling VALUES ('rung')"); }
}
`;

const DELETES = `if (env.SLIPWAY.deploy !== undefined) ctx.storage.sql.exec("DELETE FROM filling");`;

async function deployFilled(app: string): Promise<void> {
  await deploy(app, FILLED());
  await supervisorOf(app).changeQuotas({ databaseBytes: 2_900_000 });
}

/** The body is read, since a request that is not at its end keeps a supervisor from being evicted. */
async function statusOf(app: string, path = "/", init: RequestInit = {}): Promise<number> {
  const response = await visit(app, path, init);
  await response.text();
  return response.status;
}

/** Waits until a request is answered so. The app is measured a second or so after it did something. */
async function expectStatus(app: string, method: string, status: number): Promise<void> {
  await expect.poll(() => statusOf(app, "/", { method }), { timeout: 15_000 }).toBe(status);
}

const storedBytes = async (app: string): Promise<number> =>
  (await supervisorOf(app).readUsage(1))?.storedBytes.data ?? -1;

describe("the quota databaseBytes", () => {
  it("refuses what may add, lets be read and deleted, and takes in again once there is room", async () => {
    const app = "stored-full";
    await deployFilled(app);
    expect(await statusOf(app, "/?mb=2", { method: "POST" })).toBe(200);
    await expect.poll(() => storedBytes(app), { timeout: 15_000 }).toBeGreaterThan(2_000_000);
    await statusOf(app, "/?mb=1", { method: "POST" });
    await expectStatus(app, "POST", 507);
    expect(await storedBytes(app)).toBeGreaterThan(2_900_000);
    const refused = await visit(app, "/", { method: "PUT" });
    expect([refused.status, refused.headers.get("slipway-error")]).toEqual([507, "storage-full"]);
    expect(await statusOf(app, "/", { headers: { upgrade: "websocket" } })).toBe(507);
    expect(await statusOf(app)).toBe(200);
    const lines = await supervisorOf(app).readLogs({ limit: 10, kind: "host" });
    expect(lines?.at(-1)?.text).toMatch(/of the 2900000 that it may have/);
    expect(await statusOf(app, "/", { method: "DELETE" })).toBe(200);
    await expectStatus(app, "POST", 200);
  });

  it("stops an app that goes on growing, alarms and a new instance of the supervisor included, until a deploy deletes", async () => {
    const app = "stored-stopped";
    await deployFilled(app);
    await statusOf(app, "/?alarm&mb=4");
    await expectStatus(app, "GET", 507);
    await evictDurableObject(supervisorOf(app));
    expect(await statusOf(app)).toBe(507);
    await runInDurableObject(supervisorOf(app), (_, { storage }) => {
      storage.sql.exec("UPDATE alarms SET due_ms = 1");
    });
    await runDurableObjectAlarm(supervisorOf(app));
    await expect.poll(() => alarmDueMs(app)).toBeGreaterThan(1);
    const { cutover } = await deploy(app, FILLED(DELETES));
    expect(cutover.kind).toBe("live");
    expect((await supervisorOf(app).measureStored("app")).usedBytes).toBeLessThan(100_000);
    expect(await statusOf(app, "/", { method: "POST" })).toBe(200);
  });

  it("stops a deploy that does not delete once more, and goes back where SQL deletes or the cap is raised", async () => {
    const app = "stored-sql";
    await deployFilled(app);
    await statusOf(app, "/?mb=4");
    await expectStatus(app, "GET", 507);
    await deploy(app, FILLED("// no help"));
    await expectStatus(app, "GET", 507);
    const answer = await supervisorOf(app).runSql(
      { environment: "production" },
      { sql: "DELETE FROM filling", params: [], maxRows: 1, mayWrite: true },
    );
    expect(answer.kind).toBe("answered");
    expect(await statusOf(app)).toBe(200);
    await statusOf(app, "/?mb=4");
    await expectStatus(app, "GET", 507);
    await supervisorOf(app).changeQuotas({ databaseBytes: null });
    expect(await statusOf(app, "/", { method: "POST" })).toBe(200);
  });

  it("is each environment's own", async () => {
    const app = "stored-shown";
    await deployFilled(app);
    const visitShown = async (query = ""): Promise<number> =>
      (await supervisorOf(app).fetch(`http://v1--${app}.localhost/${query}`)).status;
    expect(await visitShown("?mb=4")).toBe(200);
    await expect.poll(() => visitShown(), { timeout: 15_000 }).toBe(507);
    expect(await statusOf(app, "/", { method: "POST" })).toBe(200);
    const used = await supervisorOf(app).readUsage(1);
    expect(used?.storedBytes.previews).toBeGreaterThan(4_000_000);
    expect(used?.storedBytes.data).toBeLessThan(100_000);
  });

  it("counts named objects together, and what is deleted no more", async () => {
    const app = "stored-objects";
    const source = `${IMPORTS}export class Room extends DurableObject {
  async fill() { this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS f (v)"); for (let at = 0; at < 2; at += 1) this.ctx.storage.sql.exec("INSERT INTO f VALUES (randomblob(1000000))"); }
}
export default { async fetch(request, env) {
  const name = new URL(request.url).pathname.slice(1);
  if (name !== "") await env.ROOM.getByName(name).fill();
  return new Response("served");
} };`;
    const objects = { classes: ["Room"], bindings: [{ name: "ROOM", className: "Room" }] };
    await deploy(app, source, { className: "default", objects });
    await supervisorOf(app).changeQuotas({ databaseBytes: 5_900_000 });
    for (const name of ["a", "b", "c"]) await statusOf(app, `/${name}`);
    await expectStatus(app, "POST", 507);
    expect(await statusOf(app)).toBe(200);
    const used = (await supervisorOf(app).readUsage(1))?.storedBytes;
    expect(used?.objects).toBeGreaterThan(5_900_000);
    expect(used?.data).toBeLessThan(100_000);
    expect(used?.previews).toBe(0);
    const [object] = (await supervisorOf(app).listObjects({ facet: "app", limit: 1 }))?.objects ?? [];
    if (object === undefined) throw new Error("There is no object.");
    await supervisorOf(app).deleteObject(object);
    expect(await statusOf(app, "/", { method: "POST" })).toBe(200);
  });
});

function alarmDueMs(app: string): Promise<number> {
  return runInDurableObject(
    supervisorOf(app),
    (_, { storage }) => storage.sql.exec<{ due_ms: number }>("SELECT due_ms FROM alarms").one().due_ms,
  );
}

/** Adds a megabyte with each request. */
const GROWING = (name: string): string =>
  appSource(`    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS f (v)");
    this.ctx.storage.sql.exec("INSERT INTO f VALUES (randomblob(1000000))");
    return new Response("${name}");`);

describe("the quota snapshotBytes", () => {
  it("refuses a snapshot by hand, and takes those of deploys away earlier, but for the newest", async () => {
    const app = "stored-snapshots";
    await deploy(app, GROWING("a"));
    await visit(app);
    expect(await takeSnapshot(app)).toMatchObject({ id: 1 });
    await deploy(app, GROWING("b"));
    await deploy(app, GROWING("c"));
    expect((await supervisorOf(app).tidySnapshots(3)).removed).toEqual([]);
    await supervisorOf(app).changeQuotas({ snapshotBytes: 2_500_000 });
    const refused = await supervisorOf(app).takeSnapshot();
    expect(refused).toMatchObject({ kind: "over", limitBytes: 2_500_000 });
    expect((await supervisorOf(app).tidySnapshots(3)).removed).toMatchObject([{ id: 2 }]);
    await supervisorOf(app).deleteSnapshot(1);
    expect(await takeSnapshot(app)).toMatchObject({ reason: "manual" });
  });
});
