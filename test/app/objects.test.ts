// Ordinary Workers and their named objects, as the supervisor runs them.
import { describe, expect, it } from "vitest";
import {
  commitRehearsed,
  deploy,
  type Deployment,
  MAIN,
  makeCode,
  supervisorOf,
  takeSnapshot,
  visit,
  visitText,
} from "./deployment.ts";

const IMPORTS = `import { DurableObject, RpcTarget, WorkerEntrypoint, env as importedEnv } from "cloudflare:workers";\n`;

const ROOM = `
class Cursor extends RpcTarget {
  constructor(at) { super(); this.at = at; }
  next() { this.at += 1; return this.at; }
}
export class Room extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS lines (text TEXT)");
  }
  say(text) { this.ctx.storage.sql.exec("INSERT INTO lines VALUES (?)", text); return this.lines(); }
  lines() { return this.ctx.storage.sql.exec("SELECT text FROM lines").toArray().map((row) => row.text); }
  get size() { return this.lines().length; }
  who() { return { name: this.ctx.id.name, id: this.ctx.id.toString() }; }
  fail() { throw new RangeError("too loud"); }
  cursor(at) { return new Cursor(at); }
  stream() { return new Response("streamed").body; }
  async withCallback(callback) { return "back: " + (await callback("there")); }
  async relay(name, text) { return this.env.ROOM.getByName(name).say(text); }
  async wait(ms) { await scheduler.wait(ms); return "waited"; }
  async fetch(request) {
    if (request.headers.get("upgrade") === "websocket") {
      const pair = new WebSocketPair();
      this.ctx.acceptWebSocket(pair[1], ["tag"]);
      pair[1].serializeAttachment({ seen: 0 });
      return new Response(null, { status: 101, webSocket: pair[0] });
    }
    const headers = [...request.headers.keys()].filter((name) => name.startsWith("slipway"));
    return Response.json({ url: request.url, method: request.method, body: await request.text(), headers });
  }
  webSocketMessage(socket, message) {
    const attachment = socket.deserializeAttachment();
    socket.serializeAttachment({ seen: attachment.seen + 1 });
    socket.send(VERSION + " " + this.ctx.id.name + " " + attachment.seen + " " + message);
  }
}
`;

/** A Worker that runs `body`, which knows request, env, ctx and url. */
function workerSource(body: string, version = "one"): string {
  return `${IMPORTS}const VERSION = "${version}";\n${ROOM}
export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    const room = env.ROOM.getByName(url.searchParams.get("room") ?? "lobby");
    ${body}
  },
};
`;
}

const OBJECTS = { classes: ["Room"], bindings: [{ name: "ROOM", className: "Room" }] };

function saying(text: string): string {
  return `export default { fetch: () => new Response("${text}") };`;
}

function deployWorker(app: string, source: string): Promise<Deployment> {
  return deploy(app, source, { className: "default", objects: OBJECTS });
}

describe("an ordinary Worker", () => {
  it("answers without any Durable Object, with env and ctx as the runtime has them", async () => {
    const source = `export default {
      fetch(request, env, ctx) {
        ctx.waitUntil(Promise.resolve());
        ctx.passThroughOnException();
        return Response.json({ path: new URL(request.url).pathname, app: env.SLIPWAY.app });
      },
    };`;
    const { cutover } = await deploy("worker-plain", source, { className: "default" });
    expect(cutover).toMatchObject({ kind: "live" });
    expect(await (await visit("worker-plain", "/a/b")).json()).toEqual({ path: "/a/b", app: "worker-plain" });
  });

  it("may be a class that extends WorkerEntrypoint", async () => {
    const source = `${IMPORTS}export default class extends WorkerEntrypoint {
      async fetch() { return new Response("from " + this.env.SLIPWAY.app); }
    }`;
    await deploy("worker-class", source, { className: "default" });
    expect(await visitText("worker-class")).toBe("from worker-class");
  });

  it("is replaced by the next deploy", async () => {
    await deploy("worker-next", saying("one"), { className: "default" });
    expect(await visitText("worker-next")).toBe("one");
    await deploy("worker-next", saying("two"), { className: "default" });
    expect(await visitText("worker-next")).toBe("two");
  });
});

describe("named objects", () => {
  it("may be of a class that extends nothing, as they were once written", async () => {
    const source = `
      export class Room {
        constructor(state, env) { this.state = state; this.env = env; }
        async fetch(request) {
          const count = ((await this.state.storage.get("count")) ?? 0) + 1;
          await this.state.storage.put("count", count);
          return new Response([this.state.id.name, count, typeof this.env.ROOM.get].join());
        }
      }
      export default { fetch: (request, env) => env.ROOM.get(env.ROOM.idFromName("old")).fetch(request) };`;
    // Of the time before stubs had methods.
    await deploy("objects-plain", source, {
      className: "default",
      objects: OBJECTS,
      compatibilityDate: "2023-01-01",
      compatibilityFlags: [],
    });
    expect(await visitText("objects-plain")).toBe("old,1,function");
    expect(await visitText("objects-plain")).toBe("old,2,function");
  });

  it("answer RPC, each with a database and an ID of its own", async () => {
    const body = `
      const other = env.ROOM.get(env.ROOM.idFromName("other"));
      await room.say("a");
      await room.say("b");
      return Response.json({
        lines: await room.lines(),
        otherLines: await other.say("c"),
        size: await room.size,
        who: await room.who(),
        stub: { name: room.name, id: room.id.toString() },
        same: env.ROOM.idFromString(room.id.toString()).equals(room.id),
        imported: importedEnv.ROOM === env.ROOM,
        exported: (await ctx.exports.Room.getByName("other").lines()).length,
        unique: String(env.ROOM.newUniqueId()).length,
      });`;
    await deployWorker("objects-rpc", workerSource(body));
    const answer: Record<string, unknown> = await (await visit("objects-rpc")).json();
    const id = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(answer).toEqual({
      lines: ["a", "b"],
      otherLines: ["c"],
      size: 2,
      who: { name: "lobby", id },
      stub: { name: "lobby", id },
      same: true,
      imported: true,
      exported: 1,
      unique: 64,
    });
    expect(answer["who"]).toEqual(answer["stub"]);
  });

  it("pass streams, functions, stubs and what they throw", async () => {
    const body = `
      const thrown = await room.fail().catch((error) => error);
      const missing = await room.missing().catch((error) => error);
      using cursor = await room.cursor(5);
      await cursor.next();
      return Response.json({
        thrown: [thrown.name, thrown.message],
        missing: missing.message,
        streamed: await new Response(await room.stream()).text(),
        called: await room.withCallback((text) => text + "!"),
        next: await cursor.next(),
        pipelined: await room.cursor(1).next(),
        relayed: await room.relay("other", "hi"),
      });`;
    await deployWorker("objects-values", workerSource(body));
    const answer: Record<string, unknown> = await (await visit("objects-values")).json();
    expect(answer).toMatchObject({
      thrown: ["RangeError", "too loud"],
      streamed: "streamed",
      called: "back: there!",
      next: 7,
      pipelined: 2,
      relayed: ["hi"],
    });
    expect(answer["missing"]).toContain("missing");
  });

  it("start anew after a constructor that threw, and after ctx.abort()", async () => {
    const body = `
      const tried = [];
      for (const call of ["lines", "lines", "abort", "lines"]) tried.push(await room[call]().then(String, String));
      return Response.json(tried);`;
    const failing = workerSource(body)
      .replace(
        "super(ctx, env);\n    ctx",
        `super(ctx, env);
        if (ctx.id.name === "lobby" && (starts += 1) === 1) throw new Error("not yet");
        ctx`,
      )
      .replace(
        "class Room extends DurableObject {",
        `class Room extends DurableObject {
        abort() { this.ctx.abort("on purpose"); }`,
      );
    await deployWorker("objects-anew", `${failing}let starts = 0;`);
    expect(await (await visit("objects-anew")).json()).toEqual(["Error: not yet", "", "Error: on purpose", ""]);
  });

  it("are what may be called of them, and nothing of the host's or the runtime's", async () => {
    const body = `
      const names = ["slipway:goodbye", "alarm", "constructor", "__defineGetter__"];
      const tried = await Promise.all(names.map(async (name) => room[name]()).map((call) => call.then(() => "called", () => "refused")));
      return Response.json(tried);`;
    await deployWorker("objects-reserved", workerSource(body));
    expect(await (await visit("objects-reserved")).json()).toEqual(["refused", "refused", "refused", "refused"]);
  });

  it("are there for a class that receives the requests, those of its own class too", async () => {
    const source = `${IMPORTS}const VERSION = "one";\n${ROOM}
    export class App extends DurableObject {
      count() { this.ctx.storage.kv.put("n", (this.ctx.storage.kv.get("n") ?? 0) + 1); return this.ctx.storage.kv.get("n"); }
      async fetch() {
        const said = await this.env.ROOM.getByName("lobby").say("x");
        return Response.json([said, this.count(), await this.env.APP.getByName("other").count()]);
      }
    }`;
    const bindings = [...OBJECTS.bindings, { name: "APP", className: "App" }];
    await deploy("objects-app", source, { objects: { classes: ["App", "Room"], bindings } });
    expect(await (await visit("objects-app")).json()).toEqual([["x"], 1, 1]);
    expect(await (await visit("objects-app")).json()).toEqual([["x", "x"], 2, 2]);
  });

  it("answer fetch, and see nothing of the way there", async () => {
    const body = `return room.fetch(request);`;
    await deployWorker("objects-fetch", workerSource(body));
    const response = await visit("objects-fetch", "/x?room=a%20b", { method: "POST", body: "text" });
    expect(await response.json()).toEqual({
      url: "http://objects-fetch.localhost/x?room=a%20b",
      method: "POST",
      body: "text",
      headers: [],
    });
  });

  it("end a loop of calls with an error: only so many wait at once", async () => {
    const body = `
      const calls = Array.from({ length: 1001 }, () => room.wait(1000));
      const outcomes = await Promise.allSettled(calls);
      return Response.json(outcomes.flatMap(({ reason }) => reason?.message ?? []));`;
    await deployWorker("objects-loop", workerSource(body));
    expect(await (await visit("objects-loop")).json()).toEqual([expect.stringContaining("without end")]);
  });

  it("keep their data over a deploy, and run its code", async () => {
    const body = `return Response.json([VERSION, await room.say(VERSION)]);`;
    await deployWorker("objects-deploy", workerSource(body));
    expect(await (await visit("objects-deploy")).json()).toEqual(["one", ["one"]]);
    await deployWorker("objects-deploy", workerSource(body, "two"));
    expect(await (await visit("objects-deploy")).json()).toEqual(["two", ["one", "two"]]);
  });

  it("hold WebSockets, which close with 1012 when a deploy comes", async () => {
    const body = `return room.fetch(request);`;
    await deployWorker("objects-sockets", workerSource(body));
    const response = await visit("objects-sockets", "/?room=talk", { headers: { upgrade: "websocket" } });
    const socket = response.webSocket;
    if (socket === null) throw new Error(`No WebSocket came, but status ${response.status}.`);
    const messages: unknown[] = [];
    const closed = new Promise<number>((resolve) => {
      socket.addEventListener("close", (event) => resolve(event.code));
    });
    const answered = new Promise<void>((resolve) => {
      socket.addEventListener("message", (event) => {
        messages.push(event.data);
        if (messages.length === 2) resolve();
      });
    });
    socket.accept();
    socket.send("a");
    socket.send("b");
    await answered;
    expect(messages).toEqual(["one talk 0 a", "one talk 1 b"]);
    await deployWorker("objects-sockets", workerSource(body, "two"));
    expect(await closed).toBe(1012);
  });
});

describe("the owner of an app", () => {
  it("sees its objects, class by class, deletes them and limits how many there are", async () => {
    const body = `return new Response(await room.say("x").then(String, (error) => error.message));`;
    await deployWorker("objects-owner", workerSource(body));
    const supervisor = supervisorOf("objects-owner");
    for (const name of ["a", "b", "c"]) await visitText("objects-owner", `/?room=${name}`);
    const query = { facet: "app", limit: 2 };
    const page = await supervisor.listObjects(query);
    expect(page).toMatchObject({ count: 3, limit: 10_000, classes: [{ className: "Room", count: 3, isLive: true }] });
    const rest = await supervisor.listObjects({ ...query, after: page?.objects[1] });
    const names = [...(page?.objects ?? []), ...(rest?.objects ?? [])].map(({ name }) => name);
    expect(new Set(names)).toEqual(new Set(["a", "b", "c"]));
    expect((await supervisor.listObjects({ ...query, className: "Other" }))?.objects).toEqual([]);

    await supervisor.changeQuotas({ objects: 3 });
    expect(await visitText("objects-owner", "/?room=d")).toContain("may have 3");
    expect(await visitText("objects-owner", "/?room=a")).toBe("x,x");
    const [first] = page?.objects ?? [];
    if (first === undefined) throw new Error("There is no object.");
    expect(await supervisor.deleteObject(first)).toBe(true);
    expect(await supervisor.deleteObject(first)).toBe(false);
    expect(await visitText("objects-owner", `/?room=${first.name}`)).toBe("x");
  });

  it("keeps the objects of a class that a version does not have", async () => {
    const body = `return Response.json(await room.say("x"));`;
    await deployWorker("objects-gone", workerSource(body));
    await visitText("objects-gone");
    await deploy("objects-gone", saying("none"), { className: "default" });
    expect(await visitText("objects-gone")).toBe("none");
    const page = await supervisorOf("objects-gone").listObjects({ facet: "app", limit: 10 });
    expect(page?.classes).toEqual([{ className: "Room", count: 1, isLive: false }]);
    await deployWorker("objects-gone", workerSource(body));
    expect(await visitText("objects-gone")).toBe('["x","x"]');
  });
});

describe("snapshots of a Worker's objects", () => {
  it("bring all of them back, and take away what came since", async () => {
    const body = `return Response.json(await room.say("x"));`;
    await deployWorker("objects-snapshot", workerSource(body));
    await visitText("objects-snapshot", "/?room=a");
    const snapshot = await takeSnapshot("objects-snapshot");
    expect(snapshot?.sizeBytes).toBeGreaterThan(0);
    await visitText("objects-snapshot", "/?room=a");
    await visitText("objects-snapshot", "/?room=b");

    const { codeId } = makeCode(workerSource(body), { className: "default", objects: OBJECTS });
    const state = await supervisorOf("objects-snapshot").openForPush();
    const oldId = state.refs.find((row) => row.name === MAIN)?.id;
    const { deploy: made } = await commitRehearsed("objects-snapshot", codeId, {
      oldId,
      restoresSnapshot: snapshot.id,
    });
    expect(await supervisorOf("objects-snapshot").cutOver(made?.number ?? 0)).toMatchObject({ kind: "live" });
    expect(await visitText("objects-snapshot", "/?room=a")).toBe('["x","x"]');
    expect(await visitText("objects-snapshot", "/?room=b")).toBe('["x"]');
  });
});

describe("a rehearsal of a Worker", () => {
  it("constructs an object of each class on a copy of the one that was used last", async () => {
    const body = `return Response.json(await room.say("x"));`;
    await deployWorker("objects-rehearse", workerSource(body));
    await visitText("objects-rehearse");
    const broken = workerSource(body).replace(
      "CREATE TABLE IF NOT EXISTS lines (text TEXT)",
      "ALTER TABLE lines RENAME COLUMN nothing TO text",
    );
    const code = makeCode(broken, { className: "default", objects: OBJECTS });
    const outcome = await supervisorOf("objects-rehearse").rehearse({ code, varsJson: "{}" });
    expect(outcome).toMatchObject({ kind: "failed", data: "copy", code: "start-failed", phase: "constructor" });
    expect(outcome.kind === "failed" && outcome.reason).toContain("constructor of Room");
    expect(await visitText("objects-rehearse")).toBe('["x","x"]');
  });

  it("lets a constructor call other objects, without touching those that run", async () => {
    const body = `return Response.json(await env.ROOM.getByName("other").lines());`;
    const calling = workerSource(body).replace(
      "ctx.storage.sql.exec(",
      `if (ctx.id.name !== "other") ctx.blockConcurrencyWhile(() => env.ROOM.getByName("other").say("constructed"));
      ctx.storage.sql.exec(`,
    );
    await deployWorker("objects-calling", calling);
    expect(await visitText("objects-calling")).toBe("[]");
  });
});
