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
