import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { LogLine } from "../../src/app/log-line.ts";
import type { LogQuery } from "../../src/app/logs.ts";
import { appSource, deploy, IMPORTS, supervisorOf, visit, visitText } from "./deployment.ts";

const SAYS = appSource(`    const url = new URL(request.url);
    if (url.pathname === "/throw") throw new TypeError("it broke");
    if (url.pathname === "/flood") for (let n = 0; n < 5000; n += 1) console.log("flood", n);
    console.log("hello", { a: 1, list: [1, "two"] }, new Map([["k", 1n]]));
    console.warn("careful");
    console.error(new Error("an error"));
    return new Response("said");`);

/** Lines of the log, as soon as there are some that fit. */
async function waitForLines(app: string, query: Partial<LogQuery>, count = 1): Promise<LogLine[]> {
  for (;;) {
    const lines = await supervisorOf(app).readLogs({ limit: 1000, ...query });
    if (lines !== undefined && lines.length >= count) return lines;
    await scheduler.wait(5);
  }
}

function ids(lines: readonly LogLine[]): number[] {
  return lines.map(({ id }) => id);
}

/** Lines that are in the database. */
function countWrittenLines(app: string): Promise<number> {
  return runInDurableObject(supervisorOf(app), (_, { storage }) =>
    storage.sql
      .exec<{ lines: string }>("SELECT lines FROM log_batches")
      .toArray()
      .reduce((count, { lines }) => count + JSON.parse(lines).length, 0),
  );
}

describe("the log", () => {
  it("has what the app's console was told, with its level, and nothing of it is left in env", async () => {
    await deploy("logs-console", SAYS);
    await visitText("logs-console");
    const lines = await waitForLines("logs-console", { kind: "console" }, 3);
    expect(lines.map(({ level, text }) => [level, text.split("\n", 1)[0]])).toEqual([
      ["info", 'hello { a: 1, list: [1, "two"] } Map { "k" => 1n }'],
      ["warn", "careful"],
      ["error", "Error: an error"],
    ]);
    await deploy(
      "logs-env",
      `import { env as ambient } from "cloudflare:workers";\n${appSource("return Response.json([Object.keys(this.env), Object.keys(ambient)]);")}`,
    );
    expect(JSON.parse(await visitText("logs-env"))).toEqual([["SLIPWAY"], ["SLIPWAY"]]);
  });

  it("is in the order in which things happened, whatever is taken in together", async () => {
    await deploy("logs-order", SAYS);
    await visitText("logs-order", "/first");
    await waitForLines("logs-order", { kind: "console" }, 3);
    await visitText("logs-order", "/second");
    await waitForLines("logs-order", { kind: "console" }, 6);
    await visitText("logs-order", "/third");
    const kinds = (await waitForLines("logs-order", {}, 9)).map(({ kind, text }) =>
      kind === "request" ? text.split(" ")[1] : kind,
    );
    expect(kinds.filter((kind) => kind !== "console")).toEqual(["/first", "/second", "/third"]);
    expect(kinds.indexOf("/second")).toBeLessThan(kinds.lastIndexOf("console"));
    expect(kinds.indexOf("/first")).toBeLessThan(kinds.lastIndexOf("console"));
  });

  it("has requests with status, and what was thrown at the pusher's own lines", async () => {
    await deploy("logs-throws", SAYS);
    expect((await visit("logs-throws", "/throw?token=secret")).status).toBe(500);
    const [request] = await waitForLines("logs-throws", { kind: "request" });
    expect(request).toMatchObject({ level: "error", text: expect.stringMatching(/^GET \/throw 500 \d+ ms$/) });
    const [thrown] = await waitForLines("logs-throws", { kind: "exception" });
    expect(thrown).toMatchObject({ level: "error", facet: "app", deployNumber: 1 });
    expect(thrown?.text).toMatch(/^TypeError: it broke\n {4}at .*src\/index\.ts:5:\d+/);
  });

  it("shows what a WebSocket's handler says while the socket is open", async () => {
    await deploy(
      "logs-socket",
      appSource(`    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.addEventListener("message", ({ data }) => console.log("heard", data));
    return new Response(null, { status: 101, webSocket: client });`),
    );
    const { webSocket } = await visit("logs-socket", "/", { headers: { upgrade: "websocket" } });
    webSocket?.accept();
    webSocket?.send("ping");
    const [line] = await waitForLines("logs-socket", { kind: "console" });
    expect(line?.text).toBe("heard ping");
    webSocket?.close();
  });

  it.each(["2026-11-02", "2023-05-01"])(
    "has every line of many requests at once, which are over before it is sent: %s",
    async (compatibilityDate) => {
      const app = `logs-many-${compatibilityDate.slice(0, 4)}`;
      const source = `export default { fetch(request) { console.log("at", new URL(request.url).pathname); return new Response(); } };`;
      await deploy(app, source, { className: "default", compatibilityDate });
      const paths = Array.from({ length: 100 }, (_, at) => `/${at}`);
      await Promise.all(paths.map((path) => visitText(app, path)));
      const lines = await waitForLines(app, { kind: "console" }, paths.length);
      expect(lines.map(({ text }) => text).toSorted()).toEqual(paths.map((path) => `at ${path}`).toSorted());
    },
  );

  it("tells what was said at module scope once something runs", async () => {
    await deploy(
      "logs-module",
      `${IMPORTS}console.log("loaded");\n${appSource("return new Response();").replace(IMPORTS, "")}`,
    );
    const [line] = await waitForLines("logs-module", { kind: "console" });
    expect(line?.text).toBe("loaded");
  });

  it("survives the supervisor, and ids go on", async () => {
    await deploy("logs-survive", SAYS);
    await visitText("logs-survive");
    const before = await waitForLines("logs-survive", { kind: "console" }, 3);
    // Lines are written down a second after they came.
    await expect.poll(() => countWrittenLines("logs-survive"), { timeout: 10_000 }).toBeGreaterThan(3);
    await evictDurableObject(supervisorOf("logs-survive"));
    expect(await waitForLines("logs-survive", { kind: "console" }, 3)).toEqual(before);
    await visitText("logs-survive");
    const after = await waitForLines("logs-survive", { kind: "console" }, 6);
    expect(new Set(after.map(({ id }) => id)).size).toBe(6);
  });

  it("drops what is too much, counts it and says so", async () => {
    await deploy("logs-flood", SAYS);
    for (let n = 0; n < 8; n += 1) await visitText("logs-flood", "/flood");
    const [notice] = await waitForLines("logs-flood", { text: "lines were dropped" });
    expect(notice).toMatchObject({ kind: "host", level: "warn" });
    expect((await waitForLines("logs-flood", {})).length).toBeLessThan(2500);
    expect(await visitText("logs-flood")).toBe("said");
  });

  it("is filtered by level, text, deploy and place", async () => {
    await deploy("logs-filter", SAYS);
    await visitText("logs-filter");
    await deploy("logs-filter", SAYS.replace("said", "said again"));
    await visitText("logs-filter");
    const all = await waitForLines("logs-filter", { kind: "console" }, 6);
    const read = async (query: Partial<LogQuery>): Promise<number[]> =>
      (await waitForLines("logs-filter", { kind: "console", ...query }, 0)).map(({ id }) => id);
    expect(await read({ level: "warn" })).toEqual(ids(all.filter(({ level }) => level !== "info")));
    expect(await read({ text: "CAREFUL" })).toEqual(ids(all.filter(({ text }) => text === "careful")));
    expect(await read({ deployNumber: 2 })).toEqual(ids(all.slice(3)));
    expect(await read({ afterId: all[2]?.id ?? 0, beforeId: all[5]?.id ?? 0 })).toEqual(ids(all.slice(3, 5)));
    expect(await read({ limit: 2 })).toEqual(ids(all.slice(4)));
  });

  it("is followed as it grows, by who is slow and by who leaves", async () => {
    await deploy("logs-follow", SAYS);
    const stream = await supervisorOf("logs-follow").followLogs({ limit: 10, kind: "console", level: "error" });
    if (stream === undefined) throw new Error("There is no log.");
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    await visitText("logs-follow");
    const { value } = await reader.read();
    expect(JSON.parse(value ?? "")).toMatchObject({ level: "error", text: expect.stringMatching(/^Error: an error/) });
    await reader.cancel();
    expect(await visitText("logs-follow")).toBe("said");
  });

  it("says nothing of a version that a deploy replaced", async () => {
    await deploy("logs-replaced", SAYS);
    await deploy("logs-replaced", SAYS.replace("said", "said again"));
    expect(await visitText("logs-replaced", "/throw")).toContain("failed");
    const thrown = await waitForLines("logs-replaced", { kind: "exception" });
    expect(thrown.map(({ deployNumber }) => deployNumber)).toEqual([2]);
  });

  it("is nobody's where there is no app", async () => {
    expect(await supervisorOf("logs-none").readLogs({ limit: 10 })).toBeUndefined();
    expect(await supervisorOf("logs-none").followLogs({ limit: 10 })).toBeUndefined();
  });
});
