import { describe, expect, it } from "vitest";
import type { LogLine } from "../../src/app/log-line.ts";
import { deploy, restart, supervisorOf, visit, visitText } from "./deployment.ts";

/** Throws in every way there is. The text of what is thrown is the path. */
const FAILS = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    if (ctx.storage.kv.get("refuses")) throw new TypeError("constructor");
  }
  async fetch(request) {
    const way = new URL(request.url).pathname.slice(1);
    const fail = () => { throw new TypeError(way); };
    const { ctx } = this;
    switch (way) {
      case "fetch": fail();
      case "string": throw "a string";
      case "timer": setTimeout(fail, 1); break;
      case "interval": { const timer = setInterval(() => { clearInterval(timer); fail(); }, 1); break; }
      case "microtask": queueMicrotask(fail); break;
      case "promise": scheduler.wait(1).then(fail); break;
      case "waitUntil": ctx.waitUntil(scheduler.wait(1).then(fail)); break;
      case "listener": { const target = new EventTarget(); target.addEventListener("x", fail); target.dispatchEvent(new Event("x")); break; }
      case "blocked": await ctx.blockConcurrencyWhile(async () => fail()); break;
      case "caught": await this.fetch(new Request(new URL("/fetch", request.url))).catch(() => undefined); break;
      case "twice": { const error = new TypeError(way); ctx.waitUntil(Promise.reject(error)); throw error; }
      case "body": return new Response(new ReadableStream({ pull: fail }));
      case "lateBody": {
        let pulled = 0;
        return new Response(new ReadableStream({ async pull(controller) {
          await scheduler.wait(20);
          pulled += 1;
          if (pulled > 2) fail();
          controller.enqueue(new TextEncoder().encode("abc"));
        } }));
      }
      case "refuses": ctx.storage.kv.put("refuses", true); break;
      case "socket":
      case "webSocketMessage": {
        const [client, server] = Object.values(new WebSocketPair());
        if (way === "webSocketMessage") ctx.acceptWebSocket(server);
        else { server.accept(); server.addEventListener("message", fail); }
        return new Response(null, { status: 101, webSocket: client });
      }
    }
    return new Response("done");
  }
  webSocketMessage() { throw new TypeError("webSocketMessage"); }
}`;

const FAILS_AS_WORKER = `export default {
  async fetch(request, env, ctx) {
    const way = new URL(request.url).pathname.slice(1);
    const fail = () => { throw new TypeError(way); };
    if (way === "waitUntil") ctx.waitUntil(scheduler.wait(1).then(fail));
    else fail();
    return new Response("done");
  },
};`;

/** The exceptions in the log, as soon as there is one with the text. */
async function waitForException(app: string, text: string): Promise<LogLine[]> {
  for (;;) {
    const lines = (await supervisorOf(app).readLogs({ limit: 100, kind: "exception" })) ?? [];
    if (lines.some((line) => line.text.includes(text))) return lines;
    await scheduler.wait(5);
  }
}

describe("what an app throws and does not catch", () => {
  it.each(["fetch", "timer", "interval", "microtask", "promise", "waitUntil", "listener", "blocked"])(
    "is in its log with its place: %s",
    async (way) => {
      const app = `uncaught-${way.toLowerCase()}`;
      await deploy(app, FAILS);
      await visit(app, `/${way}`);
      const [line, ...more] = await waitForException(app, way);
      expect(line).toMatchObject({ level: "error", facet: "app", deployNumber: 1 });
      expect(line?.text).toMatch(new RegExp(`^TypeError: ${way}\\n {4}at .*src/index\\.ts:9:\\d+`));
      expect(more).toEqual([]);
    },
  );

  it.each(["socket", "webSocketMessage"])("is in its log at once where a WebSocket brought it: %s", async (way) => {
    const app = `uncaught-${way.toLowerCase()}`;
    await deploy(app, FAILS);
    const { webSocket } = await visit(app, `/${way}`, { headers: { upgrade: "websocket" } });
    webSocket?.accept();
    webSocket?.send("hello");
    const [line] = await waitForException(app, way);
    expect(line?.text).toMatch(/^TypeError: \w+\n {4}at .*src\/index\.ts:\d+:\d+/);
  });

  it.each(["fetch", "waitUntil"])("is in an ordinary Worker's log: %s", async (way) => {
    const app = `uncaught-worker-${way.toLowerCase()}`;
    await deploy(app, FAILS_AS_WORKER, { className: "default" });
    await visit(app, `/${way}`);
    const [line] = await waitForException(app, way);
    expect(line?.text).toMatch(new RegExp(`^TypeError: ${way}\\n {4}at .*src/index\\.ts:4:\\d+`));
  });

  it("is told once, however often it is thrown on, and not where the app catches it", async () => {
    await deploy("uncaught-once", FAILS);
    for (const way of ["twice", "caught", "string"]) await visit("uncaught-once", `/${way}`);
    const lines = await waitForException("uncaught-once", "a string");
    // Longer than the host waits for the isolate to tell.
    await visit("uncaught-once", "/body");
    await waitForException("uncaught-once", "body");
    expect(lines.map(({ text }) => text.split("\n", 1)[0])).toEqual(["TypeError: twice", "a string"]);
  });

  it.each(["body", "lateBody"])("is told by the host where the isolate cannot: %s", async (way) => {
    const app = `uncaught-${way.toLowerCase()}`;
    await deploy(app, FAILS);
    const response = await visit(app, `/${way}`);
    await response.text().catch(() => undefined);
    const lines = await waitForException(app, way);
    expect(lines.map(({ text }) => text)).toEqual([`TypeError: ${way}`]);
  });

  it("is told of a constructor too", async () => {
    await deploy("uncaught-constructor", FAILS);
    expect(await visitText("uncaught-constructor", "/refuses")).toBe("done");
    await restart("uncaught-constructor");
    expect((await visit("uncaught-constructor")).status).toBe(500);
    const [line] = await waitForException("uncaught-constructor", "constructor");
    expect(line?.text).toMatch(/^TypeError: constructor\n {4}at .*src\/index\.ts:5:\d+/);
  });
});
