// tsconfig.json: the compiler options that change what esbuild makes of a file, and `paths`. `extends` is followed to files
// that the commit has. Type checking options are nobody's business here.
import { type ConfigFile, isTable, parseConfigFile } from "./config-file.ts";
import type { BuildMessage, SourceLocation } from "./messages.ts";
import { type OpenTree, readNamedFile } from "./open-tree.ts";
import { findPackageFolder, packageEntryPaths, splitSpecifier } from "./package.ts";
import { findFile } from "./tree-index.ts";
import { folderOf, joinPath } from "./tree-path.ts";
import type { Workspaces } from "./workspaces.ts";

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

/** Files read in all: what extends itself, by way of others or several times over, ends here. */
const MAX_READS = 32;

/** Where to look, and what extends may name. */
export interface TsconfigPlace {
  /** The folder of the app, where the file has its own name. */
  readonly root: string;
  /** The path that the wrangler configuration gives, and where it does. */
  readonly configured: { readonly path: string; readonly location: SourceLocation } | undefined;
  readonly workspaces: Workspaces;
}

/** Reads the app's tsconfig.json, or jsconfig.json, with all that it extends. No such file: no options. */
export async function readTsconfig(tree: OpenTree, place: TsconfigPlace): Promise<TsconfigOutcome> {
  const { root, configured, workspaces } = place;
  const names = configured === undefined ? ["tsconfig.json", "jsconfig.json"] : [configured.path];
  const paths = names.flatMap((name) => joinPath(root, name) ?? []);
  const path = paths.find((each) => findFile(tree.index, each) !== undefined);
  if (path === undefined && configured !== undefined) {
    const text = `tsconfig names "${configured.path}", which is not in this commit.`;
    return { kind: "failed", messages: [{ code: "config-invalid", text, location: configured.location }] };
  }
  if (path === undefined) return { kind: "read", tsconfig: { compilerOptions: {}, paths: [] }, warnings: [] };
  const reading: Reading = { tree, workspaces, leafFolder: folderOf(path), warnings: [], reads: 0 };
  const outcome = await readOptions(reading, path);
  if (outcome.kind === "failed") return { kind: "failed", messages: [outcome.message] };
  return {
    kind: "read",
    tsconfig: { compilerOptions: forEsbuild(outcome.options), paths: outcome.paths },
    warnings: reading.warnings,
  };
}

interface Reading {
  readonly tree: OpenTree;
  readonly workspaces: Workspaces;
  /** What ${configDir} stands for, wherever it is written. */
  readonly leafFolder: string;
  readonly warnings: BuildMessage[];
  reads: number;
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
  if (named.kind === "absent" || ++reading.reads > MAX_READS) return NO_OPTIONS;
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
  return merge(inherited, { kind: "read", options: own, paths: pathMappings(reading, file.path, own) });
}

async function readBase(reading: Reading, file: ConfigFile, base: string): Promise<Options> {
  const candidates = /^\.\.?(\/|$)/.test(base)
    ? basePaths(joinPath(folderOf(file.path), base))
    : await packageBases(reading, file.path, base);
  const found = candidates.find((candidate) => findFile(reading.tree.index, candidate) !== undefined);
  if (found !== undefined) return readOptions(reading, found);
  const { name } = splitSpecifier(base);
  const isPackage = !base.startsWith(".");
  reading.warnings.push({
    code: "build-warning",
    text: `${file.path} extends "${base}", which is not in this commit: its options are not applied.`,
    location: file.locate(["extends"]),
    ...(isPackage ? { fix: `Copy the options that matter into ${file.path}, or commit node_modules/${name}.` } : {}),
  });
  return NO_OPTIONS;
}

function basePaths(path: string | undefined): string[] {
  return path === undefined ? [] : [path, `${path}.json`, `${path}/tsconfig.json`];
}

/** TypeScript's order for a package: `exports`, the field `tsconfig`, a file of that name. */
async function packageBases({ tree, workspaces }: Reading, importer: string, base: string): Promise<string[]> {
  const { name, subpath } = splitSpecifier(base);
  const folder = findPackageFolder(tree.index, importer, name) ?? workspaces.get(name);
  if (folder === undefined) return [];
  const named = await readNamedFile(tree, `${folder}/package.json`);
  const parsed = named.kind === "found" ? parseConfigFile(named.path, named.bytes) : undefined;
  const packageJson = parsed?.kind === "read" ? parsed.file.value : {};
  const exported = packageJson["exports"] === undefined ? [] : packageEntryPaths(packageJson, subpath, true);
  const field = typeof packageJson["tsconfig"] === "string" ? packageJson["tsconfig"] : "tsconfig.json";
  return [...exported, subpath === "" ? field : subpath].flatMap((target) => basePaths(joinPath(folder, target)));
}

function merge(base: Options, own: Options): Options {
  if (base.kind === "failed" || own.kind === "failed") return own;
  return {
    kind: "read",
    options: { ...base.options, ...own.options },
    paths: own.paths.length > 0 ? own.paths : base.paths,
  };
}

const CONFIG_DIR = "${configDir}";

function pathMappings(reading: Reading, path: string, options: Readonly<Record<string, unknown>>): PathMapping[] {
  const { baseUrl, paths } = options;
  const resolve = (folder: string, target: string): string | undefined =>
    target.startsWith(CONFIG_DIR)
      ? joinPath(reading.leafFolder, `./${target.slice(CONFIG_DIR.length)}`)
      : joinPath(folder, target);
  const folder = typeof baseUrl === "string" ? resolve(folderOf(path), baseUrl) : folderOf(path);
  if (folder === undefined) return [];
  const mappings = Object.entries(isTable(paths) ? paths : {}).map(([pattern, targets]) => ({
    pattern,
    targets: (Array.isArray(targets) ? targets : []).flatMap((target) =>
      typeof target === "string" ? (resolve(folder, target) ?? []) : [],
    ),
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
