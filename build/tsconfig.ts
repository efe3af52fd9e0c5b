// tsconfig.json: the compiler options that change what esbuild makes of a file, and `paths`. `extends` is followed to files
// that the commit has. Type checking options are nobody's business here.
import { type ConfigFile, isTable, parseConfigFile } from "./config-file.ts";
import type { BuildMessage } from "./messages.ts";
import { type OpenTree, readNamedFile } from "./open-tree.ts";
import { findFile } from "./tree-index.ts";
import { folderOf, joinPath } from "./tree-path.ts";

/** What a build needs of tsconfig.json. */
export interface Tsconfig {
  /** For esbuild's tsconfigRaw. */
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  /** Patterns with at most one "*", each with the tree paths to try, as `paths` and `baseUrl` say. */
  readonly paths: readonly PathMapping[];
}

/** One entry of `paths`. */
export interface PathMapping {
  readonly pattern: string;
  readonly targets: readonly string[];
}

/** The options with warnings, or what is wrong with the file. */
export type TsconfigOutcome =
  | { readonly kind: "read"; readonly tsconfig: Tsconfig; readonly warnings: readonly BuildMessage[] }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[] };

/** esbuild's documented list; `paths` and `baseUrl` are resolved here and not by esbuild. */
const ESBUILD_OPTIONS: readonly string[] = [
  "alwaysStrict",
  "experimentalDecorators",
  "importsNotUsedAsValues",
  "jsx",
  "jsxFactory",
  "jsxFragmentFactory",
  "jsxImportSource",
  "preserveValueImports",
  "strict",
  "target",
  "useDefineForClassFields",
  "verbatimModuleSyntax",
];

const MAX_EXTENDS = 10;

/** Reads tsconfig.json of the root with all that it extends. No such file: no options. */
export async function readTsconfig(tree: OpenTree): Promise<TsconfigOutcome> {
  const reading: Reading = { tree, warnings: [], visited: new Set() };
  const outcome = await readOptions(reading, "tsconfig.json");
  if (outcome.kind === "failed") return { kind: "failed", messages: [outcome.message] };
  return {
    kind: "read",
    tsconfig: { compilerOptions: forEsbuild(outcome.options), paths: outcome.paths },
    warnings: reading.warnings,
  };
}

interface Reading {
  readonly tree: OpenTree;
  readonly warnings: BuildMessage[];
  readonly visited: Set<string>;
}

type Options =
  | {
      readonly kind: "read";
      readonly options: Readonly<Record<string, unknown>>;
      readonly paths: readonly PathMapping[];
    }
  | { readonly kind: "failed"; readonly message: BuildMessage };

const NO_OPTIONS: Options = { kind: "read", options: {}, paths: [] };

async function readOptions(reading: Reading, path: string): Promise<Options> {
  const named = await readNamedFile(reading.tree, path);
  if (named.kind === "failed") return named;
  if (named.kind === "absent" || reading.visited.has(named.path) || reading.visited.size > MAX_EXTENDS)
    return NO_OPTIONS;
  reading.visited.add(named.path);
  const parsed = parseConfigFile(named.path, named.bytes);
  if (parsed.kind === "failed") return parsed;
  const { file } = parsed;
  let inherited = NO_OPTIONS;
  for (const base of [file.value["extends"]].flat()) {
    if (typeof base !== "string") continue;
    const next = await readBase(reading, file, base);
    if (next.kind === "failed") return next;
    inherited = merge(inherited, next);
  }
  const own = isTable(file.value["compilerOptions"]) ? file.value["compilerOptions"] : {};
  return merge(inherited, { kind: "read", options: own, paths: pathMappings(file.path, own) });
}

async function readBase(reading: Reading, file: ConfigFile, base: string): Promise<Options> {
  const folder = base.startsWith(".") ? folderOf(file.path) : "node_modules";
  const path = joinPath(folder, base);
  const candidates = path === undefined ? [] : [path, `${path}.json`, `${path}/tsconfig.json`];
  const found = candidates.find((candidate) => findFile(reading.tree.index, candidate) !== undefined);
  if (found !== undefined) return readOptions(reading, found);
  reading.warnings.push({
    code: "build-warning",
    text: `${file.path} extends "${base}", which is not in this commit: its options are not applied.`,
    location: file.locate(["extends"]),
  });
  return NO_OPTIONS;
}

function merge(base: Options, own: Options): Options {
  if (base.kind === "failed" || own.kind === "failed") return own;
  return {
    kind: "read",
    options: { ...base.options, ...own.options },
    paths: own.paths.length > 0 ? own.paths : base.paths,
  };
}

function pathMappings(path: string, options: Readonly<Record<string, unknown>>): PathMapping[] {
  const { baseUrl, paths } = options;
  const folder = typeof baseUrl === "string" ? joinPath(folderOf(path), baseUrl) : folderOf(path);
  if (folder === undefined) return [];
  const mappings = Object.entries(isTable(paths) ? paths : {}).map(([pattern, targets]) => ({
    pattern,
    targets: (Array.isArray(targets) ? targets : [])
      .map((target) => (typeof target === "string" ? joinPath(folder, target) : undefined))
      .filter((target) => target !== undefined),
  }));
  const base = { pattern: "*", targets: [folder === "" ? "*" : `${folder}/*`] };
  return typeof baseUrl === "string" ? [...mappings, base] : mappings;
}

/** "preserve" and "react-native" would leave JSX in the bundle, which no runtime reads. */
function forEsbuild(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const known = ESBUILD_OPTIONS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]] as const);
  const chosen: Record<string, unknown> = Object.fromEntries(known);
  if (chosen["jsx"] === "preserve" || chosen["jsx"] === "react-native") chosen["jsx"] = "react-jsx";
  return chosen;
}
