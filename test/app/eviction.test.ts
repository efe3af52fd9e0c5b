/// <reference types="@cloudflare/vitest-pool-workers/types" />
// What a supervisor that was put away and started anew still knows: everything that a visitor sees comes from its rows.
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import {
  appSource,
  commitCode,
  deploy,
  IMPORTS,
  makeCode,
  restart,
  supervisorOf,
  visit,
  visitText,
} from "./deployment.ts";

const COUNT = (version: string): string =>
  appSource(`    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return new Response("${version} " + count);`);

describe("a supervisor that was evicted", () => {
  it("goes on with data and live version, again and again", async () => {
    await deploy("evicted", COUNT("one"));
    for (let turn = 1; turn <= 3; turn += 1) {
      expect(await visitText("evicted")).toBe(`one ${turn}`);
      await evictDurableObject(supervisorOf("evicted"));
    }
    await deploy("evicted", COUNT("two"));
    expect(await visitText("evicted")).toBe("two 4");
  });

  it("brings every request that comes at once to the version that was committed meanwhile", async () => {
    await deploy("evicted-held", COUNT("one"));
    const commit = await commitCode("evicted-held", makeCode(COUNT("two")));
    await evictDurableObject(supervisorOf("evicted-held"));
    const texts = await Promise.all(Array.from({ length: 8 }, () => visitText("evicted-held")));
    expect(texts.toSorted()).toEqual(Array.from({ length: 8 }, (_, at) => `two ${at + 1}`));
    expect(await supervisorOf("evicted-held").cutOver(commit.deploy?.number ?? 0)).toMatchObject({ kind: "live" });
  });
});

/** Does not start for as long as it was told to in its own data; each start that fails is in its log. */
const MOODY = `${IMPORTS}export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS broken (until)");
    const [row] = ctx.storage.sql.exec("SELECT until FROM broken").toArray();
    if (Date.now() < (row?.until ?? 0)) throw new Error("not now");
  }
  fetch(request) {
    const ms = new URL(request.url).searchParams.get("break");
    if (ms !== null) this.ctx.storage.sql.exec("INSERT INTO broken VALUES (?)", Date.now() + Number(ms));
    return new Response("fine");
  }
}
`;

async function countFailures(app: string): Promise<number> {
  const lines = (await supervisorOf(app).readLogs({ limit: 1000 })) ?? [];
  return lines.filter(({ kind, text }) => kind === "exception" && text.startsWith("Error: not now")).length;
}

describe("a live version that does not start after a restart", () => {
  it("is tried again until it does, and not by every request", async () => {
    const app = "evicted-moody";
    await deploy(app, MOODY);
    expect(await visitText(app, "/?break=4000")).toBe("fine");
    await restart(app);
    const failures: (string | null)[] = [];
    for (let at = 0; at < 40; at += 1) failures.push((await visit(app)).headers.get("slipway-error"));
    expect(new Set(failures)).toEqual(new Set(["app-failed"]));
    await expect.poll(() => visitText(app), { timeout: 20_000, interval: 50 }).toBe("fine");
    // Two at once, and two each after 0.5 s, 1 s and 2 s.
    await expect.poll(() => countFailures(app)).toBeGreaterThan(2);
    expect(await countFailures(app)).toBeLessThanOrEqual(8);
    expect((await supervisorOf(app).describe())?.live?.number).toBe(1);
  });

  it("starts at once where its owner has mended its data", async () => {
    const app = "evicted-mended";
    await deploy(app, MOODY);
    await visitText(app, "/?break=3600000");
    await restart(app);
    for (let at = 0; at < 3; at += 1) expect((await visit(app)).headers.get("slipway-error")).toBe("app-failed");
    const mend = { sql: "DELETE FROM broken", params: [], maxRows: 1, mayWrite: true };
    const mended = await supervisorOf(app).runSql({ environment: "production" }, mend);
    expect(mended).toMatchObject({ kind: "answered", answer: { kind: "rows" } });
    expect(await visitText(app)).toBe("fine");
  });
});
