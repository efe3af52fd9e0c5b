import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Code } from "../../src/store/code.ts";
import { IMPORTS, commitCode, deploy, makeCode, supervisorOf, visitText, type Deployment } from "./deployment.ts";

/** An app with one path for each thing to do with its alarm; `extra` is more of its class. */
function alarmApp(extra = ""): string {
  return `${IMPORTS}export class App extends DurableObject {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const { storage } = this.ctx;
    const inMs = Date.now() + Number(searchParams.get("in") ?? 60_000);
    if (pathname === "/set") storage.setAlarm(inMs);
    if (pathname === "/set-date") await storage.setAlarm(new Date(inMs));
    if (pathname === "/delete") await storage.deleteAlarm();
    if (pathname === "/delete-all") await storage.deleteAll();
    if (pathname === "/twice") { storage.setAlarm(Date.now() + 5_000); storage.setAlarm(inMs); }
    if (pathname === "/rolled-back") await storage.transaction(async (txn) => { await txn.setAlarm(inMs); txn.rollback(); });
    if (pathname === "/committed") await storage.transaction(async (txn) => { await txn.setAlarm(inMs); });
    if (pathname === "/thrown") try { storage.transactionSync(() => { storage.setAlarm(inMs); throw 1; }); } catch {}
    if (pathname === "/rung") return Response.json(await storage.get("rung") ?? []);
    const at = await storage.getAlarm();
    return new Response(at === null ? "none" : String(Math.round((at - Date.now()) / 10_000) * 10));
  }
  async note(info) {
    const { retryCount, isRetry } = info;
    await this.ctx.storage.put("rung", [...(await this.ctx.storage.get("rung") ?? []), [retryCount, isRetry, await this.ctx.storage.getAlarm()]]);
  }
  ${extra === "" ? "async alarm(info) { await this.note(info); }" : extra}
}
`;
}

const rung = async (app: string): Promise<unknown[]> => JSON.parse(await visitText(app, "/rung"));

/** Waits until the alarm rang so often. */
async function waitForRings(app: string, count: number): Promise<unknown[]> {
  for (;;) {
    const rings = await rung(app);
    if (rings.length >= count) return rings;
    await scheduler.wait(5);
  }
}

/** Makes every alarm of the app due now, and rings. */
async function ringNow(app: string): Promise<void> {
  await runInDurableObject(
    supervisorOf(app),
    (_, { storage }) => storage.sql.exec("UPDATE alarms SET due_ms = 1") && undefined,
  );
  await runDurableObjectAlarm(supervisorOf(app));
}

const countRows = (app: string): Promise<number> =>
  runInDurableObject(supervisorOf(app), (_, { storage }) => storage.sql.exec("SELECT * FROM alarms").toArray().length);

/** Whose class has the alarm: it receives the requests, or a Worker sends them to an object of it. */
const KINDS = [
  ["class", "an app's class"],
  ["worker", "an object of a Worker"],
] as const;

function deployAlarms(
  kind: (typeof KINDS)[number][0],
  app: string,
  source: string,
  overrides: Partial<Code> = {},
): Promise<Deployment> {
  if (kind === "class") return deploy(app, source, overrides);
  const objects = { classes: ["Clock"], bindings: [{ name: "CLOCK", className: "Clock" }] };
  const worker = `${source.replace("export class App", "export class Clock")}
export default { fetch(request, env) { return env.CLOCK.getByName("the clock").fetch(request); } };`;
  return deploy(app, worker, { ...overrides, className: "default", objects });
}

describe.each(KINDS)("the alarm of a %s (%s)", (kind) => {
  it("is set, read, moved and deleted; a transaction that does not end well leaves it", async () => {
    const app = `alarm-set-${kind}`;
    await deployAlarms(kind, app, alarmApp());
    expect(await visitText(app)).toBe("none");
    expect(await visitText(app, "/set?in=60000")).toBe("60");
    expect(await visitText(app, "/set-date?in=90000")).toBe("90");
    expect(await visitText(app, "/twice?in=30000")).toBe("30");
    expect(await visitText(app, "/rolled-back?in=90000")).toBe("30");
    expect(await visitText(app, "/thrown?in=90000")).toBe("30");
    expect(await visitText(app, "/committed?in=90000")).toBe("90");
    expect(await visitText(app, "/delete")).toBe("none");
    await visitText(app, "/set");
    expect(await visitText(app, "/delete-all")).toBe("none");
    expect(await countRows(app)).toBe(0);
  });

  it("outlives deleteAll() before 2026-02-24", async () => {
    const app = `alarm-old-${kind}`;
    await deployAlarms(kind, app, alarmApp(), { compatibilityDate: "2026-02-23" });
    await visitText(app, "/set?in=60000");
    expect(await visitText(app, "/delete-all")).toBe("60");
    expect(await visitText(app, "/delete")).toBe("none");
  });

  it("that is deleted by its handler is not tried again", async () => {
    const app = `alarm-deletes-${kind}`;
    await deployAlarms(
      kind,
      app,
      alarmApp(`async alarm(info) {
    await this.note(info);
    await this.ctx.storage.deleteAlarm();
    throw new Error("after it was deleted");
  }`),
    );
    await visitText(app, "/set?in=1");
    expect(await waitForRings(app, 1)).toEqual([[0, false, null]]);
    await expect.poll(() => countRows(app)).toBe(0);
  });

  it("rings at its time, once, and is none while its handler runs", async () => {
    const app = `alarm-rings-${kind}`;
    await deployAlarms(kind, app, alarmApp());
    await visitText(app, "/set?in=20");
    expect(await waitForRings(app, 1)).toEqual([[0, false, null]]);
    await expect.poll(() => countRows(app)).toBe(0);
    await visitText(app, "/set?in=-5000");
    expect(await waitForRings(app, 2)).toHaveLength(2);
  });

  it("is tried again after it failed, six times, and then no more", async () => {
    const app = `alarm-fails-${kind}`;
    await deployAlarms(
      kind,
      app,
      alarmApp(`async alarm(info) { await this.note(info); throw new Error("it failed"); }`),
    );
    await visitText(app, "/set?in=1");
    for (let retries = 0; retries <= 6; retries += 1) {
      const rings = await waitForRings(app, retries + 1);
      expect(rings.at(-1)).toEqual([retries, retries > 0, null]);
      if (retries === 6) break;
      const wait = 2 ** (retries + 1);
      await expect.poll(() => readWait(app)).toBeGreaterThan(wait / 2);
      expect(await readWait(app)).toBeLessThanOrEqual(wait);
      await ringNow(app);
    }
    await expect.poll(() => countRows(app)).toBe(0);
    const lines = await supervisorOf(app).readLogs({ limit: 100, kind: "alarm" });
    expect(lines?.at(-1)).toMatchObject({ level: "error", text: expect.stringContaining("failed for the last time") });
  });

  it("may be set anew by its handler, which is no retry even if the handler fails then", async () => {
    const app = `alarm-again-${kind}`;
    await deployAlarms(
      kind,
      app,
      alarmApp(`async alarm(info) {
    await this.note(info);
    if ((await this.ctx.storage.get("rung")).length > 2) return;
    await this.ctx.storage.setAlarm(Date.now() + 10);
    throw new Error("after it was set");
  }`),
    );
    await visitText(app, "/set?in=1");
    expect(await waitForRings(app, 3)).toEqual(Array.from({ length: 3 }, () => [0, false, null]));
    await expect.poll(() => countRows(app)).toBe(0);
  });

  it("survives the supervisor and deploys, and rings in the code that is live then", async () => {
    const app = `alarm-deploys-${kind}`;
    await deployAlarms(kind, app, alarmApp());
    await visitText(app, "/set?in=60000");
    await evictDurableObject(supervisorOf(app));
    await deployAlarms(
      kind,
      app,
      alarmApp(`async alarm() { await this.ctx.storage.put("rung", ["the second version"]); }`),
    );
    expect(await visitText(app)).toBe("60");
    await evictDurableObject(supervisorOf(app));
    await ringNow(app);
    expect(await waitForRings(app, 1)).toEqual(["the second version"]);
  });

  it("is lost, and said to be, where the live version has no handler", async () => {
    const app = `alarm-no-handler-${kind}`;
    await deployAlarms(kind, app, alarmApp());
    await visitText(app, "/set");
    await deployAlarms(kind, app, alarmApp("other() {}"));
    await ringNow(app);
    await expect.poll(() => countRows(app)).toBe(0);
    const lines = await supervisorOf(app).readLogs({ limit: 100, kind: "alarm" });
    expect(lines?.at(-1)?.text).toContain("has no alarm()");
  });
});

describe("an app's alarm", () => {
  it("is not set by a rehearsal, nor by a version that does not start", async () => {
    const setsInConstructor = (then: string): string =>
      alarmApp(`constructor(ctx, env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => { if (env.SLIPWAY.deploy !== 1) await ctx.storage.setAlarm(Date.now() + 90_000); ${then} });
  }
  alarm() {}`);
    await deploy("alarm-starts", alarmApp());
    await visitText("alarm-starts", "/set?in=30000");
    await supervisorOf("alarm-starts").rehearse({ code: makeCode(setsInConstructor("")), varsJson: "{}" });
    expect(await visitText("alarm-starts")).toBe("30");
    const fails = await commitCode(
      "alarm-starts",
      makeCode(setsInConstructor("if (env.SLIPWAY.deploy) throw new Error('no start');")),
    );
    expect(await supervisorOf("alarm-starts").cutOver(fails.deploy?.number ?? 0)).toMatchObject({ kind: "reverted" });
    expect(await visitText("alarm-starts")).toBe("30");
    await deploy("alarm-starts", setsInConstructor(""));
    expect(await visitText("alarm-starts")).toBe("90");
  });

  it("is each named object's own, and calls it by its name", async () => {
    const source = `${IMPORTS}export class Room extends DurableObject {
  async set(inMs) { await this.ctx.storage.setAlarm(Date.now() + inMs); }
  alarm() { return this.ctx.storage.put("rung", this.ctx.id.name); }
  async rung() { return [await this.ctx.storage.get("rung") ?? null, await this.ctx.storage.getAlarm() !== null]; }
}
export default { async fetch(request, env) {
  const room = env.ROOM.getByName(new URL(request.url).pathname.slice(1));
  const inMs = new URL(request.url).searchParams.get("in");
  if (inMs !== null) await room.set(Number(inMs));
  return Response.json(await room.rung());
} };`;
    const objects = { classes: ["Room"], bindings: [{ name: "ROOM", className: "Room" }] };
    await deploy("alarm-objects", source, { className: "default", objects });
    expect(await visitText("alarm-objects", "/a?in=60000")).toBe("[null,true]");
    expect(await visitText("alarm-objects", "/b?in=90000")).toBe("[null,true]");
    await evictDurableObject(supervisorOf("alarm-objects"));
    await runInDurableObject(supervisorOf("alarm-objects"), (_, { storage }) => {
      storage.sql.exec("UPDATE alarms SET due_ms = 1 WHERE at_ms = (SELECT min(at_ms) FROM alarms)");
    });
    await runDurableObjectAlarm(supervisorOf("alarm-objects"));
    await expect.poll(() => visitText("alarm-objects", "/a")).toBe('["a",false]');
    expect(await visitText("alarm-objects", "/b")).toBe("[null,true]");
  });

  it("is kept while its app is deleted, does not ring then, and rings once when it comes back", async () => {
    const app = "alarm-undeleted";
    await deploy(app, alarmApp());
    await visitText(app, "/set?in=60000");
    await supervisorOf(app).deleteUntil(Date.now() + 60_000);
    await ringNow(app);
    await evictDurableObject(supervisorOf(app));
    await ringNow(app);
    expect(await countRows(app)).toBe(1);
    expect(await supervisorOf(app).undelete()).toBe(true);
    expect(await waitForRings(app, 1)).toEqual([[0, false, null]]);
    await expect.poll(() => countRows(app)).toBe(0);
    await ringNow(app);
    expect(await rung(app)).toHaveLength(1);
  });

  it("is counted with the time that it took", async () => {
    const app = "alarm-usage";
    await deploy(app, alarmApp("alarm() { return scheduler.wait(30); }"));
    await visitText(app, "/set");
    const readWallMs = async (): Promise<number> => (await supervisorOf(app).readUsage(1))?.rows[0]?.wallMs ?? -1;
    const before = await readWallMs();
    await ringNow(app);
    const readLines = () => supervisorOf(app).readLogs({ limit: 1, kind: "alarm" });
    await expect.poll(readLines).toHaveLength(1);
    const tookMs = Number(/ran, (\d+) ms$/.exec((await readLines())?.[0]?.text ?? "")?.[1]);
    expect(tookMs).toBeGreaterThanOrEqual(30);
    expect((await readWallMs()) - before).toBe(tookMs);
  });

  it("that rings is waited for by a deploy", async () => {
    await deploy(
      "alarm-drain",
      alarmApp(`async alarm(info) {
    await this.ctx.storage.put("rung", ["began"]);
    await scheduler.wait(200);
    await this.ctx.storage.put("rung", ["ended"]);
  }`),
    );
    await visitText("alarm-drain", "/set?in=1");
    await expect.poll(() => rung("alarm-drain"), { interval: 5 }).toEqual(["began"]);
    const { cutover } = await deploy("alarm-drain", alarmApp());
    expect(cutover).toMatchObject({ kind: "live", drainedCount: 1, droppedCount: 0 });
    expect(await rung("alarm-drain")).toEqual(["ended"]);
  });
});

/** Seconds until the alarm rings again; 0: it does not. */
function readWait(app: string): Promise<number> {
  return runInDurableObject(supervisorOf(app), (_, { storage }) => {
    const [row] = storage.sql.exec<{ due_ms: number; attempts: number }>("SELECT * FROM alarms").toArray();
    return row === undefined || row.attempts === 0 ? 0 : (row.due_ms - Date.now()) / 1000;
  });
}
