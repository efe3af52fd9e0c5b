// What a supervisor that was put away and started anew still knows: everything that a visitor sees comes from its rows.
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { appSource, commitCode, deploy, makeCode, supervisorOf, visitText } from "./deployment.ts";

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
