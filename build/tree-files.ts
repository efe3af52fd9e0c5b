// The files that one bundle takes from the tree, inside the builder isolate: their contents, bounds on them, and the wasm and
// data files that go beside the bundle under names made of their content.
import type { BundledFile, BundleRequest } from "./bundle-request.ts";
import type { FileReader } from "./file-reader.ts";
import type { ImportFailure } from "./import-failure.ts";
import { type BuildLimits, formatBytes } from "./limits.ts";
import { isLfsPointer, lfsMessage } from "./source-tree.ts";
import { fileName } from "./tree-path.ts";

/** What has been taken so far. */
export interface TreeFiles {
  readonly reader: FileReader;
  readonly limits: BuildLimits;
  /** Sizes by path, of all that was taken. */
  readonly taken: Map<string, number>;
  readonly bundled: Map<string, BundledFile>;
  sourceBytes: number;
  /** A limit is said once, not for each further file. */
  hasReachedLimit: boolean;
}

/** A file's bytes; or why it cannot be part of a bundle; or nothing, where a limit was passed before. */
export type TakenFile =
  | { readonly kind: "taken"; readonly bytes: Uint8Array }
  | { readonly kind: "failed"; readonly failure: ImportFailure }
  | { readonly kind: "skipped" };

/** Nothing taken yet. */
export function startTreeFiles(request: BundleRequest, reader: FileReader): TreeFiles {
  return {
    reader,
    limits: request.limits,
    taken: new Map(),
    bundled: new Map(),
    sourceBytes: 0,
    hasReachedLimit: false,
  };
}

/** Reads a file that an import has reached, and counts it. */
export async function takeFile(files: TreeFiles, path: string): Promise<TakenFile> {
  if (files.hasReachedLimit) return { kind: "skipped" };
  const bytes = await files.reader.read(path);
  if (files.hasReachedLimit) return { kind: "skipped" };
  if (isLfsPointer(bytes)) return { kind: "failed", failure: lfsMessage(path) };
  if (!files.taken.has(path)) {
    files.taken.set(path, bytes.byteLength);
    files.sourceBytes += bytes.byteLength;
  }
  const text = passedLimit(files, path, bytes.byteLength);
  if (text === undefined) return { kind: "taken", bytes };
  files.hasReachedLimit = true;
  return { kind: "failed", failure: { code: "build-limit", text } };
}

/** Takes a wasm or data file that goes beside the bundle. Its name there is the same wherever its content is. */
export async function takeBundledFile(
  files: TreeFiles,
  path: string,
  kind: BundledFile["kind"],
): Promise<{ readonly kind: "named"; readonly name: string } | Exclude<TakenFile, { kind: "taken" }>> {
  const known = files.bundled.get(path);
  if (known !== undefined) return { kind: "named", name: known.name };
  const taken = await takeFile(files, path);
  if (taken.kind !== "taken") return taken;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", taken.bytes));
  const name = `${hex(digest.subarray(0, 8))}-${fileName(path).replaceAll(/[^\w.-]/g, "_")}`;
  files.bundled.set(path, { name, path, kind });
  return { kind: "named", name };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The size of a file beside the bundle. */
export function bundledFileBytes(files: TreeFiles, file: BundledFile): number {
  return files.taken.get(file.path) ?? 0;
}

function passedLimit(files: TreeFiles, path: string, sizeBytes: number): string | undefined {
  const { limits } = files;
  if (sizeBytes > limits.fileBytes) {
    return `${path} has ${formatBytes(sizeBytes)}, and ${formatBytes(limits.fileBytes)} is the limit for one file.`;
  }
  if (files.taken.size > limits.modules) return `The app has more than ${limits.modules} modules, which is the limit.`;
  if (files.sourceBytes <= limits.sourceBytes) return undefined;
  return `The app's modules have more than ${formatBytes(limits.sourceBytes)} of source, which is the limit.`;
}
