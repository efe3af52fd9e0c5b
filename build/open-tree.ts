// A source tree with its names indexed and everything that is probably source already read, in one round. The rest is read
// when something asks for it: a repository may hold far more than its app.
import { CONFIG_BYTES, formatBytes } from "./limits.ts";
import type { BuildMessage } from "./messages.ts";
import { isLfsPointer, lfsMessage, type SourceTree } from "./source-tree.ts";
import { findFile, indexTree, type TreeIndex, type TreeNames } from "./tree-index.ts";
import { extensionOf, fileName, isInNodeModules } from "./tree-path.ts";

/** The tree that all stages of one build read. */
export interface OpenTree {
  readonly names: TreeNames;
  readonly index: TreeIndex;
  /** What has been read ahead, by path. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  readonly source: SourceTree;
}

const SOURCE_EXTENSIONS = new Set(
  [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".jsonc", ".toml"].concat(
    [".css", ".txt", ".html", ".sql", ".md"], // imported as text
    [".wasm", ".bin"], // imported as modules
  ),
);
/** Folders and names that look like source and are hardly ever imported. */
const NOT_AHEAD = /(^|\/)(\.[^/]+|public|dist|test|tests|__tests__)\/|\.(d|test|spec)\.[cm]?ts$/;
const LOCKFILES = new Set(["package-lock.json", "npm-shrinkwrap.json"]);
const AHEAD_FILES = 1_000;
const AHEAD_BYTES = 4 * 1024 * 1024;
const AHEAD_FILE_BYTES = 512 * 1024;
/** PATH_MAX: no symlink that any system made is longer. */
const LINK_BYTES = 4096;

/** Reads the names, the symlinks and the probable source. Everything is in path order, whatever the order of `source`. */
export async function openTree(source: SourceTree): Promise<OpenTree> {
  const entries = [...source.files].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const links = entries
    .filter(([, file]) => file.mode === "symlink" && file.sizeBytes <= LINK_BYTES)
    .map(([path]) => path);
  const files = entries.filter(([, file]) => file.mode === "file" || file.mode === "executable");
  const contents = await source.read([...links, ...readAhead(files)]);
  const names: TreeNames = {
    files: files.map(([path, { sizeBytes }]) => [path, sizeBytes] as const),
    links: links.map((path) => [path, new TextDecoder().decode(contents.get(path))] as const),
    submodules: entries.filter(([, file]) => file.mode === "submodule").map(([path]) => path),
  };
  return { names, index: indexTree(names), contents, source };
}

/** Files near the root first, since a configuration and an entry are there. */
function readAhead(files: readonly (readonly [path: string, file: { readonly sizeBytes: number }])[]): string[] {
  const probable = files
    .filter(([path, file]) => file.sizeBytes <= AHEAD_FILE_BYTES && isProbableSource(path))
    .map(([path, file]) => ({ path, sizeBytes: file.sizeBytes, depth: path.split("/").length }))
    .toSorted((a, b) => a.depth - b.depth);
  const chosen: string[] = [];
  let bytes = 0;
  for (const { path, sizeBytes } of probable) {
    bytes += sizeBytes;
    if (bytes > AHEAD_BYTES || chosen.length === AHEAD_FILES) break;
    chosen.push(path);
  }
  return chosen;
}

function isProbableSource(path: string): boolean {
  return (
    SOURCE_EXTENSIONS.has(extensionOf(path)) &&
    !isInNodeModules(path) &&
    !NOT_AHEAD.test(path) &&
    !LOCKFILES.has(fileName(path))
  );
}

/** One file's bytes by its own path, symlinks not followed. */
export async function readFile(tree: OpenTree, path: string): Promise<Uint8Array> {
  const bytes = tree.contents.get(path) ?? (await tree.source.read([path])).get(path);
  if (bytes === undefined) throw new Error(`The source tree did not read ${path}, which it lists.`);
  return bytes;
}

/** Several files' bytes by their own paths, in one round. */
export async function readFiles(tree: OpenTree, paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const missing = paths.filter((path) => !tree.contents.has(path));
  const more = missing.length === 0 ? new Map<string, Uint8Array>() : await tree.source.read(missing);
  return new Map(
    paths.flatMap((path) => {
      const bytes = tree.contents.get(path) ?? more.get(path);
      return bytes === undefined ? [] : [[path, bytes] as const];
    }),
  );
}

/** What looking for a file by name, symlinks followed, comes to. */
export type NamedFile =
  | { readonly kind: "found"; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly message: BuildMessage };

/** Reads a configuration file by name. A Git LFS pointer in its place is a failure, for its content was not pushed. */
export async function readNamedFile(tree: OpenTree, path: string): Promise<NamedFile> {
  const found = findFile(tree.index, path);
  if (found === undefined) return { kind: "absent" };
  const sizeBytes = tree.index.files.get(found) ?? 0;
  if (sizeBytes > CONFIG_BYTES) return { kind: "failed", message: tooLarge(path, sizeBytes) };
  const bytes = await readFile(tree, found);
  return isLfsPointer(bytes) ? { kind: "failed", message: lfsMessage(path) } : { kind: "found", path: found, bytes };
}

function tooLarge(path: string, sizeBytes: number): BuildMessage {
  const limit = formatBytes(CONFIG_BYTES);
  const text = `${path} has ${formatBytes(sizeBytes)}, and ${limit} is the limit for a configuration file.`;
  return { code: "build-limit", text };
}
