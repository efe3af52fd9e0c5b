import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { IMPORTS, commitCode, deploy, makeCode, supervisorOf, visitText } from "./deployment.ts";

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

describe("an app's alarm", () => {
  it("is set, read, moved and deleted; a transaction that does not end well leaves it", async () => {
    await deploy("alarm-set", alarmApp());
    expect(await visitText("alarm-set")).toBe("none");
    expect(await visitText("alarm-set", "/set?in=60000")).toBe("60");
    expect(await visitText("alarm-set", "/set-date?in=90000")).toBe("90");
    expect(await visitText("alarm-set", "/twice?in=30000")).toBe("30");
    expect(await visitText("alarm-set", "/rolled-back?in=90000")).toBe("30");
    expect(await visitText("alarm-set", "/thrown?in=90000")).toBe("30");
    expect(await visitText("alarm-set", "/committed?in=90000")).toBe("90");
    expect(await visitText("alarm-set", "/delete")).toBe("none");
    await visitText("alarm-set", "/set");
    expect(await visitText("alarm-set", "/delete-all")).toBe("none");
    expect(await countRows("alarm-set")).toBe(0);
  });

  it("rings at its time, once, and is none while its handler runs", async () => {
    await deploy("alarm-rings", alarmApp());
    await visitText("alarm-rings", "/set?in=20");
    expect(await waitForRings("alarm-rings", 1)).toEqual([[0, false, null]]);
    await expect.poll(() => countRows("alarm-rings")).toBe(0);
    await visitText("alarm-rings", "/set?in=-5000");
    expect(await waitForRings("alarm-rings", 2)).toHaveLength(2);
  });

  it("is tried again after it failed, six times, and then no more", async () => {
    await deploy("alarm-fails", alarmApp(`async alarm(info) { await this.note(info); throw new Error("it failed"); }`));
    await visitText("alarm-fails", "/set?in=1");
    for (let retries = 0; retries <= 6; retries += 1) {
      const rings = await waitForRings("alarm-fails", retries + 1);
      expect(rings.at(-1)).toEqual([retries, retries > 0, null]);
      if (retries === 6) break;
      const wait = 2 ** (retries + 1);
      await expect.poll(() => readWait("alarm-fails")).toBeGreaterThan(wait / 2);
      expect(await readWait("alarm-fails")).toBeLessThanOrEqual(wait);
      await ringNow("alarm-fails");
    }
    await expect.poll(() => countRows("alarm-fails")).toBe(0);
    const lines = await supervisorOf("alarm-fails").readLogs({ limit: 100, kind: "alarm" });
    expect(lines?.at(-1)).toMatchObject({ level: "error", text: expect.stringContaining("failed for the last time") });
  });

  it("may be set anew by its handler, which is no retry even if the handler fails then", async () => {
    await deploy(
      "alarm-again",
      alarmApp(`async alarm(info) {
    await this.note(info);
    if ((await this.ctx.storage.get("rung")).length > 2) return;
    await this.ctx.storage.setAlarm(Date.now() + 10);
    throw new Error("after it was set");
  }`),
    );
    await visitText("alarm-again", "/set?in=1");
    expect(await waitForRings("alarm-again", 3)).toEqual(Array.from({ length: 3 }, () => [0, false, null]));
    await expect.poll(() => countRows("alarm-again")).toBe(0);
  });

  it("survives the supervisor and deploys, and rings in the code that is live then", async () => {
    await deploy("alarm-deploys", alarmApp());
    await visitText("alarm-deploys", "/set?in=60000");
    await evictDurableObject(supervisorOf("alarm-deploys"));
    await deploy(
      "alarm-deploys",
      alarmApp(`async alarm() { await this.ctx.storage.put("rung", ["the second version"]); }`),
    );
    expect(await visitText("alarm-deploys")).toBe("60");
    await evictDurableObject(supervisorOf("alarm-deploys"));
    await ringNow("alarm-deploys");
    expect(await waitForRings("alarm-deploys", 1)).toEqual(["the second version"]);
  });

  it("is lost, and said to be, where the live version has no handler", async () => {
    await deploy("alarm-no-handler", alarmApp());
    await visitText("alarm-no-handler", "/set");
    await deploy("alarm-no-handler", alarmApp("other() {}"));
    await ringNow("alarm-no-handler");
    await expect.poll(() => countRows("alarm-no-handler")).toBe(0);
    const lines = await supervisorOf("alarm-no-handler").readLogs({ limit: 100, kind: "alarm" });
    expect(lines?.at(-1)?.text).toContain("has no alarm()");
  });

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
