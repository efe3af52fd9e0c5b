// JavaScript that some build has written, with a source map beside it: the map is put into the file, where esbuild finds it without a
// file system, so that frames of errors are in the lines that a person wrote. Packages are left as they are: nobody reads theirs.
import type { TreeFiles } from "./tree-files.ts";
import { findFile } from "./tree-index.ts";
import { extensionOf, folderOf, isInNodeModules, joinPath } from "./tree-path.ts";

const SCRIPTS = [".js", ".mjs", ".cjs"];
/** At the end of the file, which is all that is looked at. */
const COMMENT = /\n\/\/# sourceMappingURL=([^\s:]+\.map)\s*$/;
const COMMENT_BYTES = 1024;

/** The contents to bundle. */
export async function withSourceMap(files: TreeFiles, path: string, bytes: Uint8Array): Promise<Uint8Array> {
  if (!SCRIPTS.includes(extensionOf(path)) || isInNodeModules(path)) return bytes;
  const end = new TextDecoder().decode(bytes.subarray(-COMMENT_BYTES));
  const [comment, name] = COMMENT.exec(end) ?? [];
  const joined = name === undefined ? undefined : joinPath(folderOf(path), name);
  const mapPath = joined === undefined ? undefined : findFile(files.index, joined);
  const sizeBytes = mapPath === undefined ? undefined : files.index.files.get(mapPath);
  if (comment === undefined || mapPath === undefined || sizeBytes === undefined) return bytes;
  if (sizeBytes > files.limits.fileBytes) return bytes;
  const map = new TextDecoder().decode(await files.reader.read(mapPath, sizeBytes));
  const text = new TextDecoder().decode(bytes);
  return new TextEncoder().encode(
    `${text.slice(0, -comment.length)}\n//# sourceMappingURL=data:application/json,${encodeURIComponent(map)}\n`,
  );
}
