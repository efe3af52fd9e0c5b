// A plain Durable Object and an app of this host, side by side: the same text of the same class, asked the same. What they answer
// differently is what the table in docs/apps.md lists, no more and no less.
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import type { Seen } from "./compat/outcome.ts";
import { commitCode, makeCode, supervisorOf } from "./deployment.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** vitest.config.ts: the class as text, and docs/apps.md. */
    readonly compat: { readonly source: string; readonly page: string };
  }
}

const APP = "compat";
/** As vitest.config.ts has it for the plain side. */
const VARIABLES = { GREETING: "hello" };

/** One of the two. */
interface Side {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Drops it from memory; its WebSockets hibernate. */
  evict(): Promise<void>;
}

const address = (path: string): string => `http://${APP}.localhost${path}`;

function plainSide(): Side {
  const namespace: unknown = Reflect.get(env, "PLAIN");
  if (!isNamespace(namespace)) throw new Error("vitest.config.ts binds no PLAIN.");
  // A stub for each request, as each of a Worker's has: one that saw its object break stays broken.
  const stub = (): DurableObjectStub => namespace.getByName(APP);
  return { fetch: (path, init) => stub().fetch(address(path), init), evict: () => evictDurableObject(stub()) };
}

function isNamespace(value: unknown): value is DurableObjectNamespace {
  return typeof value === "object" && value !== null && "getByName" in value;
}

async function hostedSide(): Promise<Side> {
  const { deploy } = await commitCode(APP, makeCode(inject("compat").source), JSON.stringify(VARIABLES));
  if (deploy === undefined) throw new Error("The commit made no deploy.");
  await supervisorOf(APP).cutOver(deploy.number);
  return {
    fetch: (path, init) => supervisorOf(APP).fetch(address(path), init),
    evict: () => evictDurableObject(supervisorOf(APP)),
  };
}

/** What a visitor gets: of the answer what differs by intent, or what the call threw. */
async function answer(side: Side, path: string, init?: RequestInit): Promise<unknown> {
  try {
    const response = await side.fetch(path, { redirect: "manual", ...init });
    const { status, statusText } = response;
    const headers = [...response.headers].filter(([name]) => name !== "content-length");
    return { status, statusText, headers, text: await response.text() };
  } catch (error) {
    return String(error);
  }
}

type Visit = (side: Side) => Promise<unknown>;

const STATUSES = [200, 201, 204, 205, 299, 304, 400, 404, 418, 500, 503, 599];

/** Requests and answers. */
const VISITS: Readonly<Record<string, Visit>> = {
  ...Object.fromEntries(
    STATUSES.map((status) => [`http.status${status}`, (side: Side) => answer(side, `/status/${status}`)] as const),
  ),
  ...Object.fromEntries(
    ["stream", "fixed", "redirect", "relative", "cookies", "encoded", "broken", "throw", "nothing", "abort"].map(
      (name) => [`http.${name}`, (side: Side) => answer(side, `/${name}`)] as const,
    ),
  ),
  "http.get": (side) => answer(side, "/request?q=a%20b", { headers: { "x-own": "1", cookie: "c=1" } }),
  "http.post": (side) => answer(side, "/request", { method: "POST", body: "text" }),
  "http.head": (side) => answer(side, "/request", { method: "HEAD" }),
  "http.method": (side) => answer(side, "/request", { method: "PROPFIND" }),
  "http.cf": (side) => answer(side, "/request", { cf: { colo: "TST" } }),
  "http.afterAbort": (side) => answer(side, "/status/200"),
  "http.aborted": (side) => answer(side, "/stream", { signal: AbortSignal.abort(new Error("gone")) }),
  "http.streamUp": (side) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    void (async () => {
      const writer = writable.getWriter();
      for (let at = 0; at < 3; at += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await writer.write(new TextEncoder().encode(`part ${at} `));
      }
      await writer.close();
    })();
    return answer(side, "/echo", { method: "POST", body: readable });
  },
  "http.cancelled": cancelled,
  "http.waitUntil": async (side) => [await answer(side, "/later"), await ending(side)],
  "http.large": async (side) => {
    const response = await side.fetch("/echo", { method: "PUT", body: new Uint8Array(3_000_000).fill(7) });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return [bytes.length, bytes.at(-1), response.headers.get("x-length")];
  },
};

/** After so long without a word none is expected any more. */
const SILENCE_MS = 1500;
const POLL_MS = 10;

/** The visitor goes away in the middle of an answer. */
async function cancelled(side: Side): Promise<unknown> {
  const reader = (await side.fetch("/endless")).body?.getReader();
  const first = await reader?.read();
  await reader?.cancel("enough");
  return [first?.done, await ending(side)];
}

/** The far end of a WebSocket. */
interface Connection {
  readonly status: number;
  readonly protocol: string | null;
  readonly socket: WebSocket;
  /** The next thing that happens, in words. */
  readonly next: () => Promise<string>;
}

async function connect(side: Side, path: string, headers: Record<string, string> = {}): Promise<Connection> {
  const response = await side.fetch(path, { headers: { upgrade: "websocket", ...headers } });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`No WebSocket came, but status ${response.status}.`);
  const happened: string[] = [];
  let wake: (() => void) | undefined;
  const note = (what: string): void => {
    happened.push(what);
    wake?.();
  };
  socket.addEventListener("message", ({ data }) =>
    note(typeof data === "string" ? data : `bytes ${[...new Uint8Array(data)].join(" ")}`),
  );
  socket.addEventListener("close", ({ code, reason, wasClean }) => note(`closed ${code} ${reason} ${wasClean}`));
  socket.addEventListener("error", ({ message }) => note(`error ${message}`));
  socket.accept();
  socket.binaryType = "arraybuffer";
  const next = async (): Promise<string> => {
    if (happened.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        void scheduler.wait(SILENCE_MS).then(resolve);
      });
    }
    return happened.shift() ?? "silence";
  };
  return { status: response.status, protocol: response.headers.get("sec-websocket-protocol"), socket, next };
}

/** Sends, and tells what came back for each. */
async function talk({ socket, next }: Connection, messages: readonly (string | Uint8Array)[]): Promise<string[]> {
  const heard: string[] = [];
  for (const message of messages) {
    socket.send(message);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    heard.push(await next());
  }
  return heard;
}

/** What the object wrote down of the end of a socket or body, once it did. */
async function ending(side: Side): Promise<unknown> {
  for (let waitedMs = 0; waitedMs < SILENCE_MS; waitedMs += POLL_MS) {
    // oxlint-disable-next-line no-await-in-loop -- a poll
    const end: unknown = await (await side.fetch("/end")).json();
    if (end !== null) return end;
    // oxlint-disable-next-line no-await-in-loop -- a poll
    await scheduler.wait(POLL_MS);
  }
  return "it was not told";
}

const SOCKETS: Readonly<Record<string, Visit>> = {
  "socket.talk": async (side) => {
    const connection = await connect(side, "/tagged", { "sec-websocket-protocol": "chat, other" });
    const welcome = await connection.next();
    const heard = await talk(connection, ["hi", new Uint8Array([1, 2]), "ping", "stamp", "attachment", "count"]);
    const counts: unknown = await (await side.fetch("/socket-count")).json();
    connection.socket.close(1000, "done");
    const closed = await connection.next();
    return {
      status: connection.status,
      protocol: connection.protocol,
      welcome,
      heard,
      counts,
      closed,
      end: await ending(side),
    };
  },
  "socket.hibernation": async (side) => {
    const connection = await connect(side, "/tagged");
    await connection.next();
    await side.evict();
    const heard = await talk(connection, ["hi", "attachment", "stamp", "ping", "count"]);
    connection.socket.send("close");
    return [heard, await connection.next()];
  },
  "socket.untagged": async (side) => {
    const connection = await connect(side, "/plain");
    const heard = [await connection.next(), ...(await talk(connection, ["stamp", "hi", ""]))];
    connection.socket.close(3000, "é");
    return [heard, await connection.next(), await ending(side)];
  },
  "socket.noCode": async (side) => {
    const connection = await connect(side, "/plain");
    await connection.next();
    connection.socket.close();
    return [await connection.next(), await ending(side)];
  },
  "socket.thrown": async (side) => {
    const connection = await connect(side, "/plain");
    await connection.next();
    connection.socket.send("throw");
    return talk(connection, ["hi"]);
  },
  "socket.aborted": async (side) => {
    const connections = [await connect(side, "/plain"), await connect(side, "/held")];
    await connections[0]?.next();
    await answer(side, "/abort");
    return Promise.all(connections.map(({ next }) => next()));
  },
  "socket.held": async (side) => {
    const connection = await connect(side, "/held");
    return talk(connection, ["a", new Uint8Array([3]), "close"]);
  },
};

/** Alarms that ring. */
const RINGS: Readonly<Record<string, Visit>> = {
  "ring.once": (side) => ring(side, "/ring", 1),
  "ring.retry": (side) => ring(side, "/ring?fails", 2),
};

async function ring(side: Side, path: string, count: number): Promise<unknown> {
  await (await side.fetch(path)).text();
  for (let waitedMs = 0; waitedMs < 5 * SILENCE_MS; waitedMs += POLL_MS) {
    // oxlint-disable-next-line no-await-in-loop -- a poll
    const rings: Seen[] = await (await side.fetch("/rings")).json();
    // The time that a clock says differs between two runs.
    if (rings.length >= count)
      return rings.map(({ scheduledTime, ...seen }) => ({ ...seen, scheduled: typeof scheduledTime }));
    // oxlint-disable-next-line no-await-in-loop -- a poll
    await scheduler.wait(POLL_MS);
  }
  return "it did not ring";
}

/** Everything that one side does, by the name of each thing. */
async function observe(side: Side): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const probes: string[] = await (await side.fetch("/probes")).json();
  for (const probe of probes) {
    // oxlint-disable no-await-in-loop -- one object, one thing at a time
    await (await side.fetch("/clear")).text();
    const response = await side.fetch(`/probe/${probe}`);
    if (response.status !== 200) throw new Error(`${probe} got ${response.status}: ${await response.text()}`);
    const things: Seen = await response.json();
    for (const [name, value] of Object.entries(things)) seen.set(`${probe}.${name}`, JSON.stringify(value));
  }
  for (const [name, visit] of Object.entries({ ...VISITS, ...SOCKETS, ...RINGS })) {
    await (await side.fetch("/clear")).text();
    seen.set(name, JSON.stringify(await visit(side)) ?? "undefined");
    // oxlint-enable no-await-in-loop
  }
  return seen;
}

/** The probes that the page's table names, in the first column. */
function listedDifferences(page: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith("Differences from a Durable Object of your own"));
  const rows = (section ?? "").split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

describe("the same class as a plain Durable Object and as an app", () => {
  it("behaves the same but for what docs/apps.md lists", async () => {
    const [there, here] = await Promise.all([observe(plainSide()), hostedSide().then(observe)]);
    expect([...here.keys()]).toEqual([...there.keys()]);
    const differences = [...there].filter(([name, value]) => here.get(name) !== value);
    const listed = listedDifferences(inject("compat").page);
    const unlisted = differences.filter(([name]) => !listed.includes(name));
    expect(unlisted.map(([name, value]) => `${name}\n  there: ${value}\n  here:  ${here.get(name)}`).join("\n")).toBe(
      "",
    );
    expect(listed.filter((name) => !differences.some(([other]) => other === name))).toEqual([]);
  }, 60_000);
});
