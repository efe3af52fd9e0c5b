// Hostile apps beside an honest one, on one host: what they find in their isolates, what they forge, and what they break.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { within } from "../../src/store/time-limit.ts";
import { readConsoleLines } from "../../src/app/log-intake.ts";
import { idOfName, OBJECT_HEADER } from "../../src/app/object-address.ts";
import { answerForApp } from "../../src/http/app-request.ts";
import { appSource, commitRehearsed, deploy, makeCode, supervisorOf, visitText } from "./deployment.ts";

const HONEST = appSource(`    await this.ctx.storage.put("secret", "of the honest app");
    return new Response("honest");`);

/** Everything that an app's code can get hold of without being given it, by name. */
const DIG = `import { DurableObject, env as importedEnv, exports as importedExports } from "cloudflare:workers";
import process from "node:process";
function names(object) {
  const all = [];
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) all.push(...Reflect.ownKeys(at).map(String));
  return all.sort();
}
async function attempt(act) {
  try { return (await act()) ?? "nothing"; } catch (error) { return "threw " + error.message; }
}
async function dig({ env, ctx }) {
  return {
    env: names(env), importedEnv: names(importedEnv), processEnv: names(process.env),
    exports: names(ctx.exports), importedExports: names(importedExports), props: ctx.props,
    honest: await attempt(() => fetch("http://isolation-honest.localhost/").then((response) => response.text())),
    host: await attempt(() => fetch("http://localhost/api/v1/apps").then((response) => response.text())),
    again: await attempt(async () => Reflect.ownKeys(await (await import("./slipway-wrapper.js")).wrapApp(async () => ({}), { entry: "App", classes: [], bindings: [] })).join()),
  };
}
`;

const FACET = `${DIG}
export class App extends DurableObject {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/stored") return Response.json(Object.fromEntries(await this.ctx.storage.list()));
    if (pathname === "/dig") return Response.json(await dig(this));
    const names = ["app", "rehearsal", "reading", "../app", "isolation-honest", "app/Room/x", "snapshot:1"];
    const found = [];
    for (const name of names) {
      found.push(await attempt(() => this.ctx.facets.get(name, () => ({ class: this.ctx.exports.App }))));
      found.push(await attempt(() => this.ctx.facets.delete(name)));
    }
    return Response.json(found);
  }
}
`;

const WORKER = `${DIG}
export class Room extends DurableObject {
  fetch(request) {
    return Response.json({ id: String(this.ctx.id), headers: [...request.headers.keys()].filter((name) => name.startsWith("slipway")) });
  }
  who() { return this.ctx.id.toString(); }
}
export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/dig") return Response.json(await dig({ env, ctx }));
    const room = env.ROOM.getByName("own");
    const forged = encodeURIComponent(JSON.stringify({ className: "App", objectId: "0".repeat(64), from: { app: "isolation-honest", facet: "app", deployNumber: 1 } }));
    if (pathname === "/forge") return room.fetch("http://isolation-honest.localhost/", { headers: { "${OBJECT_HEADER}": forged } });
    const tried = [];
    for (const name of ["slipway:start", "slipway:goodbye", "slipway:dump", "slipway:size", "__proto__", "alarm", "webSocketMessage"]) {
      tried.push(await attempt(() => room[name](1001, "x", 1)));
    }
    return Response.json(tried);
  },
};
`;

const ROOMS = { classes: ["Room"], bindings: [{ name: "ROOM", className: "Room" }] };

beforeAll(async () => {
  await deploy("isolation-honest", HONEST);
  await deploy("isolation-facet", FACET);
  await deploy("isolation-worker", WORKER, { className: "default", objects: ROOMS });
}, 90_000);

async function honestAnswers(): Promise<void> {
  expect(await visitText("isolation-honest")).toBe("honest");
}

async function json(app: string, path: string): Promise<unknown> {
  return JSON.parse(await visitText(app, path));
}

describe("an app that looks around", () => {
  it.each([
    ["isolation-facet", ["SLIPWAY"], ["App"], ["App", "Control"]],
    ["isolation-worker", ["ROOM", "SLIPWAY"], ["Room", "default"], ["Control", "Object_Room", "Worker"]],
  ])(
    "finds nothing of the host's in its isolate: %s",
    async (app, ownNames, ownExports, isolateExports) => {
      const found = await json(app, "/dig");
      expect(found).toMatchObject({
        env: ownNames,
        importedEnv: ownNames,
        processEnv: ["SLIPWAY"],
        exports: ownExports,
        importedExports: isolateExports,
        props: {},
        honest: expect.stringContaining("threw This request was not sent"),
        host: expect.stringContaining("threw This request was not sent"),
        again: "App,Worker,objects,Control",
      });
    },
    60_000,
  );

  it("finds none of the host's facets, and has none of its own", async () => {
    await honestAnswers();
    const found: string[] = JSON.parse(await visitText("isolation-facet", "/facets"));
    expect(found).toEqual(found.map(() => expect.stringMatching(/^threw An app has no facets/)));
    await honestAnswers();
  }, 60_000);
});

describe("an app with objects", () => {
  it("reaches its own whatever mark it forges, and the object sees no mark", async () => {
    expect(await json("isolation-worker", "/forge")).toEqual({ id: idOfName("own"), headers: [] });
  }, 60_000);

  it("calls nothing on them that the wrapper or the runtime has", async () => {
    const tried = await json("isolation-worker", "/methods");
    expect(tried).toEqual(
      Array.from({ length: 7 }, () => expect.stringMatching(/can(?:not)? be called (?:from outside|over RPC)/)),
    );
  }, 60_000);

  it.each([
    ["another class", "App", { facet: "app", deployNumber: 1 }],
    ["a class by a path", "../app/Room", { facet: "app", deployNumber: 1 }],
    ["another environment", "Room", { facet: "preview:x", deployNumber: 1 }],
    ["another deploy", "Room", { facet: "app", deployNumber: 2 }],
    ["the rehearsal", "Room", { facet: "rehearsal", deployNumber: 1 }],
  ])("is refused %s", async (_, className, from) => {
    await visitText("isolation-worker", "/forge");
    const address = { className, objectId: idOfName("own") };
    const call = (caller: typeof from, to: typeof address): Promise<unknown> =>
      runInDurableObject(supervisorOf("isolation-worker"), (supervisor) =>
        supervisor.callObject(caller, to, "who", []),
      );
    expect(await call({ facet: "app", deployNumber: 1 }, { ...address, className: "Room" })).toBe(idOfName("own"));
    await expect(call(from, address)).rejects.toThrow(/has no Durable Object class|was replaced/);
  });

  it("has none that a visitor reaches by the mark", async () => {
    const mark = encodeURIComponent(
      JSON.stringify({ className: "Room", objectId: idOfName("own"), from: { facet: "app", deployNumber: 1 } }),
    );
    const request = new Request("http://isolation-worker.localhost/dig", { headers: { [OBJECT_HEADER]: mark } });
    const answered: unknown = await (await answerForApp(request, env, "isolation-worker")).json();
    expect(answered).toHaveProperty("importedEnv");
  }, 60_000);
});

function line(atMs: unknown): object {
  return { atMs, level: "info", text: "x" };
}

describe("two apps of the same code", () => {
  it("share neither memory nor data, nor objects of the same name", async () => {
    const source = `import { DurableObject } from "cloudflare:workers";
      let inMemory = 0;
      export class Room extends DurableObject {
        async count() {
          const stored = ((await this.ctx.storage.get("count")) ?? 0) + 1;
          await this.ctx.storage.put("count", stored);
          inMemory += 1;
          return stored + " " + inMemory;
        }
      }
      export default { async fetch(request, env) { return new Response(await env.ROOM.getByName("lobby").count()); } };`;
    const apps = ["isolation-twin", "isolation-other-twin"];
    for (const app of apps) await deploy(app, source, { className: "default", objects: ROOMS });
    const said = [];
    for (const app of [...apps, ...apps]) said.push(await visitText(app));
    expect(said).toEqual(["1 1", "1 1", "2 2", "2 2"]);
  }, 60_000);
});

describe("an app that floods its log", () => {
  it("takes no line of another's", async () => {
    const loud = appSource(`    for (let n = 0; n < 20_000; n += 1) console.log("flood", n);
    return new Response("flooded");`);
    const quiet = appSource(`    console.log("heard");
    return new Response("said");`);
    await deploy("isolation-loud", loud);
    await deploy("isolation-quiet", quiet);
    await Promise.all([visitText("isolation-loud"), visitText("isolation-quiet")]);
    await expect.poll(async () => (await readLines("isolation-quiet", "heard"))?.length, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => countDropped("isolation-loud"), { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await countDropped("isolation-quiet")).toBe(0);
  }, 60_000);
});

describe("an app that forges its log", () => {
  it("gets lines of no time but about now, and nothing that is no line", () => {
    const nowMs = Date.UTC(2026, 10, 21);
    const times = [nowMs - 5, 0, -1e300, 1e300, nowMs + 1].map(line);
    const others = [line(NaN), line("1"), { ...line(1), level: "fatal" }, { ...line(1), text: {} }, null, "x", []];
    const { lines } = readConsoleLines([...times, ...others], 0, nowMs);
    const dayAgoMs = nowMs - 24 * 60 * 60 * 1000;
    expect(lines.map(({ atMs }) => atMs)).toEqual([nowMs - 5, dayAgoMs, dayAgoMs, nowMs, nowMs]);
  });

  it("leaves a log and usage that can be read", async () => {
    const source = appSource(`    console.log("forged");
    return new Response("said");`);
    // The wrapper's own line, changed on its way into the array that is sent.
    const forging = `Object.defineProperty(Array.prototype, "0", { configurable: true, set(value) {
      if (value?.text === "forged") value.atMs = 8.64e15 + 1;
      Object.defineProperty(this, "0", { value, configurable: true, enumerable: true, writable: true });
    } });\n${source}`;
    await deploy("isolation-log", forging);
    await visitText("isolation-log");
    await expect.poll(async () => (await readLines("isolation-log", "forged"))?.length, { timeout: 10_000 }).toBe(1);
    const [forged] = (await readLines("isolation-log", "forged")) ?? [];
    expect(Math.abs((forged?.atMs ?? 0) - Date.now())).toBeLessThan(60_000);
    const usage = await supervisorOf("isolation-log").readUsage(1);
    expect(usage?.rows.reduce((sum, { logLines }) => sum + logLines, 0)).toBeGreaterThan(0);
  }, 60_000);
});

function readLines(app: string, text: string) {
  return supervisorOf(app).readLogs({ limit: 10, text });
}

async function countDropped(app: string): Promise<number> {
  return (await supervisorOf(app).readUsage(1))?.rows.reduce((sum, row) => sum + row.droppedLogLines, 0) ?? -1;
}

/** One line each, run at module scope before anything else of the app. */
const POISONS = [
  ["promises that never settle", "Promise.prototype.then = function () { return new Promise(() => {}); };"],
  ["a then on everything", "Object.prototype.then = function () {};"],
  ["arrays that do not iterate", "Array.prototype[Symbol.iterator] = function () { throw new Error('poisoned'); };"],
  [
    "setters on every object",
    "for (const name of ['exports', 'phase', 'thrown', 'kind', 'name', 'value', 'get']) Object.defineProperty(Object.prototype, name, { configurable: true, set() { throw new Error('poisoned'); }, get() { throw new Error('poisoned'); } });",
  ],
  [
    "no Reflect, JSON, queueMicrotask, scheduler",
    "for (const name of ['Reflect', 'JSON', 'queueMicrotask', 'scheduler', 'Promise', 'WeakMap', 'WebSocket', 'console']) Object.defineProperty(globalThis, name, { value: undefined, configurable: true, writable: true });",
  ],
  [
    "functions that cannot be applied",
    "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = Reflect.apply = () => { throw new Error('poisoned'); };",
  ],
  [
    "maps, sets and strings that throw",
    "for (const proto of [WeakMap.prototype, Map.prototype, Set.prototype, String.prototype]) for (const name of ['get', 'set', 'add', 'delete', 'forEach', 'slice', 'includes', 'startsWith', 'split']) if (name in proto) proto[name] = () => { throw new Error('poisoned'); };",
  ],
  [
    "a console that throws",
    "for (const name of Object.keys(console)) console[name] = () => { throw new Error('poisoned'); };",
  ],
] as const;

describe("an app that poisons what the wrapper uses", () => {
  it.each(POISONS)(
    "breaks at most itself, until its next deploy: %s",
    async (_, poison) => {
      const app = `isolation-poison-${POISONS.findIndex(([, each]) => each === poison)}`;
      const source = appSource("    return new Response(request.url.slice(-3));");
      // Imports run first: the wrapper has been imported before.
      const code = makeCode(`${poison}\n${source}`);
      await supervisorOf(app).openForPush();
      const rehearsal = await supervisorOf(app).rehearse({ code, varsJson: "{}" });
      if (rehearsal.kind !== "failed") {
        const { deploy: made } = await commitRehearsed(app, code.codeId);
        if (made === undefined) throw new Error("The commit made no deploy.");
        await supervisorOf(app).cutOver(made.number);
        // It may hang, which is its own affair.
        await within(visitText(app, "/bad").catch(String), 300);
      }
      await honestAnswers();
      await deploy(app, appSource(`    return new Response("mended");`));
      expect(await visitText(app)).toBe("mended");
      await honestAnswers();
    },
    60_000,
  );
});
