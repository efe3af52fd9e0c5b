import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { deploy, IMPORTS, supervisorOf, visit, visitText } from "./deployment.ts";

/** Echoes over hibernatable WebSockets; before that it runs `poison` at module scope. */
const ECHO = (version: string, poison = "") => `${IMPORTS}${poison}
export class App extends DurableObject {
  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return new Response(String(this.ctx.getWebSockets().length));
    const pair = new WebSocketPair();
    this.ctx.acceptWebSocket(pair[1]);
    return new Response(null, { status: 101, webSocket: pair[0], headers: { "slipway-error": "app-busy" } });
  }
  webSocketMessage(socket, message) {
    socket.send("${version} " + message);
  }
}
`;

/** Echoes over WebSockets that the instance holds itself. Its last words go out before the sockets close. */
const HELD = (version: string, poison = "") => `${IMPORTS}${poison}
export class App extends DurableObject {
  sockets = new Set();
  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return new Response(String(this.sockets.size));
    const pair = new WebSocketPair();
    const server = pair[1];
    server.accept();
    this.sockets.add(server);
    server.addEventListener("message", (event) => server.send("${version} " + event.data));
    return new Response(null, { status: 101, webSocket: pair[0] });
  }
  onRedeploy() {
    this.sockets.forEach((socket) => socket.send("bye"));
  }
}
`;

/** An ordinary Worker that echoes over WebSockets of its own requests. */
const WORKER = (version: string) => `export default {
  fetch(request) {
    const pair = new WebSocketPair();
    const server = pair[1];
    server.accept();
    server.addEventListener("message", (event) => server.send("${version} " + event.data));
    return new Response(null, { status: 101, webSocket: pair[0] });
  }
};
`;

/** Everything that the wrapper could have relied on, broken. */
const POISON = `
const fail = () => { throw new Error("poisoned"); };
const targets = [
  [Array.prototype, [Symbol.iterator, "map", "forEach", "push"]],
  [WeakMap.prototype, ["get", "set"]],
  [WebSocket.prototype, ["close", "addEventListener"]],
  [Set.prototype, ["add", "delete"]],
  [Object.prototype, ["isPrototypeOf"]],
  [Function.prototype, ["call", "apply", "bind"]],
  [String.prototype, ["startsWith"]],
];
for (let target = 0; target < targets.length; target += 1) {
  for (let at = 0; at < targets[target][1].length; at += 1) targets[target][0][targets[target][1][at]] = fail;
}
Reflect.apply = fail;
Reflect.defineProperty = fail;
globalThis.String = fail;
globalThis.setTimeout = fail;
`;

interface Connection {
  readonly socket: WebSocket;
  readonly messages: string[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

async function connect(app: string): Promise<Connection> {
  const response = await visit(app, "/", { headers: { upgrade: "websocket" } });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`No WebSocket came, but status ${response.status}.`);
  expect(response.headers.get("slipway-error")).toBeNull();
  const messages: string[] = [];
  socket.addEventListener("message", (event) => {
    messages.push(String(event.data));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  socket.accept();
  return { socket, messages, closed };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue() && tries < 200; tries += 1) await scheduler.wait(10);
  expect(isTrue()).toBe(true);
}

describe("a WebSocket of an app", () => {
  it("carries messages, also after supervisor and app were evicted", async () => {
    await deploy("echo", ECHO("one"));
    const { socket, messages } = await connect("echo");
    socket.send("a");
    await until(() => messages.length === 1);
    await evictDurableObject(supervisorOf("echo"));
    socket.send("b");
    await until(() => messages.length === 2);
    expect(messages).toEqual(["one a", "one b"]);
    socket.close();
  });

  it.each([
    ["is told 1012 by a deploy", "goodbye", "", false],
    ["is told 1012 by a deploy although it hibernates and nothing runs", "hibernates", "", true],
    ["is told 1012 by an app that changed every built-in", "poisoned", POISON, false],
  ])("%s", async (_, app, poison, isEvicted) => {
    await deploy(app, ECHO("one", poison));
    const connection = await connect(app);
    connection.socket.send("a");
    await until(() => connection.messages.length === 1);
    if (isEvicted) await evictDurableObject(supervisorOf(app));
    await deploy(app, ECHO("two"));
    expect(await connection.closed).toEqual({ code: 1012, reason: "a new version was deployed" });
    const again = await connect(app);
    again.socket.send("b");
    await until(() => again.messages.length === 1);
    expect(again.messages).toEqual(["two b"]);
    expect(await visitText(app)).toBe("1");
    again.socket.close();
  });

  it.each([
    ["one that the app accepted itself", "held"],
    ["one of two that the app accepted itself", "held-two"],
  ])("%s is told 1012, after the app's last words", async (_, app) => {
    await deploy(app, HELD("one"));
    const connection = await connect(app);
    if (app === "held-two") (await connect(app)).socket.close(1000, "left before");
    connection.socket.send("a");
    await until(() => connection.messages.length === 1);
    await deploy(app, HELD("two"));
    expect(await connection.closed).toEqual({ code: 1012, reason: "a new version was deployed" });
    expect(connection.messages).toEqual(["one a", "bye"]);
    const again = await connect(app);
    again.socket.send("b");
    await until(() => again.messages.length === 1);
    expect(again.messages).toEqual(["two b"]);
    again.socket.close();
  });

  it.each(["2026-11-02", "2024-10-01", "2023-05-01"])(
    "that a Worker accepted itself is told 1012: %s",
    async (compatibilityDate) => {
      const app = `held-worker-${compatibilityDate.slice(0, 4)}`;
      const overrides = { className: "default", compatibilityDate };
      await deploy(app, WORKER("one"), overrides);
      const connections = [await connect(app), await connect(app), await connect(app)];
      connections[2]?.socket.close(1000, "left before");
      for (const { socket } of connections.slice(0, 2)) socket.send("a");
      await until(() => connections[0]?.messages.length === 1 && connections[1]?.messages.length === 1);
      await deploy(app, WORKER("two"), overrides);
      for (const { closed } of connections.slice(0, 2))
        expect(await closed).toEqual({ code: 1012, reason: "a new version was deployed" });
      const again = await connect(app);
      again.socket.send("b");
      await until(() => again.messages.length === 1);
      expect(again.messages).toEqual(["two b"]);
      again.socket.close();
    },
  );
});
