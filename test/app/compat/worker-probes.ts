// Probes of an ordinary Worker: its context, the namespaces in its `env`, and what goes to and from its objects by RPC and fetch.
import * as runtime from "cloudflare:workers";
import type { App } from "./app.ts";
import { members, show, tryEach, type Seen } from "./outcome.ts";
import { Cursor, type Peer } from "./peer.ts";

/** What the Worker binds. */
export interface WorkerEnv {
  readonly SUITE: DurableObjectNamespace<App>;
  readonly PEER: DurableObjectNamespace<Peer>;
}

/** A probe inside the Worker. */
interface WorkerScene {
  readonly ctx: ExecutionContext;
  readonly env: WorkerEnv;
  readonly request: Request;
}

export const WORKER_PROBES: Readonly<Record<string, (scene: WorkerScene) => Promise<Seen>>> = {
  worker: context,
  namespace,
  ids,
  stub: stubs,
  values: echoed,
  thrown,
  rpc: calls,
  streams,
  "stub-fetch": fetches,
  gates,
};

const textOf = (value: object): unknown => Reflect.apply(String, undefined, [value]);
const sorted = (value: object): string => Object.keys(value).toSorted().join(" ");

function context({ ctx, env }: WorkerScene): Promise<Seen> {
  const exported: unknown = Reflect.get(ctx, "exports");
  const own = typeof exported === "object" && exported !== null ? exported : {};
  return tryEach({
    members: () => members(ctx),
    class: () => ctx.constructor.name,
    props: () => Reflect.get(ctx, "props"),
    exports: () => sorted(own),
    importedExports: () => sorted(runtime.exports),
    exportedClass: async () => {
      const peers: unknown = Reflect.get(own, "Peer");
      return isNamespace(peers) && (await peers.getByName("exported").who());
    },
    loopback: async () => {
      const worker: unknown = Reflect.get(own, "default");
      return isFetcher(worker) && (await worker.fetch("http://worker.example/status/202")).status;
    },
    waitUntil: () => ctx.waitUntil(scheduler.wait(1)),
    waitUntilValue: () => Reflect.apply(Reflect.get(ctx, "waitUntil"), ctx, [5]),
    importedWaitUntil: () => runtime.waitUntil(scheduler.wait(1)),
    passThrough: () => ctx.passThroughOnException(),
    withEnv: () => runtime.withEnv({ OTHER: 1 }, () => sorted(runtime.env)),
    isImported: () => Object.is(env, runtime.env),
    envKeys: () => sorted(env),
    variable: () => Reflect.get(env, "SETTINGS"),
  });
}

function isNamespace(value: unknown): value is DurableObjectNamespace<Peer> {
  return (typeof value === "object" || typeof value === "function") && value !== null && "getByName" in value;
}

function isFetcher(value: unknown): value is Fetcher {
  return typeof value === "object" && value !== null && "fetch" in value;
}

function namespace({ env: { PEER, SUITE } }: WorkerScene): Promise<Seen> {
  const call = (name: keyof typeof PEER, ...args: unknown[]) => Reflect.apply(Reflect.get(PEER, name), PEER, args);
  return tryEach({
    members: () => members(PEER),
    class: () => PEER.constructor.name,
    text: () => textOf(PEER),
    noName: () => String(call("idFromName")).length,
    numberName: () => call("idFromName", 5).name,
    emptyName: () => PEER.idFromName("").name,
    longName: async () => (await PEER.getByName("n".repeat(1025)).who())?.length,
    getNothing: () => typeof call("get"),
    getText: () => typeof call("get", "text"),
    getObject: () => typeof call("get", {}),
    getDigits: () => typeof call("get", { toString: () => "0".repeat(64) }),
    getByNothing: () => typeof call("getByName"),
    hint: () => PEER.get(PEER.idFromName("a"), { locationHint: "weur" }).name,
    otherNamed: async () => (await PEER.get(Reflect.apply(take, undefined, [SUITE.idFromName("a")])).who()) ?? "called",
    otherUnique: async () => (await PEER.get(Reflect.apply(take, undefined, [SUITE.newUniqueId()])).who()) ?? "called",
    nothingName: () => call("idFromName", undefined).name,
    nullName: () => call("idFromName", null).name,
    otherUniqueText: () => PEER.idFromString(String(SUITE.newUniqueId())).name,
    otherNamedText: () => PEER.idFromString(String(SUITE.idFromName("a"))).name,
    shortText: () => PEER.idFromString("abc"),
    noText: () => call("idFromString"),
    foreignText: () => PEER.idFromString("0".repeat(64)).name,
    upperText: () => PEER.idFromString(String(PEER.idFromName("a")).toUpperCase()).equals(PEER.idFromName("a")),
  });
}

const take = <T>(value: T): T => value;

function ids({ env: { PEER, SUITE } }: WorkerScene): Promise<Seen> {
  const named = PEER.idFromName("a");
  const unique = PEER.newUniqueId();
  return tryEach({
    members: () => members(named),
    keys: () => sorted(named),
    class: () => named.constructor.name,
    digits: () => [named, unique].map((id) => /^[0-9a-f]{64}$/.test(String(id))),
    names: () => [named.name, unique.name, PEER.idFromString(String(named)).name],
    hasName: () => ["name" in named, "name" in unique],
    same: () => [named.equals(PEER.idFromName("a")), named.equals(PEER.idFromName("b")), unique.equals(named)],
    read: () => [PEER.idFromString(String(named)).equals(named), PEER.idFromString(String(unique)).equals(unique)],
    equalsText: () => Reflect.apply(Reflect.get(named, "equals"), named, [String(named)]),
    equalsNothing: () => Reflect.apply(Reflect.get(named, "equals"), named, []),
    otherClass: () => String(SUITE.idFromName("a")) === String(named),
    json: () => JSON.stringify(named),
    sent: async () => typeof (await echoOf(PEER.get(named))(named)),
    ofObject: async () => (await PEER.get(PEER.idFromString(String(PEER.idFromName("unnamed")))).who()) ?? "none",
    ofUnique: async () => (await PEER.get(unique).who()) ?? "none",
  });
}

function stubs({ env: { PEER } }: WorkerScene): Promise<Seen> {
  const stub = PEER.getByName("a");
  const get = (name: string): unknown => Reflect.get(stub, name);
  return tryEach({
    type: () => typeof stub,
    class: () => stub.constructor.name,
    text: () => textOf(stub),
    keys: () => sorted(stub),
    has: () => ["fetch", "id", "who", "missing"].map((name) => name in stub),
    id: () => [stub.id.equals(PEER.idFromName("a")), stub.id.name, stub.name],
    uniqueName: () => PEER.get(PEER.newUniqueId()).name,
    awaited: async () => (await Promise.resolve(stub)) === stub,
    same: () => PEER.getByName("a") === stub,
    methodType: () => [typeof get("who"), typeof get("missing")],
    disposes: () => typeof Reflect.get(stub, Symbol.dispose),
    passed: () => Reflect.apply(Reflect.get(PEER.getByName("b"), "callOther"), undefined, [stub]),
    dup: () => typeof get("dup"),
    props: () => stub.props(),
  });
}

function echoOf(peer: DurableObjectStub<Peer>): (value: unknown) => Promise<unknown> {
  return async (value) => Reflect.apply(Reflect.get(peer, "echo"), peer, [value]);
}

class Point {
  x = 1;
}

function echoed(scene: WorkerScene): Promise<Seen> {
  const echo = echoOf(scene.env.PEER.getByName("a"));
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  return tryEach({
    nothing: () => echo(undefined),
    null: () => echo(null),
    numbers: () => echo([1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 7n]),
    text: () => echo("é😀\u0000"),
    date: () => echo(new Date(5)),
    map: () => echo(new Map([["a", new Set([1])]])),
    regexp: async () => String(await echo(/a+/g)),
    buffer: () => echo(new Uint8Array([1, 2, 3]).buffer),
    bytes: () => echo(new Uint8Array([1, 2, 3]).subarray(1)),
    error: async () => {
      const error = await echo(new RangeError("sent"));
      return error instanceof Error && [error.name, error.message, error.constructor.name];
    },
    cycle: async () => {
      const back = await echo(cycle);
      return typeof back === "object" && back !== null && Reflect.get(back, "self") === back;
    },
    instance: () => echo(new Point()),
    symbol: () => echo(Symbol("s")),
    weak: () => echo(new WeakMap()),
    promise: () => echo(Promise.resolve(4)),
    proxy: () => echo(new Proxy({ a: 1 }, {})),
    headers: async () => {
      const back = await echo(new Headers({ a: "1" }));
      return back instanceof Headers && [...back];
    },
    url: async () => String(await echo(new URL("http://a.example/"))),
    blob: async () => typeof (await echo(new Blob(["x"]))),
    large: async () => String(await echo("x".repeat(2_000_000))).length,
    tooLarge: async () =>
      String(await echo("x".repeat(40_000_000)).catch((error: unknown) => String(error).slice(0, 90))),
    sparse: () => echo([1, , 3]), // oxlint-disable-line no-sparse-arrays -- a value like any other
    count: () => scene.env.PEER.getByName("a").count(1, 2, 3),
  });
}

/** What the runtime says of an error's origin. */
const MARKS = ["durableObjectId", "remote"];

/** An error as its catcher sees it. */
async function caught(act: () => unknown): Promise<unknown> {
  try {
    return show(await act());
  } catch (error) {
    if (!(error instanceof Error)) return ["no error", show(error)];
    const own = Object.getOwnPropertyNames(error).filter((name) => !["stack", ...MARKS].includes(name));
    const values = own.map((name) => [name, show(Reflect.get(error, name))]);
    return { name: error.name, class: error.constructor.name, own: Object.fromEntries(values) };
  }
}

function thrown({ env: { PEER } }: WorkerScene): Promise<Seen> {
  const peer = PEER.getByName("thrown");
  const call = (name: string, ...args: unknown[]) => caught(() => Reflect.apply(Reflect.get(peer, name), peer, args));
  return tryEach({
    marks: () =>
      peer
        .throwRange()
        .catch((error: object) => [
          Reflect.get(error, "remote"),
          Reflect.get(error, "durableObjectId") === String(PEER.idFromName("thrown")),
        ]),
    range: () => call("throwRange"),
    own: () => call("throwOwn"),
    text: () => call("throwText"),
    rejected: () => call("reject"),
    missing: () => call("missing"),
    field: () => call("field"),
    fieldRead: () => caught(() => Reflect.get(peer, "field")),
    missingRead: () => caught(() => Reflect.get(peer, "missing")),
    getterRead: () => caught(() => Reflect.get(peer, "broken")),
    getterCalled: () => call("size"),
    objectMethod: () => call("toString"),
    alarm: () => call("alarm"),
    webSocketMessage: () => call("webSocketMessage"),
    target: () => caught(() => peer.cursor(1).refuse()),
    callback: () => call("callBack", () => Promise.reject(new RangeError("from the callback")), 1),
    fetch: () => caught(() => peer.fetch("http://peer.example/throw")),
    abort: () => call("putAndAbort"),
    afterAbort: () => caught(() => PEER.getByName("thrown").size),
    blocked: () => caught(() => PEER.getByName("blocked").blockAndThrow()),
    afterBlocked: () => caught(() => PEER.getByName("blocked").memory()),
  });
}

function calls({ env: { PEER } }: WorkerScene): Promise<Seen> {
  const peer = PEER.getByName("a");
  return tryEach({
    property: () => peer.size,
    nested: async () => (await peer.nested, Reflect.get(await peer.nested, "list")),
    pipelined: () => peer.cursor(1).next(),
    pipelinedDeeper: () => peer.cursor(1).follow().next(),
    pipelinedGetter: () => peer.cursor(1).at,
    pipelinedProperty: () => Reflect.get(Reflect.get(peer, "nested"), "list"),
    pipelinedFunction: () => Reflect.apply(Reflect.get(Reflect.get(peer, "nested"), "double"), undefined, [4]),
    target: async () => {
      using cursor = await peer.cursor(5);
      return [await cursor.next(), await cursor.next(), await cursor.at];
    },
    disposed: async () => {
      const cursor = await peer.cursor(5);
      cursor[Symbol.dispose]();
      return cursor.next();
    },
    ownTarget: () => peer.useCursor(new Cursor(10)),
    returnedFunction: async () => {
      using add = await peer.adder(3);
      return [await add(1), await add(2)];
    },
    callback: () => peer.callBack((text) => `heard ${text}`, 3),
    asyncCallback: () => peer.callBack(async (text) => (await scheduler.wait(1), text.length), 2),
    thenCalled: async () => peer.count(1).then((value: number) => value + 1),
    finallyCalled: async () => {
      let isCalled = false;
      await peer.count().finally(() => (isCalled = true));
      return isCalled;
    },
    caught: () => peer.reject().catch((error: unknown) => String(error)),
    resultClass: () => peer.count().constructor.name,
    resultDisposes: async () => typeof Reflect.get(await peer.cursor(1), Symbol.dispose),
    parallel: () => Promise.all([1, 2, 3].map((amount) => peer.count(...Array.from({ length: amount })))),
    exported: async () => (await PEER.getByName("named").who()) ?? "none",
  });
}

function streams({ env: { PEER } }: WorkerScene): Promise<Seen> {
  const peer = PEER.getByName("a");
  return tryEach({
    result: async () => new Response(await peer.bytes()).text(),
    argument: () => peer.read(new Response("from here").body ?? new ReadableStream()),
    writable: async () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const [, text] = await Promise.all([peer.write(writable), new Response(readable).text()]);
      return text;
    },
    objects: async () => {
      const stream: unknown = await (async () => Reflect.apply(Reflect.get(peer, "objects"), peer, []))();
      return stream instanceof ReadableStream && (await stream.getReader().read()).value;
    },
    response: async () => {
      const response = await peer.response();
      return [response.status, response.headers.get("x-own"), await response.text()];
    },
    request: () =>
      peer.describe(new Request("http://a.example/", { method: "PUT", body: "b", headers: { "x-own": "1" } })),
  });
}

const read = async (response: Response): Promise<unknown> => [response.status, await response.text()];

function fetches({ env: { PEER } }: WorkerScene): Promise<Seen> {
  const peer = PEER.getByName("a");
  return tryEach({
    text: async () => read(await peer.fetch("http://peer.example/path?q=1#part")),
    url: async () => read(await peer.fetch(new URL("http://peer.example/"))),
    init: async () =>
      read(await peer.fetch("http://peer.example/", { method: "POST", body: "sent", headers: { "x-own": "1" } })),
    request: async () => read(await peer.fetch(new Request("http://peer.example/", { method: "PUT", body: "b" }))),
    relative: async () => read(await peer.fetch("/relative")),
    redirect: async () => read(await peer.fetch("http://peer.example/redirect")),
    redirectManual: async () => {
      const response = await peer.fetch("http://peer.example/redirect", { redirect: "manual" });
      return [response.status, response.headers.get("location"), response.redirected];
    },
    redirectError: async () => (await peer.fetch("http://peer.example/redirect", { redirect: "error" })).status,
    status: async () => {
      const response = await peer.fetch("http://peer.example/status");
      return [response.status, response.statusText, response.ok, response.url, await response.text()];
    },
    aborted: async () =>
      (await peer.fetch("http://peer.example/", { signal: AbortSignal.abort(new Error("stop")) })).status,
    timedOut: async () => (await peer.fetch("http://peer.example/slow", { signal: AbortSignal.timeout(20) })).status,
    stream: async () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const answered = peer.fetch("http://peer.example/", { method: "POST", body: readable });
      const writer = writable.getWriter();
      await writer.write(new TextEncoder().encode("in parts"));
      await writer.close();
      return read(await answered);
    },
    usedBody: async () => {
      const request = new Request("http://peer.example/", { method: "POST", body: "b" });
      await request.text();
      return read(await peer.fetch(request));
    },
    cf: async () => read(await peer.fetch("http://peer.example/", { cf: { colo: "TST" } })),
  });
}

/** Events come in between or not, and nothing is answered that is not written. */
function gates({ env: { PEER } }: WorkerScene): Promise<Seen> {
  const times = Array.from({ length: 10 });
  return tryEach({
    input: async () => {
      const name = crypto.randomUUID();
      const peer = PEER.getByName(name);
      return Promise.all(times.map(() => peer.increment()));
    },
    timer: async () => {
      const peer = PEER.getByName(crypto.randomUUID());
      return Promise.all(times.map(() => peer.incrementLate()));
    },
    output: async () => {
      const name = crypto.randomUUID();
      const outcome = await caught(() => PEER.getByName(name).putAndAbort());
      return [outcome, await caught(() => PEER.getByName(name).confirmed())];
    },
  });
}
