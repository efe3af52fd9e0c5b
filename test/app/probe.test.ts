import { describe, expect, it } from "vitest";
import type { RehearsalOutcome } from "../../src/app/rehearsal.ts";
import { appSource, deploy, makeCode, supervisorOf, visitText } from "./deployment.ts";

async function probe(app: string, body: string, path = "/health"): Promise<RehearsalOutcome> {
  const supervisor = supervisorOf(app);
  await supervisor.openForPush();
  return supervisor.rehearse({ code: makeCode(appSource(body)), varsJson: "{}", probe: path });
}

describe("the probe of a rehearsal", () => {
  it("is answered by the new code on the copy of the data, at the app's own address", async () => {
    const app = "probed";
    await deploy(app, appSource(`this.ctx.storage.kv.put("a", 1); return new Response("put");`));
    expect(await visitText(app)).toBe("put");
    const body = `
      const { method, url } = request;
      const isRight = this.ctx.storage.kv.get("a") === 1 && method === "GET" && url === "http://probed.localhost/health?deep=1";
      this.ctx.storage.kv.put("a", 2);
      return isRight ? new Response(null, { status: 204 }) : new Response(url, { status: 500 });`;
    for (let turn = 0; turn < 2; turn += 1) {
      const outcome = await probe(app, body, "/health?deep=1");
      expect(outcome).toMatchObject({ kind: "started", probe: { path: "/health?deep=1", status: 204 } });
    }
  });

  it.each([302, 399])("takes the status %i for an answer", async (status) => {
    expect(await probe("low-status", `return new Response("x", { status: ${status} });`)).toMatchObject({
      kind: "started",
      probe: { status },
    });
  });

  it.each([400, 404, 503])("fails with the status %i, and says how the body begins", async (status) => {
    const outcome = await probe(
      "high-status",
      `return new Response("no table\\n" + "x".repeat(9999), { status: ${status} });`,
    );
    expect(outcome).toMatchObject({ kind: "failed", code: "probe-failed", phase: "probe", frames: [] });
    expect(outcome.kind === "failed" && outcome.reason).toMatch(
      new RegExp(String.raw`^GET /health answered ${status} with the body "no table\\nx{191}…"\. It is the probe`),
    );
  });

  it("fails with what fetch throws, and where", async () => {
    expect(await probe("thrown", "    return new Response(this.env.MISSING.length);")).toMatchObject({
      kind: "failed",
      code: "probe-failed",
      exception: { name: "TypeError" },
      frames: [{ path: "src/index.ts", line: 4 }],
      reason: expect.stringContaining("GET /health threw TypeError: "),
    });
  });

  it.each([
    ["no Response", `return "text";`, "threw TypeError: fetch returned no Response"],
    ["the end of the instance", `this.ctx.abort(new Error("gone")); await new Promise(() => {});`, "threw Error: gone"],
    ["no answer in time", "await new Promise(() => setInterval(() => {}, 1000));", "did not answer within 5 s"],
  ])("fails with %s, and the next rehearsal is as ever", async (_, body, reason) => {
    const outcome = await probe("odd", body);
    expect(outcome).toMatchObject({ kind: "failed", code: "probe-failed", reason: expect.stringContaining(reason) });
    expect(await probe("odd", `return new Response("fine");`)).toMatchObject({ probe: { status: 200 } });
  });

  it("fails where the class has no fetch", async () => {
    await supervisorOf("fetchless").openForPush();
    const code = makeCode(appSource("").replace("async fetch", "async other"));
    expect(await supervisorOf("fetchless").rehearse({ code, varsJson: "{}", probe: "/" })).toMatchObject({
      code: "probe-failed",
      reason: expect.stringContaining("the class has no fetch method"),
    });
  });
});
