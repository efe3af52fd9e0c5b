// Probes of what surrounds an object: its context and environment, the platform's built-ins, and Node's modules.
import * as runtime from "cloudflare:workers";
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { members, tryEach, type Probes, type Scene, type Seen } from "./outcome.ts";

// oxlint-disable typescript/unbound-method -- Reflect.apply gives methods arguments that their types refuse.
export const RUNTIME_PROBES: Probes = {
  context,
  env: environment,
  globals,
  node: nodeModules,
  crypto: cryptography,
  facets,
  timers,
  cache,
  platform,
  network,
};

const sorted = (value: object): string => Object.keys(value).toSorted().join(" ");

function context({ ctx }: Scene): Promise<Seen> {
  const exported: unknown = Reflect.get(ctx, "exports");
  return tryEach({
    keys: () => sorted(ctx),
    members: () => members(ctx),
    class: () => ctx.constructor.name,
    idText: () => /^[0-9a-f]{64}$/.test(ctx.id.toString()),
    idTemplate: () => /^[0-9a-f]{64}$/.test(String(ctx.id)),
    idEquals: () => [ctx.id.equals(ctx.id), Reflect.apply(ctx.id.equals, ctx.id, [ctx.id])],
    idName: () => ctx.id.name,
    idMembers: () => members(ctx.id),
    exports: () => typeof exported === "object" && exported !== null && sorted(exported),
    props: () => Reflect.get(ctx, "props"),
    container: () => ctx.container,
    waitUntil: () => ctx.waitUntil(scheduler.wait(1)),
    waitUntilValue: () => Reflect.apply(ctx.waitUntil, ctx, [5]),
    blocked: () => ctx.blockConcurrencyWhile(async () => (await scheduler.wait(1), "value")),
    blockedNested: () => ctx.blockConcurrencyWhile(() => ctx.blockConcurrencyWhile(async () => "inner")),
    blockedValue: () => Reflect.apply(ctx.blockConcurrencyWhile, ctx, [() => 5]),
    blockedThis: () =>
      ctx.blockConcurrencyWhile(async function callback(this: unknown) {
        return [typeof this, this === ctx];
      }),
    blockedNothing: () => Reflect.apply(ctx.blockConcurrencyWhile, ctx, []),
    autoResponseTimeout: () => ctx.getHibernatableWebSocketEventTimeout(),
  });
}

/** All but the binding that a class needs to be one of a Worker's objects. */
const variables = (env: object): string[] =>
  Object.keys(env)
    .filter((name) => name !== "OBJECTS")
    .toSorted();

function environment({ env }: Scene): Promise<Seen> {
  return tryEach({
    keys: () => variables(env),
    importedKeys: () => variables(runtime.env),
    isImported: () => env === runtime.env,
    variables: () => ["GREETING", "COUNT", "SETTINGS"].map((name) => Reflect.get(env, name)),
    processEnv: () => ["GREETING", "COUNT", "SETTINGS"].map((name) => process.env[name]),
    withEnv: () => runtime.withEnv({ OTHER: 1 }, () => [sorted(runtime.env), sorted(env) === sorted(runtime.env)]),
    processEnvKeys: () => sorted(process.env),
    moduleKeys: () => sorted(runtime),
    settable: () => Reflect.set(env, "ADDED", 1),
  });
}

function globals(): Promise<Seen> {
  const flags: unknown = Reflect.get(Reflect.get(globalThis, "Cloudflare") ?? {}, "compatibilityFlags");
  return tryEach({
    names: () => Object.getOwnPropertyNames(globalThis).toSorted().join(" "),
    flags: () => flags,
    navigator: () => [navigator.userAgent, navigator.language],
    console: () => members(console),
    performance: () => [typeof performance.now(), typeof performance.timeOrigin],
    eval: () => Reflect.apply(Reflect.get(globalThis, "eval"), undefined, ["1 + 1"]),
    function: () => typeof Reflect.construct(Function, ["return 1"]),
    wasm: () => String(Reflect.construct(WebAssembly.Module, [new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])])),
    self: () => Object.is(self, globalThis),
    stackLimit: () => Reflect.get(Error, "stackTraceLimit"),
  });
}

const NODE_MODULES =
  "assert async_hooks buffer child_process cluster console crypto dgram diagnostics_channel dns events fs fs/promises http http2 https inspector module net os path perf_hooks process punycode querystring readline sqlite stream stream/promises string_decoder test timers timers/promises tls tty url util v8 vm worker_threads zlib".split(
    " ",
  );

async function nodeModules(): Promise<Seen> {
  const modules = NODE_MODULES.map((name) => [name, async () => sorted(await import(`node:${name}`))] as const);
  const storage = new AsyncLocalStorage<string>();
  return tryEach({
    ...Object.fromEntries(modules),
    hash: () => createHash("sha256").update("x").digest("hex"),
    gzip: () => gunzipSync(gzipSync("text")).toString(),
    asyncContext: () => storage.run("kept", async () => (await scheduler.wait(1), storage.getStore())),
    base64: () => Buffer.from("é").toString("base64"),
    platform: () => [process.platform, process.version, typeof process.nextTick, process.cwd(), process.argv],
    temporaryFile: async () => {
      const { mkdtempSync, readFileSync, writeFileSync } = await import("node:fs");
      const file = `${mkdtempSync("/tmp/probe-")}/file`;
      writeFileSync(file, "kept");
      return readFileSync(file, "utf8");
    },
    files: async () => (await import("node:fs")).readdirSync("/"),
    bundle: async () => (await import("node:fs")).readdirSync("/bundle").toSorted(),
  });
}

/** Facets of the class itself, where it is one. */
function facets({ ctx }: Scene): Promise<Seen> {
  const exported: unknown = Reflect.get(ctx, "exports");
  const own = typeof exported === "object" && exported !== null ? exported : {};
  const children: unknown = Reflect.get(ctx, "facets");
  const call = (name: string, ...args: unknown[]): unknown => {
    const method: unknown = typeof children === "object" && children !== null && Reflect.get(children, name);
    return typeof method === "function" ? Reflect.apply(method, children, args) : "no such method";
  };
  const child = (): unknown =>
    call("get", "child", () => ({ class: Reflect.get(own, "App") ?? Reflect.get(own, "Suite") }));
  return tryEach({
    members: () => typeof children === "object" && children !== null && members(children),
    get: async () => {
      const facet = child();
      return (
        typeof facet === "object" &&
        facet !== null &&
        Reflect.apply(Reflect.get(facet, "fetch"), facet, ["http://x/status/204"])
      );
    },
    abort: () => call("abort", "child", new Error("over")),
    delete: () => call("delete", "child"),
  });
}

function cryptography(): Promise<Seen> {
  const data = new TextEncoder().encode("data");
  return tryEach({
    digest: () => crypto.subtle.digest("SHA-256", data),
    hmac: async () => {
      const key = await crypto.subtle.importKey("raw", data, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      return crypto.subtle.sign("HMAC", key, data);
    },
    encryption: async () => {
      const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
      if (!(key instanceof CryptoKey)) return "a pair";
      const with12 = { name: "AES-GCM", iv: new Uint8Array(12) };
      return crypto.subtle.decrypt(with12, key, await crypto.subtle.encrypt(with12, key, data));
    },
    badAlgorithm: () => crypto.subtle.digest("SHA-0", data),
    equal: () => crypto.subtle.timingSafeEqual(data, data),
    uuid: () => /^[0-9a-f-]{36}$/.test(crypto.randomUUID()),
    random: () => crypto.getRandomValues(new Uint8Array(4)).length,
    randomTooMany: () => crypto.getRandomValues(new Uint8Array(65_537)).length,
    digestStream: async () => {
      const stream = new crypto.DigestStream("SHA-1");
      await new Response("data").body?.pipeTo(stream);
      return stream.digest;
    },
    members: () => members(crypto.subtle),
  });
}

function timers(): Promise<Seen> {
  return tryEach({
    timeout: () => new Promise((resolve) => setTimeout(resolve, 1, "fired")),
    cleared: async () => {
      let isFired = false;
      const timer = setTimeout(() => (isFired = true), 1);
      clearTimeout(timer);
      await scheduler.wait(5);
      return isFired;
    },
    interval: () =>
      new Promise((resolve) => {
        let count = 0;
        const timer = setInterval(() => {
          count += 1;
          if (count < 3) return;
          clearInterval(timer);
          resolve(count);
        }, 1);
      }),
    handle: () => {
      const timer: unknown = setTimeout(() => undefined, 1);
      return [typeof timer, typeof timer === "object" && timer?.constructor.name];
    },
    microtask: () => new Promise((resolve) => queueMicrotask(() => resolve("ran"))),
    immediate: () => new Promise((resolve) => setImmediate(() => resolve("ran"))),
    wait: () => scheduler.wait(1),
    waitAborted: () => scheduler.wait(1000, { signal: AbortSignal.abort(new Error("stop")) }),
    timeoutSignal: () => scheduler.wait(1000, { signal: AbortSignal.timeout(1) }),
    anySignal: () => AbortSignal.any([AbortSignal.abort("why"), new AbortController().signal]).reason,
    clockMoves: async () => {
      const before = Date.now();
      await scheduler.wait(5);
      return Date.now() > before;
    },
  });
}

const stored = (): Response => new Response("kept", { headers: { "cache-control": "max-age=60", etag: '"e"' } });
const read = async (found: Response | undefined) => found && [found.status, await found.text()];

function cache(): Promise<Seen> {
  const url = "https://cache.example/probe";
  return tryEach({
    miss: async () => read(await caches.default.match(`${url}?${crypto.randomUUID()}`)),
    put: () => caches.default.put(url, stored()),
    match: async () => read(await caches.default.match(url)),
    named: async () => {
      const named = await caches.open("probe");
      await named.put(url, stored());
      return read(await named.match(url));
    },
    delete: () => caches.default.delete(url),
    deleted: async () => read(await caches.default.match(url)),
    post: () => caches.default.put(new Request(url, { method: "POST" }), stored()),
    members: () => [members(caches), members(caches.default)],
  });
}

function platform(): Promise<Seen> {
  return tryEach({
    rewriter: () =>
      new HTMLRewriter()
        .on("p", { element: (element) => void element.setInnerContent("new") })
        .transform(new Response("<p>old</p>"))
        .text(),
    compression: async () => {
      const packed = new Response("text").body?.pipeThrough(new CompressionStream("gzip"));
      return new Response(packed?.pipeThrough(new DecompressionStream("gzip"))).text();
    },
    pattern: () => new URLPattern({ pathname: "/:id" }).exec("https://a.example/7")?.pathname.groups,
    clone: () => structuredClone(new Map([[1, new Date(2)]])),
    form: async () => {
      const form = new FormData();
      form.set("file", new File(["abc"], "a.txt", { type: "text/plain" }));
      const file = (await new Response(form).formData()).get("file");
      return file instanceof File && [file.name, file.size, file.type];
    },
    channel: () => typeof MessageChannel,
    base64: () => [btoa("a"), atob("YQ==")],
    websocketPair: () => Object.keys(new WebSocketPair()),
    responseMembers: () => members(new Response()),
    requestMembers: () => members(new Request("https://a.example/")),
    responseJson: () => Response.json({ a: 1 }).headers.get("content-type"),
    badStatus: () => new Response("", { status: 99 }),
    nullBody: () => new Response("body", { status: 204 }),
    responseError: () => Response.error().status,
    badRedirect: () => Response.redirect("https://a.example/", 200).status,
    facets: () => typeof Reflect.get(runtime, "DurableObject"),
  });
}

/** The internet of these tests is public-internet.ts. */
function network(): Promise<Seen> {
  return tryEach({
    fetch: async () => (await fetch("http://any.egress.test/")).status,
    connect: async () => (await import("cloudflare:sockets")).connect("127.0.0.1:1").opened,
  });
}
