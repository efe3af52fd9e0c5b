// One run of esbuild over a tree, inside the builder isolate. The same tree always gives the same bytes: the paths that esbuild
// sees are those of the tree, and nothing depends on the order in which files came.
import type { BuildOptions, BuildResult, Metafile } from "esbuild-wasm";
import type { BuildFailure, BundledFile, BundleOutcome, BundleRequest, ModuleSize } from "./bundle-request.ts";
import { findLeftImport, type LeftImports } from "./caught-import.ts";
import { toBuildMessage } from "./esbuild-message.ts";
import { formatBytes } from "./limits.ts";
import { type BuildMessage, MAX_MESSAGES } from "./messages.ts";
import type { PackageFolders } from "./npm/package-folders.ts";
import { bundledFileBytes, type TreeFiles } from "./tree-files.ts";
import { isInNodeModules, packageFolderOf } from "./tree-path.ts";
import { treePlugin } from "./tree-plugin.ts";
import { takeAdditionalModules, unbundledEntry } from "./unbundled.ts";

/** The part of esbuild that a build uses. */
export interface Esbuild {
  build(options: BuildOptions): Promise<BuildResult>;
}

/** The tree as one bundle takes from it: files, and the packages that are put there meanwhile. */
export interface TreePort {
  readonly files: TreeFiles;
  readonly packages: PackageFolders;
}

const OUTPUT = "index.js";
const LARGEST = 5;
/** Maps of files that are JavaScript already are looked for in a file system, which there is not, and are not missed. */
export const SOURCE_MAP_WARNINGS = {
  "invalid-source-mappings": "silent",
  "missing-source-map": "silent",
  "sections-in-source-map": "silent",
  "unsupported-source-map-comment": "silent",
} as const;

/** Bundles the tree of a request. Throws only for a mistake of this program. */
export async function bundleTree(esbuild: Esbuild, request: BundleRequest, port: TreePort): Promise<BundleOutcome> {
  const { files } = port;
  const added = await takeAdditionalModules(request, files);
  if (added !== undefined) return { kind: "failed", messages: [added], total: 1 };
  const result = await runEsbuild(esbuild, buildOptions(request, port), files.leftImports);
  if (result.kind === "failed") return result;
  const { metafile, outputs } = result;
  const output = metafile.outputs[OUTPUT];
  const bundle = { code: outputs.get(OUTPUT), sourceMap: outputs.get(`${OUTPUT}.map`) };
  const { code, sourceMap } =
    output !== undefined && request.bundling.noBundle ? await unbundledEntry(request, files, output.exports) : bundle;
  if (output === undefined || code === undefined || sourceMap === undefined) {
    throw new Error(`esbuild wrote ${[...outputs.keys()].join(", ") || "nothing"}, not ${OUTPUT} and its map.`);
  }
  const bundled: readonly BundledFile[] = [...files.bundled.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const sizes = moduleSizes(output, files, bundled);
  const bundleBytes = code.byteLength + bundled.reduce((sum, file) => sum + bundledFileBytes(files, file), 0);
  const stats = {
    moduleCount: sizes.length,
    sourceBytes: files.sourceBytes,
    bundleBytes,
    largestModules: sizes.slice(0, LARGEST),
  };
  if (bundleBytes > request.limits.bundleBytes)
    return tooLarge(bundleBytes, request.limits.bundleBytes, stats.largestModules);
  const exports = output.exports.toSorted();
  const packageFolders = [...new Set(sizes.flatMap(({ path }) => packageFolderOf(path) ?? []))].toSorted();
  return {
    kind: "bundled",
    code,
    sourceMap,
    exports,
    files: bundled,
    packageFolders,
    stats,
    warnings: result.warnings,
  };
}

type EsbuildOutcome =
  | {
      readonly kind: "built";
      readonly metafile: Metafile;
      readonly outputs: ReadonlyMap<string, Uint8Array>;
      readonly warnings: readonly BuildMessage[];
    }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[]; readonly total: number };

/** Runs esbuild, with its errors as messages. Outputs are by path in the tree. */
export async function runEsbuild(esbuild: Esbuild, options: BuildOptions, left: LeftImports): Promise<EsbuildOutcome> {
  try {
    const { metafile, outputFiles = [], warnings } = await esbuild.build(options);
    if (metafile === undefined) throw new Error("esbuild made no metafile.");
    const outputs = new Map(outputFiles.map((file) => [file.path.replace(/^\/+/, ""), file.contents]));
    return { kind: "built", metafile, outputs, warnings: ownWarnings(warnings) };
  } catch (error) {
    const errors = esbuildErrors(error);
    if (errors === undefined) throw error;
    const messages = distinct(errors.map((message) => toBuildMessage(withDetail(message, left), "syntax-error")));
    return { kind: "failed", messages: messages.slice(0, MAX_MESSAGES), total: messages.length };
  }
}

function withDetail(message: BuildResult["errors"][number], left: LeftImports): BuildResult["errors"][number] {
  const detail = findLeftImport(left, message);
  return detail === undefined ? message : { ...message, detail };
}

/** What is wrong with a lockfile is said once, not for each import that asks for it. */
function distinct(messages: readonly BuildMessage[]): BuildMessage[] {
  return [...new Map(messages.map((message) => [JSON.stringify(message), message])).values()];
}

/** Warnings about the app's own files. Nobody can act on those about a package. */
function ownWarnings(warnings: BuildResult["warnings"]): BuildMessage[] {
  return warnings
    .map((message) => toBuildMessage(message, "build-warning"))
    .filter(({ location }) => location === undefined || !isInNodeModules(location.path));
}

/** esbuild rejects with an Error that carries its messages. */
function esbuildErrors(error: unknown): BuildResult["errors"] | undefined {
  if (!(error instanceof Error) || !("errors" in error) || !Array.isArray(error.errors)) return undefined;
  return error.errors;
}

function buildOptions(request: BundleRequest, port: TreePort): BuildOptions {
  const { bundling } = request;
  return {
    absWorkingDir: "/",
    entryPoints: [`/${request.entry}`],
    outfile: `/${OUTPUT}`,
    bundle: !request.bundling.noBundle,
    format: "esm",
    platform: "neutral",
    // es2024 and not esnext: the runtime has no decorators and no explicit resource management, which esnext leaves in.
    target: "es2024",
    charset: "utf8",
    keepNames: bundling.keepNames,
    minify: bundling.minify,
    sourcemap: "external",
    sourcesContent: true,
    metafile: true,
    write: false,
    logLevel: "silent",
    logLimit: 0,
    logOverride: SOURCE_MAP_WARNINGS,
    jsx: "transform",
    ...(bundling.jsxFactory === undefined ? {} : { jsxFactory: bundling.jsxFactory }),
    ...(bundling.jsxFragment === undefined ? {} : { jsxFragment: bundling.jsxFragment }),
    // What a deployed Worker sees under wrangler; packages choose their production code by it.
    define: { "process.env.NODE_ENV": '"production"', ...bundling.define },
    tsconfigRaw: JSON.stringify({ compilerOptions: request.compilerOptions }),
    plugins: [treePlugin(request, port.files, port.packages)],
  };
}

/** Everything in the bundle with the bytes that it adds, largest first. */
function moduleSizes(
  output: Metafile["outputs"][string],
  files: TreeFiles,
  bundled: readonly BundledFile[],
): ModuleSize[] {
  const sources = Object.entries(output.inputs)
    .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }))
    .filter(({ path }) => files.taken.has(path) && !files.bundled.has(path));
  const beside = bundled.map((file) => ({ path: file.path, bytes: bundledFileBytes(files, file) }));
  return [...sources, ...beside].toSorted((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
}

/** The message for a bundle over its limit. */
export function tooLarge(bundleBytes: number, limit: number, largest: readonly ModuleSize[]): BuildFailure {
  const text = `The bundle has ${formatBytes(bundleBytes)}, and ${formatBytes(limit)} is the limit.`;
  const notes = ["The largest modules:", ...largest.map(({ path, bytes }) => `  ${formatBytes(bytes)}  ${path}`)];
  return { kind: "failed", messages: [{ code: "bundle-too-large", text, notes }], total: 1 };
}
