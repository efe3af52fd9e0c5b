// A source tree from a literal: what the build reads, without a repository.
import type { SourceFile, SourceTree } from "../../build/source-tree.ts";

/** A file's content; or a symlink or a submodule. */
export type TreeEntry = string | Uint8Array | { readonly link: string } | { readonly submodule: true };

/** A tree, and which paths were read of it. */
export interface LiteralTree extends SourceTree {
  readonly readPaths: string[];
}

/** Makes a tree. The files keep the order of the literal, so that a test can shuffle it. */
export function treeOf(entries: Readonly<Record<string, TreeEntry>>): LiteralTree {
  const files = new Map<string, SourceFile>();
  const contents = new Map<string, Uint8Array>();
  for (const [path, entry] of Object.entries(entries)) {
    const bytes = bytesOf(entry);
    contents.set(path, bytes);
    files.set(path, { mode: modeOf(entry), sizeBytes: bytes.byteLength });
  }
  const readPaths: string[] = [];
  return {
    files,
    readPaths,
    async read(paths) {
      readPaths.push(...paths);
      return new Map(paths.map((path) => [path, known(contents, path)]));
    },
  };
}

function known(contents: ReadonlyMap<string, Uint8Array>, path: string): Uint8Array {
  const bytes = contents.get(path);
  if (bytes === undefined) throw new Error(`${path} is not in the tree.`);
  return bytes;
}

function bytesOf(entry: TreeEntry): Uint8Array {
  if (entry instanceof Uint8Array) return entry;
  if (typeof entry === "string") return new TextEncoder().encode(entry);
  return new TextEncoder().encode("link" in entry ? entry.link : "");
}

function modeOf(entry: TreeEntry): SourceFile["mode"] {
  if (typeof entry === "string" || entry instanceof Uint8Array) return "file";
  return "link" in entry ? "symlink" : "submodule";
}
