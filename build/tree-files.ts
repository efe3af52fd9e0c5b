// The files that one bundle takes from the tree, inside the builder isolate: their contents, bounds on them, and the wasm and
// data files that go beside the bundle under names made of their content.
import type { BundledFile, BundleRequest } from "./bundle-request.ts";
import type { LeftImports } from "./caught-import.ts";
import type { FileReader } from "./file-reader.ts";
import type { ImportFailure } from "./import-failure.ts";
import { type BuildLimits, formatBytes } from "./limits.ts";
import { makeRuleMatcher, type RuleMatcher } from "./module-rules.ts";
import { isLfsPointer, lfsMessage } from "./source-tree.ts";
import { type GrowingTreeIndex, indexTree } from "./tree-index.ts";
import { fileName, folderOf } from "./tree-path.ts";

/** What has been taken so far. */
export interface TreeFiles {
  readonly index: GrowingTreeIndex;
  readonly reader: FileReader;
  readonly limits: BuildLimits;
  /** What esbuild's memory has come to. */
  readonly memoryBytes: () => number;
  /** Sizes by path, of all that was taken. */
  readonly taken: Map<string, number>;
  readonly bundled: Map<string, BundledFile>;
  readonly naming: ModuleNaming;
  readonly leftImports: LeftImports;
  sourceBytes: number;
  /** A limit is said once, not for each further file. */
  hasReachedLimit: boolean;
}

/** How modules beside the bundle are called. */
export interface ModuleNaming {
  /** The folder that their names begin at, and that rules are matched below. */
  readonly moduleRoot: string;
  readonly preserveFileNames: boolean;
  readonly rules: RuleMatcher;
}

/** A path of the tree below the module root; outside of it, the whole path. */
export function pathInModules({ moduleRoot }: ModuleNaming, path: string): string {
  return moduleRoot !== "" && path.startsWith(`${moduleRoot}/`) ? path.slice(moduleRoot.length + 1) : path;
}

/** A file's bytes; or why it cannot be part of a bundle; or nothing, where a limit was passed before. */
export type TakenFile =
  | { readonly kind: "taken"; readonly bytes: Uint8Array }
  | { readonly kind: "failed"; readonly failure: ImportFailure }
  | { readonly kind: "skipped" };

/** Nothing taken yet. */
export function startTreeFiles(request: BundleRequest, reader: FileReader, memoryBytes: () => number): TreeFiles {
  return {
    index: indexTree(request.names),
    reader,
    limits: request.limits,
    memoryBytes,
    taken: new Map(),
    bundled: new Map(),
    naming: {
      moduleRoot: request.bundling.baseDir ?? folderOf(request.entry),
      preserveFileNames: request.bundling.preserveFileNames,
      rules: makeRuleMatcher(request.bundling.rules),
    },
    leftImports: new Map(),
    sourceBytes: 0,
    hasReachedLimit: false,
  };
}

/** Takes a source file that an import has reached. */
export async function takeSource(files: TreeFiles, path: string): Promise<TakenFile> {
  const sizeBytes = files.index.files.get(path) ?? 0;
  if (!files.taken.has(path)) files.sourceBytes += sizeBytes;
  return takeFile(files, path, files.limits.fileBytes);
}

/**
 * Takes a file that goes beside the bundle. Its name there is made of its content, the same wherever that is, unless it is given
 * one or file names are to be preserved.
 */
export async function takeBundledFile(
  files: TreeFiles,
  { path, kind, name: given }: { readonly path: string; readonly kind: BundledFile["kind"]; readonly name?: string },
): Promise<{ readonly kind: "named"; readonly name: string } | Exclude<TakenFile, { kind: "taken" }>> {
  const known = files.bundled.get(path);
  if (known !== undefined) return { kind: "named", name: known.name };
  const taken = await takeFile(files, path, files.limits.bundleBytes);
  if (taken.kind !== "taken") return taken;
  const { naming } = files;
  const name = given ?? (naming.preserveFileNames ? pathInModules(naming, path) : await hashedName(path, taken.bytes));
  files.bundled.set(path, { name, path, kind });
  return { kind: "named", name };
}

async function hashedName(path: string, bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `${hex(digest.subarray(0, 8))}-${fileName(path).replaceAll(/[^\w.-]/g, "_")}`;
}

/** The size of a file beside the bundle. */
export function bundledFileBytes(files: TreeFiles, file: BundledFile): number {
  return files.taken.get(file.path) ?? 0;
}

/** Limits come before reading: a file may be larger than any memory. */
async function takeFile(files: TreeFiles, path: string, maxBytes: number): Promise<TakenFile> {
  if (files.hasReachedLimit) return { kind: "skipped" };
  const sizeBytes = files.index.files.get(path) ?? 0;
  files.taken.set(path, sizeBytes);
  const text = passedLimit(files, path, maxBytes);
  if (text !== undefined) {
    files.hasReachedLimit = true;
    return { kind: "failed", failure: { code: "build-limit", text } };
  }
  const bytes = await files.reader.read(path, sizeBytes);
  return isLfsPointer(bytes) ? { kind: "failed", failure: lfsMessage(path) } : { kind: "taken", bytes };
}

function passedLimit(files: TreeFiles, path: string, maxBytes: number): string | undefined {
  const { limits, taken, sourceBytes } = files;
  const sizeBytes = taken.get(path) ?? 0;
  if (sizeBytes > maxBytes) {
    return `${path} has ${formatBytes(sizeBytes)}, and ${formatBytes(maxBytes)} is the limit for one file.`;
  }
  if (taken.size > limits.modules) return `The app has more than ${limits.modules} modules, which is the limit.`;
  if (files.memoryBytes() > limits.memoryBytes) {
    return `The build needs more than ${formatBytes(limits.memoryBytes)} of memory, which is the limit.`;
  }
  if (sourceBytes <= limits.sourceBytes) return undefined;
  return `The app's modules have more than ${formatBytes(limits.sourceBytes)} of source, which is the limit.`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
