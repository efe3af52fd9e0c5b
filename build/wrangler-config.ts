// What a build takes from wrangler.jsonc, .json or .toml, checked key by key as wrangler documents them. How the
// entry becomes modules is read by wrangler-bundling.ts; which keys there are is known to wrangler-keys.ts.
import { type AssetsTable, DEFAULT_ASSETS, readAssetsTable } from "./assets-config.ts";
import { readStoredNames, type StoredNames } from "./class-names.ts";
import { DEFAULT_COMPATIBILITY_DATE, RUNTIME_COMPATIBILITY_DATE } from "./compatibility.ts";
import { type ConfigCheck, isString, isStringList, isTableList, startCheck, valueAt } from "./config-check.ts";
import { type ConfigFile, isTable } from "./config-file.ts";
import { readCrons } from "./cron.ts";
import type { BuildMessage } from "./messages.ts";
import {
  type BuildCommand,
  type BundlingConfig,
  DEFAULT_BUNDLING,
  readBuildCommand,
  readBundling,
} from "./wrangler-bundling.ts";
import { keyWarnings, unsupportedKeys } from "./wrangler-keys.ts";

/** Any value that JSON can write. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The part of a wrangler configuration that a build and its app need. */
export interface WranglerConfig {
  readonly main: string | undefined;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, JsonValue>>;
  /** durable_objects.bindings, in order. */
  readonly objectBindings: readonly ObjectBinding[];
  /** Classes that migrations renamed. */
  readonly storedNames: StoredNames;
  /** triggers.crons, as they are written. */
  readonly crons: readonly string[];
  /** The path of the tsconfig.json to use, as it is written. */
  readonly tsconfig: string | undefined;
  readonly bundling: BundlingConfig;
  readonly buildCommand: BuildCommand | undefined;
  readonly assets: AssetsTable;
}

/** A Durable Object class of the app's own, and the name in `env` that reaches its objects. */
export interface ObjectBinding {
  readonly name: string;
  readonly className: string;
}

/** A repository without a wrangler configuration. */
export const NO_WRANGLER_CONFIG: WranglerConfig = {
  main: undefined,
  compatibilityDate: DEFAULT_COMPATIBILITY_DATE,
  compatibilityFlags: [],
  vars: {},
  objectBindings: [],
  storedNames: {},
  crons: [],
  tsconfig: undefined,
  bundling: DEFAULT_BUNDLING,
  buildCommand: undefined,
  assets: DEFAULT_ASSETS,
};

/** The names of the file, in wrangler's own order: where a repository has two, wrangler reads the first. */
export const WRANGLER_FILES: readonly string[] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** The configuration with the warnings, or all that is wrong with it. */
export type WranglerOutcome =
  | { readonly kind: "read"; readonly config: WranglerConfig; readonly warnings: readonly BuildMessage[] }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[] };

/** Reads the keys that matter. Every problem is found, not only the first. */
export function readWranglerConfig(file: ConfigFile): WranglerOutcome {
  const check = startCheck(file);
  const assets = readAssetsTable(file);
  const main = check.value(["main"], 'a path such as "src/index.ts"', isString);
  const date = check.value(["compatibility_date"], `a date such as "${RUNTIME_COMPATIBILITY_DATE}"`, isString);
  const bindings = check.value(["durable_objects", "bindings"], "a list of tables", isTableList) ?? [];
  const config: WranglerConfig = {
    main,
    compatibilityDate: date ?? DEFAULT_COMPATIBILITY_DATE,
    compatibilityFlags: check.value(["compatibility_flags"], "a list of strings", isStringList) ?? [],
    vars: check.value(["vars"], "a table of variables", isJsonTable) ?? {},
    objectBindings: bindings.flatMap((_, at) => readBinding(check, at) ?? []),
    storedNames: readStoredNames(file.value["migrations"]),
    crons: readCrons(check),
    tsconfig: check.value(["tsconfig"], 'a path such as "tsconfig.json"', isString),
    bundling: readBundling(check),
    buildCommand: readBuildCommand(check),
    assets: assets.table,
  };
  const problems = [...unsupportedKeys(file), ...check.problems, ...assets.problems, ...dateProblems(file, date)];
  if (problems.length > 0) {
    const inOrder = problems.toSorted((a, b) => (a.location?.line ?? 0) - (b.location?.line ?? 0));
    return { kind: "failed", messages: inOrder };
  }
  return { kind: "read", config, warnings: [...missingDate(file, date), ...keyWarnings(file)] };
}

/** A binding; undefined where something is wrong with it. */
function readBinding(check: ConfigCheck, at: number): ObjectBinding | undefined {
  const { file, problems } = check;
  const keys = ["durable_objects", "bindings", at];
  const binding = valueAt(file.value, keys);
  const { name, class_name: className, script_name: scriptName } = isTable(binding) ? binding : {};
  for (const [key, value] of [
    ["name", name],
    ["class_name", className],
  ] as const) {
    if (typeof value === "string" && value !== "") continue;
    const text = `A binding in durable_objects.bindings must have a ${key}.`;
    problems.push({ code: "config-invalid", text, location: file.locate([...keys, key]) });
    return undefined;
  }
  if (typeof name !== "string" || typeof className !== "string") return undefined;
  if (scriptName === undefined || scriptName === file.value["name"]) return { name, className };
  problems.push({
    code: "config-unsupported",
    text: `The class ${className} is another Worker's (script_name), and an app reaches only its own classes here.`,
    location: file.locate([...keys, "script_name"]),
    fix: "Call the other app at its own address with fetch.",
  });
  return undefined;
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

/** A parsed file holds nothing that JSON cannot write, so a table of it is a table of JSON values. */
function isJsonTable(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return isTable(value);
}
