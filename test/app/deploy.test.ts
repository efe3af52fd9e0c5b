import { describe, expect, it } from "vitest";
import { appSource, deploy, supervisorOf, visit, visitText } from "./deployment.ts";

const COUNTER = (version: string) =>
  appSource(`    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return new Response("${version} " + count);`);

describe("a deploy", () => {
  it("answers visitors with the app, under the app's own name", async () => {
    const { commit, cutover } = await deploy(
      "named",
      appSource("return new Response(this.ctx.id.name + new URL(request.url).pathname);"),
    );
    expect(commit.results).toEqual([{ name: "refs/heads/main", kind: "ok" }]);
    expect(commit.deploy).toMatchObject({ number: 1, state: "committed" });
    expect(commit.head).toBe("refs/heads/main");
    expect(cutover.kind).toBe("live");
    expect(await visitText("named", "/here")).toBe("named/here");
  });

  it("keeps the data of the deploy before", async () => {
    await deploy("counts", COUNTER("one"));
    expect(await visitText("counts")).toBe("one 1");
    const { commit } = await deploy("counts", COUNTER("two"));
    expect(commit.deploy).toMatchObject({ number: 2, previous: { number: 1 } });
    expect(await visitText("counts")).toBe("two 2");
    expect((await supervisorOf("counts").describe())?.live).toMatchObject({ number: 2, state: "started" });
  });

  it("goes back to code that is stored, by its ID", async () => {
    const first = await deploy("rolls", COUNTER("one"));
    await deploy("rolls", COUNTER("two"));
    const again = await deploy("rolls", COUNTER("one"));
    expect(again.commit.deploy?.codeId).toBe(first.commit.deploy?.codeId);
    expect(await visitText("rolls")).toBe("one 1");
  });

  it("answers 404 where there is no app, and where nothing was deployed, and stores nothing for the former", async () => {
    const missing = await visit("nobody");
    expect([missing.status, missing.headers.get("slipway-error")]).toEqual([404, "app-not-found"]);
    await supervisorOf("stored").createRepository({ deploy: false });
    const empty = await visit("stored");
    expect([empty.status, empty.headers.get("slipway-error")]).toEqual([404, "app-not-deployed"]);
  });
});
