// The build, from the files of a commit to modules or messages: configuration, then the bundle, then what goes beside it.
// It imports nothing of the host, and knows neither git nor apps.
import type { BundledCode, BundleStats } from "./bundle-request.ts";
import { type Builder, bundleInIsolate } from "./builder.ts";
import { nodejsSupport } from "./compatibility.ts";
import { type AppConfig, readConfig } from "./config.ts";
import { type BuildMessage, MAX_MESSAGES } from "./messages.ts";
import { type OpenTree, openTree } from "./open-tree.ts";
import type { SourceTree } from "./source-tree.ts";
import type { JsonValue } from "./wrangler-config.ts";

/** What a build comes to. */
export type BuildOutcome =
  | { readonly kind: "built"; readonly bundle: Bundle; readonly warnings: readonly BuildMessage[] }
  /** At most five messages of `total`. */
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[]; readonly total: number };

/** Everything that the loader needs to run an app. */
export interface Bundle {
  /** The entry file's path in the tree. */
  readonly entry: string;
  /** By name; "index.js" is the main module, and imports the others with "./" in front. */
  readonly modules: Readonly<Record<string, BundleModule>>;
  /** The JSON of index.js's source map: sources are tree paths, with their text inside. */
  readonly sourceMap: string;
  /** The names that the entry exports, sorted. */
  readonly exports: readonly string[];
  /** The class names that the wrangler configuration binds. */
  readonly boundClasses: readonly string[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, JsonValue>>;
  readonly stats: BundleStats;
}

/** One module of a bundle. JSON and text are part of index.js already. */
export type BundleModule =
  | { readonly kind: "esm"; readonly text: string }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "wasm"; readonly bytes: Uint8Array };

/** Builds a tree. What is wrong with the tree is an outcome; a throw is a mistake of the host or of what reads the tree. */
export async function build(source: SourceTree, builder: Builder): Promise<BuildOutcome> {
  if (source.files.size > builder.limits.treeFiles)
    return failed([tooManyFiles(source.files.size, builder.limits.treeFiles)]);
  const tree = await openTree(source);
  const read = await readConfig(tree);
  if (read.kind === "failed") return failed(read.messages);
  const { config } = read;
  const bundled = await bundleInIsolate(builder, bundleRequest(tree, config, builder), (paths) => source.read(paths));
  if (bundled.kind === "failed") return bundled;
  const bundle = await assemble(tree, config, bundled);
  return { kind: "built", bundle, warnings: [...read.warnings, ...bundled.warnings] };
}

function bundleRequest(tree: OpenTree, config: AppConfig, builder: Builder): Parameters<typeof bundleInIsolate>[1] {
  return {
    entry: config.entry,
    names: tree.names,
    contents: new Map(tree.contents),
    dependencies: config.dependencies,
    nodejs: nodejsSupport(config.compatibilityDate, config.compatibilityFlags),
    compilerOptions: config.tsconfig.compilerOptions,
    paths: config.tsconfig.paths,
    limits: builder.limits,
  };
}

async function assemble(tree: OpenTree, config: AppConfig, bundled: BundledCode): Promise<Bundle> {
  const missing = bundled.files.map((file) => file.path).filter((path) => !tree.contents.has(path));
  const more = missing.length > 0 ? await tree.source.read(missing) : undefined;
  const modules: Record<string, BundleModule> = { "index.js": { kind: "esm", text: decode(bundled.code) } };
  for (const { name, path, kind } of bundled.files) {
    const bytes = tree.contents.get(path) ?? more?.get(path);
    if (bytes === undefined) throw new Error(`The source tree did not read ${path}, which it lists.`);
    modules[name] = { kind, bytes };
  }
  return {
    entry: config.entry,
    modules,
    sourceMap: decode(bundled.sourceMap),
    exports: bundled.exports,
    boundClasses: config.boundClasses,
    compatibilityDate: config.compatibilityDate,
    compatibilityFlags: config.compatibilityFlags,
    vars: config.vars,
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
