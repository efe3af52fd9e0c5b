// A tree with files that a build made in place of, or beside, those of the commit. What was read of it already is not read again.
import type { BuildMessage } from "./messages.ts";
import { openTree, type OpenTree } from "./open-tree.ts";
import type { SourceFile, SourceTree } from "./source-tree.ts";
import { followLinks } from "./tree-index.ts";

/** Files of a build by path. */
export type MadeFiles = ReadonlyMap<string, Uint8Array>;

/** The tree with these files, opened. */
export async function overlayTree(tree: OpenTree, made: MadeFiles): Promise<OpenTree> {
  if (made.size === 0) return tree;
  const { source, contents } = tree;
  const files = new Map<string, SourceFile>(source.files);
  for (const [path, bytes] of made) files.set(path, { mode: "file", sizeBytes: bytes.byteLength });
  const layered: SourceTree = {
    files,
    async read(paths) {
      const known = new Map<string, Uint8Array>();
      const missing: string[] = [];
      for (const path of paths) {
        const bytes = made.get(path) ?? contents.get(path);
        if (bytes === undefined) missing.push(path);
        else known.set(path, bytes);
      }
      const more = missing.length === 0 ? [] : await source.read(missing);
      return new Map([...known, ...more]);
    },
  };
  return openTree(layered);
}

/** Where a build writes a path: through symlinks of the commit, but never out of it or in place of a folder. */
export function writablePath(tree: OpenTree, path: string): string | BuildMessage {
  const led = followLinks(tree.index, path);
  if (led.kind === "path" && !tree.index.folders.has(led.path)) return led.path;
  const why = led.kind === "path" ? "is a folder" : `goes through the symbolic link ${led.link}, out of the repository`;
  return { code: "config-invalid", text: `The build writes ${path}, which ${why}.` };
}
