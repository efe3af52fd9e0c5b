// Projects as they are written for wrangler, pushed as they are: ordinary Workers, and Durable Objects that they bind.
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commit, makeRepository, tryGit } from "./git.ts";
import { openSocket, request, startHost, type Host } from "./host.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.stop());

async function push(repository: string, app: string) {
  const result = await tryGit(repository, ["push", host.gitUrl(`${app}.git`), "main"]);
  return { ...result, lines: [...result.stderr.matchAll(/^remote: (.*?)\s*$/gm)].map(([, line = ""]) => line) };
}

const CONFIG = `{
  "name": "chat",
  "main": "src/index.ts",
  "compatibility_date": "2026-01-01",
  "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room" }, { "name": "COUNTER", "class_name": "Counter" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Room", "Counter"] }],
}`;

const chat = (version: string): string => `import { DurableObject } from "cloudflare:workers";

export interface Env {
  ROOM: DurableObjectNamespace<Room>;
  COUNTER: DurableObjectNamespace<Counter>;
}

export class Counter extends DurableObject<Env> {
  async increment(amount = 1): Promise<number> {
    const value = ((await this.ctx.storage.get<number>("value")) ?? 0) + amount;
    await this.ctx.storage.put("value", value);
    return value;
  }
}

export class Room extends DurableObject<Env> {
  async fetch(request: Request): Promise<Response> {
    const pair = new WebSocketPair();
    this.ctx.acceptWebSocket(pair[1]);
    return new Response(null, { status: 101, webSocket: pair[0] });
  }
  async webSocketMessage(socket: WebSocket, message: string): Promise<void> {
    const total = await this.env.COUNTER.getByName("all").increment();
    for (const each of this.ctx.getWebSockets()) each.send("${version} " + this.ctx.id.name + " " + total + " " + message);
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    const name = new URL(request.url).pathname.slice(1);
    if (request.headers.get("Upgrade") === "websocket") return env.ROOM.get(env.ROOM.idFromName(name)).fetch(request);
    return Response.json({ count: await env.COUNTER.getByName(name).increment() });
  },
} satisfies ExportedHandler<Env>;
`;

describe("a project for wrangler", () => {
  it("with Durable Objects deploys as it is, and keeps what they hold", async () => {
    const repository = await makeRepository({ "wrangler.jsonc": CONFIG, "src/index.ts": chat("one") });
    const first = await push(repository, "chat");
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(first.lines.join("\n")).toContain("Worker with classes Counter, Room");
    expect((await request(`${host.appUrl("chat")}a`)).text).toBe('{"count":1}');
    expect((await request(`${host.appUrl("chat")}b`)).text).toBe('{"count":1}');

    const { socket } = await openSocket(`${host.appUrl("chat")}lobby`);
    const message = once(socket, "message");
    const closed = once(socket, "close");
    socket.send("hello");
    expect((await message)[0].data).toBe("one lobby 1 hello");
    await commit(repository, { "src/index.ts": chat("two") }, "Say two");
    const second = await push(repository, "chat");
    expect(second, second.stderr).toMatchObject({ code: 0 });
    expect((await closed)[0].code).toBe(1012);
    expect((await request(`${host.appUrl("chat")}a`)).text).toBe('{"count":2}');
  });

  it("gets to no object of its own by a header that a visitor sends", async () => {
    const source = `export default { fetch: (request) => new Response([...request.headers.keys()].join()) };`;
    const repository = await makeRepository({ "src/index.js": source });
    expect(await push(repository, "plain")).toMatchObject({ code: 0 });
    const forged = encodeURIComponent(
      JSON.stringify({ className: "Room", objectId: "0".repeat(64), from: { facet: "app", deployNumber: 1 } }),
    );
    const answer = await request(host.appUrl("plain"), { headers: { "slipway-object": forged } });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain("slipway");
  });

  it("names the class that is bound and not exported", async () => {
    const source = `export default { fetch: () => new Response("x") };`;
    const repository = await makeRepository({ "wrangler.jsonc": CONFIG, "src/index.ts": source });
    const { code, stderr } = await push(repository, "missing");
    expect(code).toBe(1);
    expect(stderr).toContain("export-missing");
    expect(stderr).toContain("binds Room");
  });
});

/** A WebSocket as it is accepted by hand, or to hibernate. */
const ACCEPTED = `const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    server.addEventListener("message", ({ data }) => { console.log("heard", data); server.send("one " + data); });
    return new Response(null, { status: 101, webSocket: client });`;
const HIBERNATING = `const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });`;
const HANDLER = `webSocketMessage(socket, data) { console.log("heard", data); socket.send("one " + data); }`;
const IMPORT = `import { DurableObject } from "cloudflare:workers";\n`;
const ROOM = `{ "main": "src/index.js", "compatibility_date": "2026-01-01",
  "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room" }] } }`;
const TO_ROOM = `export default { fetch: (request, env) => env.ROOM.getByName("a").fetch(request) };`;

/** Who has the socket, and how. */
const SOCKETS = [
  ["a class", `${IMPORT}export class App extends DurableObject { fetch() { ${ACCEPTED} } }`],
  ["a class, hibernating", `${IMPORT}export class App extends DurableObject { fetch() { ${HIBERNATING} } ${HANDLER} }`],
  ["a Worker", `export default { fetch() { ${ACCEPTED} } };`],
  [
    "a Worker's object",
    `${IMPORT}export class Room extends DurableObject { fetch() { ${HIBERNATING} } ${HANDLER} }\n${TO_ROOM}`,
  ],
] as const;

/** Lines of an app's console, as they come. */
async function* followLog(app: string, signal: AbortSignal): AsyncGenerator<{ readonly text: string }> {
  const { body } = await fetch(`${host.url}/api/v1/apps/${app}/logs?follow=1&kind=console`, {
    headers: { authorization: `Bearer ${host.token}` },
    signal,
  });
  let rest = "";
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line);
  }
}

describe("a WebSocket of", () => {
  it.each(SOCKETS)(
    "%s is in the log that is followed while it is open, and told 1012 by a deploy",
    async (kind, source) => {
      const app = kind.replaceAll(/[^a-z]+/g, "-");
      const files = { "src/index.js": source, ...(source.includes("Room") ? { "wrangler.jsonc": ROOM } : {}) };
      const repository = await makeRepository(files);
      expect(await push(repository, app)).toMatchObject({ code: 0 });
      const following = new AbortController();
      const lines = followLog(app, following.signal);
      const { socket, received } = await openSocket(host.appUrl(app));
      const closed = once(socket, "close");
      for (const word of ["a", "b"]) {
        socket.send(word);
        // oxlint-disable-next-line no-await-in-loop -- each before the next is sent
        expect((await lines.next()).value).toMatchObject({ text: `heard ${word}` });
      }
      expect(socket.readyState).toBe(WebSocket.OPEN);
      await expect.poll(() => received).toEqual(["one a", "one b"]);
      following.abort();
      await commit(repository, { "src/index.js": source.replace("one ", "two ") }, "Say two");
      expect(await push(repository, app)).toMatchObject({ code: 0 });
      const [{ code, reason }] = await closed;
      expect([code, reason]).toEqual([1012, "a new version was deployed"]);
    },
  );
});
