import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import { isMigrated } from "../../src/store/schema.ts";
import { appSource, command, deploy, makeCode, MAIN, supervisorOf, testId, visit, visitText } from "./deployment.ts";
import { ZERO_ID } from "../../src/git/object-id.ts";

const COUNTER = appSource(`    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return new Response(String(count));`);

async function directoryNames(): Promise<string[]> {
  return (await env.DIRECTORY.getByName("directory").list({ limit: 1000 })).map((entry) => entry.name);
}

function hasTables(app: string): Promise<boolean> {
  return runInDurableObject(supervisorOf(app), (_, state) => isMigrated(openDatabase(state.storage)));
}

/** Runs every task of the app's alarm, however long it would have waited. */
async function runTasksNow(app: string): Promise<void> {
  await runInDurableObject(supervisorOf(app), (_, state) => {
    state.storage.sql.exec("UPDATE due SET at_ms = 1");
  });
  await runDurableObjectAlarm(supervisorOf(app));
}

describe("createRepository", () => {
  it("makes a repository once and keeps its first settings", async () => {
    const supervisor = supervisorOf("created");
    const first = await supervisor.createRepository({ deploy: false });
    expect(first).toMatchObject({ kind: "created", state: { settings: { deploy: false }, refs: [], packs: [] } });
    const second = await supervisor.createRepository({ deploy: true });
    expect(second).toEqual({ kind: "exists", state: first.state });
    expect(await directoryNames()).toContain("created");
  });

  it("takes over what a push that was never committed reserved", async () => {
    const supervisor = supervisorOf("taken-over");
    const reserved = await supervisor.openForPush();
    expect(await supervisor.readRepository()).toBeUndefined();
    expect((await supervisor.createRepository({ deploy: true })).state.repositoryId).toBe(reserved.repositoryId);
  });
});

describe("changeSettings", () => {
  it("changes an app that exists, and no other", async () => {
    const supervisor = supervisorOf("settings");
    expect(await supervisor.changeSettings({ deploy: false })).toBeUndefined();
    await supervisor.createRepository({ deploy: true });
    expect(await supervisor.changeSettings({ deploy: false })).toMatchObject({ settings: { deploy: false } });
    expect((await supervisor.describe())?.settings).toMatchObject({ deploy: false, denyNonFastForwards: false });
    expect(await supervisor.changeSettings({ denyNonFastForwards: true })).toMatchObject({
      settings: { deploy: false, denyNonFastForwards: true },
    });
  });
});

describe("a name that nothing was pushed to", () => {
  it("leaves nothing behind, whatever is asked of it", async () => {
    const supervisor = supervisorOf("untouched");
    await visit("untouched");
    expect(await supervisor.readRepository()).toBeUndefined();
    expect(await supervisor.describe()).toBeUndefined();
    expect(await supervisor.findBuild("key")).toBeUndefined();
    expect(await supervisor.listHistory({ limit: 5 })).toEqual([]);
    await supervisor.destroy();
    expect(await hasTables("untouched")).toBe(false);
  });

  it("is given up an hour after a push to it that came to nothing", async () => {
    const supervisor = supervisorOf("given-up");
    const { repositoryId } = await supervisor.openForPush();
    await env.BUCKET.put(`repositories/${repositoryId}/pack-x.pack`, "bytes");
    await runTasksNow("given-up");
    expect(await hasTables("given-up")).toBe(true);
    await runInDurableObject(supervisor, (_, state) => {
      state.storage.sql.exec("UPDATE repository SET reserved_at_ms = 0");
    });
    await runTasksNow("given-up");
    expect(await hasTables("given-up")).toBe(false);
    expect((await env.BUCKET.list({ prefix: `repositories/${repositoryId}/` })).objects).toEqual([]);
  });
});

describe("the app's entry in the directory", () => {
  it("is made by the alarm if it could not be made at once", async () => {
    await supervisorOf("unlisted").createRepository({ deploy: true });
    await env.DIRECTORY.getByName("directory").remove("unlisted");
    await runInDurableObject(supervisorOf("unlisted"), (_, state) => {
      state.storage.sql.exec("INSERT INTO due (task, at_ms, attempts) VALUES ('register', 0, 0)");
      return state.storage.setAlarm(Date.now() + 60_000);
    });
    await runTasksNow("unlisted");
    expect(await directoryNames()).toContain("unlisted");
  });
});

describe("code that no deploy names", () => {
  it("is pruned when it was not used for an hour, and not before", async () => {
    const app = "pruned";
    await deploy(app, COUNTER);
    const unused = makeCode(appSource(`    return new Response("never deployed");`));
    await supervisorOf(app).rehearse({ code: unused, varsJson: "{}" });
    const countCode = () =>
      runInDurableObject(
        supervisorOf(app),
        (_, state) => state.storage.sql.exec("SELECT * FROM code").toArray().length,
      );
    await runTasksNow(app);
    expect(await countCode()).toBe(2);
    await runInDurableObject(supervisorOf(app), (_, state) => {
      state.storage.sql.exec("UPDATE code SET used_at_ms = 0");
    });
    await runTasksNow(app);
    expect(await countCode()).toBe(1);
    expect(await visitText(app)).toBe("1");
  });
});

describe("destroy", () => {
  it("takes data, packs and name away, and the name begins anew", async () => {
    const app = "destroyed";
    const supervisor = supervisorOf(app);
    await deploy(app, COUNTER);
    expect(await visitText(app)).toBe("1");
    const { repositoryId } = await supervisor.openForPush();
    const keys = Array.from({ length: 5 }, (_, at) => `repositories/${repositoryId}/pack-${at}.pack`);
    await Promise.all(keys.map((key) => env.BUCKET.put(key, "bytes")));
    await env.BUCKET.put("repositories/another/pack-1.pack", "bytes");
    await Promise.all([supervisor.destroy(), supervisor.destroy()]);
    expect((await visit(app)).headers.get("slipway-error")).toBe("app-not-found");
    expect(await supervisor.readRepository()).toBeUndefined();
    expect(await hasTables(app)).toBe(false);
    expect((await env.BUCKET.list({ prefix: "repositories/" })).objects.map((object) => object.key)).toEqual([
      "repositories/another/pack-1.pack",
    ]);
    expect(await directoryNames()).not.toContain(app);

    await deploy(app, COUNTER);
    expect(await visitText(app)).toBe("1");
    expect((await supervisor.openForPush()).repositoryId).not.toBe(repositoryId);
  });

  it("is gone on with by the alarm after a crash, and the app does not exist meanwhile", async () => {
    const app = "half-destroyed";
    await deploy(app, COUNTER);
    await runInDurableObject(supervisorOf(app), (_, state) => {
      state.storage.sql.exec("UPDATE repository SET is_deleting = 1");
      state.storage.sql.exec("INSERT INTO due (task, at_ms, attempts) VALUES ('delete', 0, 0)");
    });
    await evictDurableObject(supervisorOf(app));
    expect(await supervisorOf(app).readRepository()).toBeUndefined();
    expect((await visit(app)).headers.get("slipway-error")).toBe("app-not-found");
    await runTasksNow(app);
    expect(await hasTables(app)).toBe(false);
    expect(await directoryNames()).not.toContain(app);
  });

  it("is seen to its end by the next push", async () => {
    const app = "pushed-again";
    await deploy(app, COUNTER);
    await runInDurableObject(supervisorOf(app), (_, state) => {
      state.storage.sql.exec("UPDATE repository SET is_deleting = 1");
    });
    await evictDurableObject(supervisorOf(app));
    const { repositoryId } = await supervisorOf(app).openForPush();
    const commands = [command(MAIN, ZERO_ID, testId(1))];
    const outcome = await supervisorOf(app).commit({
      repositoryId,
      commands,
      atomic: false,
      checkedPackIds: [],
      nowMs: 1,
    });
    expect(outcome.results).toEqual([{ name: MAIN, kind: "ok" }]);
    expect((await visit(app)).headers.get("slipway-error")).toBe("app-not-deployed");
  });
});
