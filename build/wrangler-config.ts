// What a build takes from wrangler.jsonc, .json or .toml, checked key by key as wrangler documents them. Keys that only say
// how a Worker is reached or watched on Cloudflare (routes, observability, limits and such) are not this host's, and are let be.
import { type AssetsTable, DEFAULT_ASSETS, readAssetsTable } from "./assets-config.ts";
import { DEFAULT_COMPATIBILITY_DATE, RUNTIME_COMPATIBILITY_DATE } from "./compatibility.ts";
import { type ConfigFile, type ConfigKeys, isTable } from "./config-file.ts";
import type { BuildMessage } from "./messages.ts";

/** Any value that JSON can write. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The part of a wrangler configuration that a build and its app need. */
export interface WranglerConfig {
  readonly main: string | undefined;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, JsonValue>>;
  /** The class names of durable_objects.bindings, each once, in order. */
  readonly boundClasses: readonly string[];
  readonly assets: AssetsTable;
}

/** A repository without a wrangler configuration. */
export const NO_WRANGLER_CONFIG: WranglerConfig = {
  main: undefined,
  compatibilityDate: DEFAULT_COMPATIBILITY_DATE,
  compatibilityFlags: [],
  vars: {},
  boundClasses: [],
  assets: DEFAULT_ASSETS,
};

/** The names of the file, in wrangler's own order: where a repository has two, wrangler reads the first. */
export const WRANGLER_FILES: readonly string[] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** The configuration with the warnings, or all that is wrong with it. */
export type WranglerOutcome =
  | { readonly kind: "read"; readonly config: WranglerConfig; readonly warnings: readonly BuildMessage[] }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[] };

/** Bindings that code calls, which this host does not have, with what does the same here. */
const UNSUPPORTED_BINDINGS: Readonly<Record<string, string>> = {
  ai: "Call the model's own HTTP API with fetch.",
  analytics_engine_datasets: "Write the figures to the app's own SQL storage.",
  browser: "Call a browser service with fetch.",
  d1_databases: "Use the Durable Object's own SQL storage, ctx.storage.sql.",
  dispatch_namespaces: "An app cannot start other apps here.",
  hyperdrive: "Use the Durable Object's own SQL storage, ctx.storage.sql.",
  images: "Call an image service with fetch.",
  kv_namespaces: "Use the Durable Object's own storage, ctx.storage.kv.",
  mtls_certificates: "Client certificates cannot be used here.",
  pipelines: "Write the records to the app's own SQL storage.",
  queues: "Keep a table of jobs, and work on it in alarm().",
  r2_buckets: "Keep blobs under 2 MB in ctx.storage, and larger ones in a storage service with fetch.",
  send_email: "Call a mail service with fetch.",
  services: "Call the other app at its own address with fetch.",
  vectorize: "Keep the vectors in the app's own SQL storage.",
  worker_loaders: "An app cannot load other Workers here.",
  workflows: "Keep the steps in a table, and work on them in alarm().",
};

/** Keys that change what wrangler bundles, are not read here, and would be missed without a word. */
const UNREAD_KEYS: readonly string[] = ["build", "define", "no_bundle"];

/** Reads the keys that matter. Every problem is found, not only the first. */
export function readWranglerConfig(file: ConfigFile): WranglerOutcome {
  const problems: BuildMessage[] = [...unsupportedBindings(file)];
  const check = <T>(keys: ConfigKeys, expected: string, is: (value: unknown) => value is T): T | undefined => {
    const value = valueAt(file.value, keys);
    if (value === undefined || is(value)) return value;
    const text = `${keys.join(".")} must be ${expected}, not ${kindOf(value)}.`;
    problems.push({ code: "config-invalid", text, location: file.locate(keys) });
    return undefined;
  };
  const main = check(["main"], 'a path such as "src/index.ts"', isString);
  const date = check(["compatibility_date"], `a date such as "${RUNTIME_COMPATIBILITY_DATE}"`, isString);
  const flags = check(["compatibility_flags"], "a list of strings", isStringList) ?? [];
  const vars = check(["vars"], "a table of variables", isJsonTable) ?? {};
  const bindings = check(["durable_objects", "bindings"], "a list of tables", isTableList) ?? [];
  const bound = bindings.map((_, at) => readBinding(file, at));
  const assets = readAssetsTable(file);
  problems.push(...assets.problems);
  problems.push(...dateProblems(file, date), ...bound.filter((binding) => typeof binding !== "string"));
  const inOrder = problems.toSorted((a, b) => (a.location?.line ?? 0) - (b.location?.line ?? 0));
  if (inOrder.length > 0) return { kind: "failed", messages: inOrder };
  const config: WranglerConfig = {
    main,
    compatibilityDate: date ?? DEFAULT_COMPATIBILITY_DATE,
    compatibilityFlags: flags,
    vars,
    boundClasses: [...new Set(bound.filter((binding) => typeof binding === "string"))],
    assets: assets.table,
  };
  return { kind: "read", config, warnings: [...missingDate(file, date), ...unreadKeys(file)] };
}

/** The class that a binding names, or what is wrong with the binding. */
function readBinding(file: ConfigFile, at: number): string | BuildMessage {
  const keys = ["durable_objects", "bindings", at];
  const binding = valueAt(file.value, keys);
  const { class_name: className, script_name: scriptName } = isTable(binding) ? binding : {};
  if (typeof className !== "string" || className === "") {
    const text = "A binding in durable_objects.bindings must have a class_name.";
    return { code: "config-invalid", text, location: file.locate([...keys, "class_name"]) };
  }
  if (scriptName === undefined || scriptName === file.value["name"]) return className;
  return {
    code: "config-unsupported",
    text: `The class ${className} is another Worker's (script_name), and an app reaches only its own classes here.`,
    location: file.locate([...keys, "script_name"]),
    fix: "Call the other app at its own address with fetch.",
  };
}

function dateProblems(file: ConfigFile, date: string | undefined): BuildMessage[] {
  if (date === undefined) return [];
  const location = file.locate(["compatibility_date"]);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || Number.isNaN(Date.parse(date))) {
    const text = `compatibility_date must be a date such as "${RUNTIME_COMPATIBILITY_DATE}", not "${date}".`;
    return [{ code: "config-invalid", text, location }];
  }
  if (date <= RUNTIME_COMPATIBILITY_DATE) return [];
  return [
    {
      code: "config-invalid",
      text: `compatibility_date ${date} is newer than this host's runtime, which knows dates up to ${RUNTIME_COMPATIBILITY_DATE}.`,
      location,
      fix: `Set it to "${RUNTIME_COMPATIBILITY_DATE}" or earlier.`,
    },
  ];
}

function missingDate(file: ConfigFile, date: string | undefined): BuildMessage[] {
  if (date !== undefined) return [];
  const text = `${file.path} has no compatibility_date: ${DEFAULT_COMPATIBILITY_DATE} is used.`;
  return [{ code: "build-warning", text, fix: `Set "compatibility_date" to "${DEFAULT_COMPATIBILITY_DATE}".` }];
}

function unsupportedBindings(file: ConfigFile): BuildMessage[] {
  return Object.entries(UNSUPPORTED_BINDINGS)
    .filter(([key]) => !isEmpty(file.value[key]))
    .map(([key, fix]) => ({
      code: "config-unsupported",
      text: `This host has nothing to bind for ${key}.`,
      location: file.locate([key]),
      fix,
    }));
}

function unreadKeys(file: ConfigFile): BuildMessage[] {
  return UNREAD_KEYS.filter((key) => !isEmpty(file.value[key])).map((key) => ({
    code: "config-unsupported",
    text: `This host does not read ${key}: the app is bundled from its entry as if it were not there.`,
    location: file.locate([key]),
  }));
}

function valueAt(value: unknown, keys: ConfigKeys): unknown {
  let at = value;
  for (const key of keys) {
    if (Array.isArray(at) && typeof key === "number") at = at[key];
    else if (isTable(at)) at = at[key];
    else return undefined;
  }
  return at;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  return Array.isArray(value) ? value.length === 0 : isTable(value) && Object.values(value).every(isEmpty);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString);
}

function isTableList(value: unknown): value is Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) && value.every(isTable);
}

/** A parsed file holds nothing that JSON cannot write, so a table of it is a table of JSON values. */
function isJsonTable(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return isTable(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a table" : `a ${typeof value}`;
}
