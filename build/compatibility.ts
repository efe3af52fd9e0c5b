// What the runtime has at which compatibility date, as far as a build must know it: whether Node.js is on, and which of
// Node's modules exist. The dates were found by loading each module into workerd at every date; wrangler's own
// resolveNodejsCompat gives the rule for the flags.

/** The newest compatibility date of the runtime that this host runs on: that of the host's own wrangler.jsonc. */
export const RUNTIME_COMPATIBILITY_DATE = "2026-11-02";

/** The date of an app that names none. It stays as it is when the runtime moves on, so that such an app does not change. */
export const DEFAULT_COMPATIBILITY_DATE = "2026-11-02";

const NODEJS_DEFAULT_DATE = "2026-08-04";
const NODEJS_V2_DATE = "2024-09-23";
const ALWAYS = "";

/** Each of Node's modules, and the first compatibility date at which nodejs_compat brings it. */
const NODE_BUILTINS: Readonly<Record<string, string>> = {
  assert: ALWAYS,
  "assert/strict": ALWAYS,
  async_hooks: ALWAYS,
  buffer: ALWAYS,
  child_process: "2026-03-17",
  cluster: "2025-12-04",
  console: "2025-09-21",
  constants: ALWAYS,
  crypto: ALWAYS,
  dgram: "2026-01-29",
  diagnostics_channel: ALWAYS,
  dns: ALWAYS,
  "dns/promises": ALWAYS,
  domain: "2025-12-04",
  events: ALWAYS,
  fs: "2025-09-15",
  "fs/promises": ALWAYS,
  http: "2025-08-15",
  http2: "2025-09-01",
  https: "2025-08-15",
  inspector: "2026-01-29",
  "inspector/promises": "2026-01-29",
  module: ALWAYS,
  net: ALWAYS,
  os: "2025-09-15",
  path: ALWAYS,
  "path/posix": ALWAYS,
  "path/win32": ALWAYS,
  perf_hooks: "2026-03-17",
  process: ALWAYS,
  punycode: "2025-12-04",
  querystring: ALWAYS,
  readline: "2026-03-17",
  "readline/promises": "2026-03-17",
  repl: "2026-03-17",
  sqlite: "2026-01-29",
  stream: ALWAYS,
  "stream/consumers": ALWAYS,
  "stream/promises": ALWAYS,
  "stream/web": ALWAYS,
  string_decoder: ALWAYS,
  sys: "2024-09-23",
  test: ALWAYS,
  timers: ALWAYS,
  "timers/promises": ALWAYS,
  tls: ALWAYS,
  trace_events: "2025-12-04",
  tty: "2026-03-17",
  url: ALWAYS,
  util: ALWAYS,
  "util/types": ALWAYS,
  v8: "2026-03-17",
  vm: "2025-10-01",
  wasi: "2025-12-04",
  worker_threads: "2026-03-17",
  zlib: ALWAYS,
};

/** Modules that Node only has with "node:" in front. */
const PREFIX_ONLY = new Set(["sqlite", "test"]);

/** How an app's compatibility date and flags turn Node.js on. */
export interface NodejsSupport {
  readonly compatibilityDate: string;
  readonly mode: "on" | "async-hooks-only" | "off";
}

/** What importing one of Node's modules comes to. */
export type NodeBuiltin =
  | { readonly kind: "available"; readonly specifier: string }
  | { readonly kind: "needs-flag"; readonly specifier: string }
  | { readonly kind: "needs-date"; readonly specifier: string; readonly date: string }
  /** "node:" in front of a name that the runtime has not at any date. */
  | { readonly kind: "unknown"; readonly specifier: string };

/** Whether Node.js is on, by the rule that wrangler and workerd follow. */
export function nodejsSupport(compatibilityDate: string, flags: readonly string[]): NodejsSupport {
  const isDefault = compatibilityDate >= NODEJS_DEFAULT_DATE;
  const v1 = flags.includes("nodejs_compat") || (isDefault && !flags.includes("no_nodejs_compat"));
  const v2Default = isDefault || (v1 && compatibilityDate >= NODEJS_V2_DATE);
  const v2 = flags.includes("nodejs_compat_v2") || (v2Default && !flags.includes("no_nodejs_compat_v2"));
  if (v1 || v2) return { compatibilityDate, mode: "on" };
  return { compatibilityDate, mode: flags.includes("nodejs_als") ? "async-hooks-only" : "off" };
}

/** What a specifier means as one of Node's modules, or undefined where it is none: "fs" and "node:fs" are the same. */
export function findNodeBuiltin(specifier: string, nodejs: NodejsSupport): NodeBuiltin | undefined {
  const hasPrefix = specifier.startsWith("node:");
  const name = hasPrefix ? specifier.slice("node:".length) : specifier;
  const since = Object.hasOwn(NODE_BUILTINS, name) ? NODE_BUILTINS[name] : undefined;
  const prefixed = `node:${name}`;
  if (since === undefined || (PREFIX_ONLY.has(name) && !hasPrefix)) {
    return hasPrefix ? { kind: "unknown", specifier: prefixed } : undefined;
  }
  if (nodejs.mode === "async-hooks-only" && name === "async_hooks") return { kind: "available", specifier: prefixed };
  if (nodejs.mode !== "on") return { kind: "needs-flag", specifier: prefixed };
  if (nodejs.compatibilityDate < since) return { kind: "needs-date", specifier: prefixed, date: since };
  return { kind: "available", specifier: prefixed };
}

/** The names of Node's modules, for suggestions. */
export function nodeBuiltinNames(): string[] {
  return Object.keys(NODE_BUILTINS);
}
