// The configuration of one commit, from wrangler.jsonc/.json/.toml, package.json and tsconfig.json in the app's folder, and the
// entry that they lead to. Every file is read even where another is wrong, so that one push shows all that is wrong.
import { resolve as resolvePackage } from "resolve.exports";
import { type ConfigFile, isTable, parseConfigFile } from "./config-file.ts";
import { type EntryOutcome, findEntry } from "./entry.ts";
import type { BuildMessage } from "./messages.ts";
import { type OpenTree, readNamedFile } from "./open-tree.ts";
import { readSlipwayConfig, type SlipwayConfig } from "./slipway-config.ts";
import { folderOf } from "./tree-path.ts";
import { readTsconfig, type Tsconfig, type TsconfigPlace } from "./tsconfig.ts";
import { readWorkspaces, type Workspaces } from "./workspaces.ts";
import {
  NO_WRANGLER_CONFIG,
  readWranglerConfig,
  WRANGLER_FILES,
  type WranglerConfig,
  type WranglerOutcome,
} from "./wrangler-config.ts";

/** All that a commit says about how it is built and run. */
export interface AppConfig extends Omit<WranglerConfig, "tsconfig">, SlipwayConfig {
  /** The folder that the app is in, where its configuration was looked for. */
  readonly root: string;
  readonly wranglerFile: ConfigFile | undefined;
  readonly packageFile: ConfigFile | undefined;
  /** Every package that package.json lists, in any of its kinds of dependencies; in a monorepo also those of its root. */
  readonly dependencies: readonly string[];
  readonly tsconfig: Tsconfig;
  readonly workspaces: Workspaces;
}

/** The configuration with its warnings, or what is wrong with it. */
export type ConfigOutcome =
  | { readonly kind: "read"; readonly config: AppConfig; readonly warnings: readonly BuildMessage[] }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[] };

/** Reads the configuration of an app in a folder of an open tree. */
export async function readConfig(tree: OpenTree, root: string): Promise<ConfigOutcome> {
  const wranglerFile = await readFirst(tree, root, WRANGLER_FILES);
  const packageFile = await readFirst(tree, root, ["package.json"]);
  const wrangler: WranglerOutcome =
    wranglerFile.kind === "read"
      ? readWranglerConfig(wranglerFile.file)
      : { kind: "read", config: NO_WRANGLER_CONFIG, warnings: [] };
  const workspaces = await readWorkspaces(tree, root);
  const tsconfig = await readTsconfig(tree, {
    root,
    configured: configuredTsconfig(wrangler, wranglerFile),
    workspaces,
  });
  const slipway = readSlipwayConfig(packageFile.kind === "read" ? packageFile.file : undefined);
  const problems = [wranglerFile, packageFile].flatMap((file) => (file.kind === "failed" ? [file.message] : []));
  for (const outcome of [wrangler, tsconfig, slipway]) {
    if (outcome.kind === "failed") problems.push(...outcome.messages);
  }
  if (problems.length > 0 || wrangler.kind === "failed" || tsconfig.kind === "failed" || slipway.kind === "failed") {
    return { kind: "failed", messages: problems };
  }
  const config: AppConfig = {
    ...wrangler.config,
    ...slipway.config,
    root,
    wranglerFile: wranglerFile.kind === "read" ? wranglerFile.file : undefined,
    packageFile: packageFile.kind === "read" ? packageFile.file : undefined,
    dependencies: await allDependencies(tree, root),
    tsconfig: tsconfig.tsconfig,
    workspaces,
  };
  return { kind: "read", config, warnings: [...wrangler.warnings, ...tsconfig.warnings] };
}

/** Finds the entry of an app whose configuration was read. */
export function findAppEntry(tree: OpenTree, config: AppConfig): EntryOutcome {
  const { root, main, wranglerFile, packageFile } = config;
  return findEntry(tree.index, {
    root,
    configured: main,
    wranglerFile,
    packaged: packageFile === undefined ? undefined : packageEntries(packageFile.value),
  });
}

function configuredTsconfig(wrangler: WranglerOutcome, file: FirstFile): TsconfigPlace["configured"] {
  if (wrangler.kind === "failed" || file.kind !== "read" || wrangler.config.tsconfig === undefined) return undefined;
  return { path: wrangler.config.tsconfig, location: file.file.locate(["tsconfig"]) };
}

type FirstFile =
  | { readonly kind: "read"; readonly file: ConfigFile }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly message: BuildMessage };

async function readFirst(tree: OpenTree, root: string, names: readonly string[]): Promise<FirstFile> {
  for (const name of names) {
    const path = root === "" ? name : `${root}/${name}`;
    const named = await readNamedFile(tree, path);
    if (named.kind === "failed") return named;
    if (named.kind === "found") return parseConfigFile(path, named.bytes);
  }
  return { kind: "absent" };
}

/** The paths of package.json that may be an entry, each with the field that names it, in the order in which they count. */
export function packageEntries(packageJson: Readonly<Record<string, unknown>>): [field: string, path: string][] {
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

/** Those of the folder and of every folder above it: a monorepo installs the root's for all. */
async function allDependencies(tree: OpenTree, root: string): Promise<string[]> {
  const names = new Set<string>();
  for (let folder = root; ; folder = folderOf(folder)) {
    const file = await readFirst(tree, folder, ["package.json"]);
    if (file.kind === "read") for (const name of dependencyNames(file.file.value)) names.add(name);
    if (folder === "") return [...names].toSorted();
  }
}

function dependencyNames(packageJson: Readonly<Record<string, unknown>>): string[] {
  const kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
  return kinds.flatMap((kind) => {
    const listed = packageJson[kind];
    return isTable(listed) ? Object.keys(listed) : [];
  });
}
