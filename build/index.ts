// The build, from the files of a commit to modules or messages: configuration, then the bundle, then what goes beside it.
// It imports nothing of the host, and knows neither git nor apps.
import { findRoot, type RootSetting } from "./app-root.ts";
import { envFileWarnings } from "./env-files.ts";
import { type AssetConfig, assetsOnlyModule, type BuiltAsset, collectAssets } from "./assets.ts";
import type { BundledCode, BundleRequest, BundleStats } from "./bundle-request.ts";
import { type Builder, bundleInIsolate, writeInIsolate } from "./builder.ts";
import type { StoredNames } from "./class-names.ts";
import { nodejsSupport, RUNTIME_COMPATIBILITY_DATE } from "./compatibility.ts";
import { type AppConfig, findAppEntry, readConfig } from "./config.ts";
import type { EsbuildRun } from "./esbuild-arguments.ts";
import { type BuildLimits, nearLimits } from "./limits.ts";
import { makeFiles, type MadeOutcome, type RunEsbuild } from "./made-files.ts";
import { type BuildMessage, MAX_MESSAGES } from "./messages.ts";
import { PackageInstallation, sortPackages, withPackages } from "./npm/installation.ts";
import type { PackageHost } from "./npm/package-store.ts";
import type { BundledPackage } from "./npm/packages-port.ts";
import { type OpenTree, openTree } from "./open-tree.ts";
import { packageFolderOf } from "./tree-path.ts";
import type { SourceTree } from "./source-tree.ts";
import { readTsconfig, type TsconfigOutcome } from "./tsconfig.ts";
import type { JsonValue, ObjectBinding } from "./wrangler-config.ts";

/** What a build comes to. */
export type BuildOutcome =
  | { readonly kind: "built"; readonly bundle: Bundle; readonly warnings: readonly BuildMessage[] }
  /** At most five messages of `total`. */
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[]; readonly total: number };

/** Everything that the loader needs to run an app. */
export interface Bundle {
  /** The entry file's path in the tree; ASSETS_ONLY where the app has assets and no code. */
  readonly entry: string;
  /** By name; "index.js" is the main module, and imports the others with "./" in front. */
  readonly modules: Readonly<Record<string, BundleModule>>;
  /** The JSON of index.js's source map: sources are tree paths, with their text inside. */
  readonly sourceMap: string;
  /** The names that the entry exports, sorted. */
  readonly exports: readonly string[];
  /** The classes that the wrangler configuration binds, and their names in `env`. */
  readonly objectBindings: readonly ObjectBinding[];
  /** Under which names objects are stored, by class, where that is another. */
  readonly storedNames: StoredNames;
  /** When scheduled() is to be called, as cron expressions. */
  readonly crons: readonly string[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, JsonValue>>;
  /** The path that is to answer before the app goes live, if it names one. */
  readonly probe: string | undefined;
  /** The npm packages in the bundle, those that package.json names first. */
  readonly packages: readonly BundledPackage[];
  readonly stats: BundleStats;
  /** The files that are served as they are, by path, in order. */
  readonly assets: readonly BuiltAsset[];
  /** How they are served; it says nothing where there are none. */
  readonly assetConfig: AssetConfig;
}

/** One module of a bundle. JSON, and text but for no_bundle, are part of index.js already. */
export type BundleModule =
  | { readonly kind: "esm" | "text"; readonly text: string }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "wasm"; readonly bytes: Uint8Array };

/** Stands for the entry of an app without code. */
export const ASSETS_ONLY = "assets only";

const UNSET_ROOT: RootSetting = { root: "", setCommand: (root) => `Set the app's root to "${root}".` };

/** Builds a tree. What is wrong with the tree is an outcome; a throw is a mistake of the host or of what reads the tree. */
export async function build(
  source: SourceTree,
  builder: Builder,
  setting: RootSetting = UNSET_ROOT,
  npm?: PackageHost,
): Promise<BuildOutcome> {
  if (source.files.size > builder.limits.treeFiles)
    return failed([tooManyFiles(source.files.size, builder.limits.treeFiles)]);
  const opened = await openTree(source);
  const found = await findRoot(opened, setting);
  if (found.kind === "failed") return failed([found.message]);
  const read = await readConfig(opened, found.root);
  if (read.kind === "failed") return failed(read.messages);
  const { config } = read;
  const made = await makeFiles(opened, config, runEsbuild(config, builder, npm));
  if (made.kind === "failed") return made;
  const { tree } = made;
  const served = await collectAssets(tree, {
    root: config.root,
    table: config.assets,
    compatibilityDate: config.compatibilityDate,
    compatibilityFlags: config.compatibilityFlags,
    limits: builder.limits,
    generated: made.assets,
  });
  if (served.kind === "failed") return failed(served.messages);
  const { assetConfig } = served;
  const assets = servedAssets(served.assets, made);
  const exposed = envFileWarnings(source.files.keys(), config.root);
  const warnings = [...exposed, ...read.warnings, ...made.warnings, ...served.warnings];
  const entry = findAppEntry(tree, config);
  if (entry.kind === "failed") {
    if (config.main !== undefined || assets.length === 0) return failed([entry.message]);
    return {
      kind: "built",
      bundle: { ...withoutCode(config), packages: made.packages, assets, assetConfig },
      warnings,
    };
  }
  const open = (also: readonly string[]): PackageInstallation => new PackageInstallation(tree, config, npm, also);
  const { outcome: bundled, packages } = await withPackages(open, (port) => {
    port.startAhead();
    const request = bundleRequest(tree, config, { entry: entry.path, limits: builder.limits });
    return bundleInIsolate(builder, request, { read: (paths) => port.read(paths), packages: port });
  });
  if (bundled.kind === "failed") return bundled;
  const code = await assemble({ tree, packages, config }, { entry: entry.path, bundled });
  warnings.push(
    ...usedLimits(source, bundled.stats, builder.limits),
    ...bundled.warnings,
    ...(await packages.warnings(bundled.packageFolders)),
  );
  const all = sortPackages([...code.packages, ...made.packages], config.dependencies);
  return { kind: "built", bundle: { ...code, packages: all, assets, assetConfig }, warnings };
}

function usedLimits({ files }: SourceTree, stats: BundleStats, limits: BuildLimits): BuildMessage[] {
  const { moduleCount: modules, sourceBytes, bundleBytes } = stats;
  const texts = nearLimits({ treeFiles: files.size, modules, sourceBytes, bundleBytes }, limits);
  return texts.map((text) => ({ code: "build-warning", text }));
}

/** What a build command wrote and pages that were rewritten are bytes of the build's own; source of the client is not served. */
function servedAssets(assets: readonly BuiltAsset[], made: MadeOutcome & { kind: "made" }): BuiltAsset[] {
  return assets
    .filter(({ source }) => source.kind === "bytes" || !made.sources.has(source.path))
    .map((asset) => {
      const bytes = asset.source.kind === "tree" ? made.files.get(asset.source.path) : undefined;
      return bytes === undefined ? asset : { ...asset, source: { kind: "bytes", bytes } };
    });
}

function runEsbuild(config: AppConfig, builder: Builder, npm: PackageHost | undefined): RunEsbuild {
  return async (tree, run) => {
    const tsconfig = await runTsconfig(tree, config, run);
    if (tsconfig.kind === "failed") return { ...tsconfig, total: tsconfig.messages.length };
    const bundling = { ...config.bundling, rules: [], ...(run.alias === undefined ? {} : { alias: run.alias }) };
    const settings = { ...config, bundling, tsconfig: tsconfig.tsconfig };
    const mode = run.platform === "node" ? "on" : "off";
    const nodejs = { compatibilityDate: RUNTIME_COMPATIBILITY_DATE, mode } as const;
    const open = (also: readonly string[]): PackageInstallation => new PackageInstallation(tree, config, npm, also);
    const { outcome, packages } = await withPackages(open, (port) => {
      port.startAhead();
      const base = bundleRequest(tree, settings, { entry: "", limits: builder.limits });
      return writeInIsolate(builder, { ...base, nodejs, run }, { read: (paths) => port.read(paths), packages: port });
    });
    if (outcome.kind === "failed") return outcome;
    const folders = [...new Set(outcome.inputs.flatMap((path) => packageFolderOf(path) ?? []))];
    const warnings = [...outcome.warnings, ...(await packages.warnings(folders))];
    return { ...outcome, warnings, packages: await packages.describe(folders) };
  };
}

/** The app's own, unless the run names another. */
async function runTsconfig(tree: OpenTree, config: AppConfig, run: EsbuildRun): Promise<TsconfigOutcome> {
  const { tsconfig, workspaces, buildCommand } = config;
  if (run.tsconfig === undefined || buildCommand === undefined) return { kind: "read", tsconfig, warnings: [] };
  const configured = { path: run.tsconfig, location: buildCommand.location };
  return readTsconfig(tree, { root: "", configured, workspaces });
}

/** What the loader needs. */
type LoadedCode = Omit<Bundle, "assets" | "assetConfig">;

function withoutCode(config: AppConfig): LoadedCode {
  const text = assetsOnlyModule(config.assets.binding);
  const stats = { moduleCount: 0, sourceBytes: 0, bundleBytes: text.length, largestModules: [] };
  const { compatibilityDate, compatibilityFlags, vars, crons, probe } = config;
  const modules = { "index.js": { kind: "esm", text } } as const;
  const sourceMap = JSON.stringify({ version: 3, sources: [], names: [], mappings: "" });
  const code = { modules, sourceMap, exports: ["App"], objectBindings: [], storedNames: {}, crons };
  return { ...code, entry: ASSETS_ONLY, compatibilityDate, compatibilityFlags, vars, probe, packages: [], stats };
}

function bundleRequest(
  tree: OpenTree,
  config: AppConfig,
  { entry, limits }: { readonly entry: string; readonly limits: BuildLimits },
): BundleRequest {
  return {
    entry,
    names: tree.names,
    contents: new Map(tree.contents),
    dependencies: config.dependencies,
    nodejs: nodejsSupport(config.compatibilityDate, config.compatibilityFlags),
    compilerOptions: config.tsconfig.compilerOptions,
    paths: config.tsconfig.paths,
    workspaces: config.workspaces,
    bundling: config.bundling,
    limits,
  };
}

interface Sources {
  readonly tree: OpenTree;
  readonly packages: PackageInstallation;
  readonly config: AppConfig;
}

async function assemble(
  { tree, packages, config }: Sources,
  { entry, bundled }: { readonly entry: string; readonly bundled: BundledCode },
): Promise<LoadedCode> {
  const missing = bundled.files.map((file) => file.path).filter((path) => !tree.contents.has(path));
  const more = missing.length > 0 ? await packages.read(missing) : undefined;
  const modules: Record<string, BundleModule> = { "index.js": { kind: "esm", text: decode(bundled.code) } };
  for (const { name, path, kind } of bundled.files) {
    const bytes = tree.contents.get(path) ?? more?.get(path);
    if (bytes === undefined) throw new Error(`The source tree did not read ${path}, which it lists.`);
    modules[name] = kind === "esm" || kind === "text" ? { kind, text: decode(bytes) } : { kind, bytes };
  }
  return {
    entry,
    modules,
    sourceMap: decode(bundled.sourceMap),
    exports: bundled.exports,
    objectBindings: config.objectBindings,
    storedNames: config.storedNames,
    crons: config.crons,
    compatibilityDate: config.compatibilityDate,
    compatibilityFlags: config.compatibilityFlags,
    vars: config.vars,
    probe: config.probe,
    packages: await packages.describe(bundled.packageFolders),
    stats: bundled.stats,
  };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function failed(messages: readonly BuildMessage[]): BuildOutcome {
  return { kind: "failed", messages: messages.slice(0, MAX_MESSAGES), total: messages.length };
}

function tooManyFiles(count: number, limit: number): BuildMessage {
  return { code: "build-limit", text: `The commit has ${count} files, and ${limit} is the limit.` };
}
