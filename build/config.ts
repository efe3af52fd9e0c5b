// The configuration of one commit, from wrangler.jsonc/.json/.toml, package.json and tsconfig.json at its root, and the entry
// that they lead to. Every file is read even where another is wrong, so that one push shows all that is wrong.
import { resolve as resolvePackage } from "resolve.exports";
import { type ConfigFile, isTable, parseConfigFile } from "./config-file.ts";
import { type EntryOutcome, findEntry } from "./entry.ts";
import type { BuildMessage } from "./messages.ts";
import { type OpenTree, readNamedFile } from "./open-tree.ts";
import { readTsconfig, type Tsconfig } from "./tsconfig.ts";
import {
  NO_WRANGLER_CONFIG,
  readWranglerConfig,
  WRANGLER_FILES,
  type WranglerConfig,
  type WranglerOutcome,
} from "./wrangler-config.ts";

/** All that a commit says about how it is built and run. */
export interface AppConfig extends WranglerConfig {
  /** The entry file, symlinks followed. An app of assets alone needs none. */
  readonly entry: EntryOutcome;
  /** Every package that package.json lists, in any of its kinds of dependencies. */
  readonly dependencies: readonly string[];
  readonly tsconfig: Tsconfig;
}

/** The configuration with its warnings, or what is wrong with it. */
export type ConfigOutcome =
  | { readonly kind: "read"; readonly config: AppConfig; readonly warnings: readonly BuildMessage[] }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[] };

/** Reads the configuration of an open tree. */
export async function readConfig(tree: OpenTree): Promise<ConfigOutcome> {
  const wranglerFile = await readFirst(tree, WRANGLER_FILES);
  const packageFile = await readFirst(tree, ["package.json"]);
  const wrangler: WranglerOutcome =
    wranglerFile.kind === "read"
      ? readWranglerConfig(wranglerFile.file)
      : { kind: "read", config: NO_WRANGLER_CONFIG, warnings: [] };
  const tsconfig = await readTsconfig(tree);
  const problems = [wranglerFile, packageFile].flatMap((file) => (file.kind === "failed" ? [file.message] : []));
  for (const outcome of [wrangler, tsconfig]) if (outcome.kind === "failed") problems.push(...outcome.messages);
  if (problems.length > 0 || wrangler.kind === "failed" || tsconfig.kind === "failed") {
    return { kind: "failed", messages: problems };
  }
  const packageJson = packageFile.kind === "read" ? packageFile.file.value : undefined;
  const entry = findEntry(tree.index, {
    configured: wrangler.config.main,
    wranglerFile: wranglerFile.kind === "read" ? wranglerFile.file : undefined,
    packaged: packageJson === undefined ? undefined : packageEntries(packageJson),
  });
  if (entry.kind === "failed" && wrangler.config.main !== undefined)
    return { kind: "failed", messages: [entry.message] };
  const config: AppConfig = {
    ...wrangler.config,
    entry,
    dependencies: packageJson === undefined ? [] : dependencyNames(packageJson),
    tsconfig: tsconfig.tsconfig,
  };
  return { kind: "read", config, warnings: [...wrangler.warnings, ...tsconfig.warnings] };
}

type FirstFile =
  | { readonly kind: "read"; readonly file: ConfigFile }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly message: BuildMessage };

async function readFirst(tree: OpenTree, paths: readonly string[]): Promise<FirstFile> {
  for (const path of paths) {
    const named = await readNamedFile(tree, path);
    if (named.kind === "failed") return named;
    if (named.kind === "found") return parseConfigFile(path, named.bytes);
  }
  return { kind: "absent" };
}

/** The paths of package.json that may be an entry, each with the field that names it, in the order in which they count. */
function packageEntries(packageJson: Readonly<Record<string, unknown>>): [field: string, path: string][] {
  const { exports, module, main } = packageJson;
  const exported = exportedPaths(exports);
  const entries = exported.map((path): [string, string] => ["exports", path]);
  if (typeof module === "string") entries.push(["module", module]);
  if (typeof main === "string") entries.push(["main", main]);
  return entries;
}

function exportedPaths(exports: unknown): string[] {
  if (exports === undefined) return [];
  try {
    const paths = resolvePackage({ name: "app", exports }, ".", {
      unsafe: true,
      conditions: ["workerd", "worker", "import"],
    });
    return Array.isArray(paths) ? paths : [];
  } catch {
    // resolve.exports throws where no condition applies: then the field names no entry, which is no error.
    return [];
  }
}

function dependencyNames(packageJson: Readonly<Record<string, unknown>>): string[] {
  const kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
  const names = kinds.flatMap((kind) => {
    const listed = packageJson[kind];
    return isTable(listed) ? Object.keys(listed) : [];
  });
  return [...new Set(names)].toSorted();
}
