// A template's one commit, made by isomorphic-git from its files.
import { inflateSync } from "node:zlib";
import { type TreeEntry, writeBlob, writeCommit, writeTree } from "isomorphic-git";
import { type ObjectKind, parseObjectKind } from "../git/object.ts";
import { MemoryFiles } from "./memory-files.ts";

/** Text by path from the template's root, "/"-separated. */
export type TemplateFiles = Readonly<Record<string, string>>;

/** 2026-01-01T00:00:00Z, for every template: the same files make the same commit wherever and whenever. */
export const TEMPLATE_DATE_S = 1_767_225_600;

const AUTHOR = {
  name: "Slipway",
  email: "templates@slipway.invalid",
  timestamp: TEMPLATE_DATE_S,
  timezoneOffset: 0,
} as const;
const GIT_DIR = "/template.git";

export interface MadeCommit {
  readonly commitId: string;
  /** The commit, then its trees and blobs. */
  readonly objects: readonly { readonly kind: ObjectKind; readonly bytes: Uint8Array }[];
}

export async function makeTemplateCommit(name: string, files: TemplateFiles): Promise<MadeCommit> {
  const fs = new MemoryFiles();
  const entries = Object.entries(files).map(([path, content]) => ({ path, content }));
  const tree = await writeFolder(fs, entries);
  const commit = { message: `Start from the template ${name}\n`, tree, parent: [], author: AUTHOR, committer: AUTHOR };
  const commitId = await writeCommit({ fs, gitdir: GIT_DIR, commit });
  const objects = [...fs.files]
    .filter(([path]) => path.startsWith(`${GIT_DIR}/objects/`))
    .map(([, file]) => readLoose(file));
  return { commitId, objects: objects.toReversed() };
}

interface FileEntry {
  readonly path: string;
  readonly content: string;
}

/** Writes the files and folders, whose paths are relative to the tree. isomorphic-git puts the entries into git's order. */
async function writeFolder(fs: MemoryFiles, files: readonly FileEntry[]): Promise<string> {
  const tree: TreeEntry[] = [];
  const folders = new Map<string, FileEntry[]>();
  for (const { path, content } of files) {
    const [first = "", ...rest] = path.split("/");
    if (rest.length > 0) {
      folders.set(first, [...(folders.get(first) ?? []), { path: rest.join("/"), content }]);
      continue;
    }
    const blob = new TextEncoder().encode(content);
    tree.push({ mode: "100644", path: first, oid: await writeBlob({ fs, gitdir: GIT_DIR, blob }), type: "blob" });
  }
  for (const [path, inside] of folders) {
    tree.push({ mode: "040000", path, oid: await writeFolder(fs, inside), type: "tree" });
  }
  return writeTree({ fs, gitdir: GIT_DIR, tree });
}

/** A loose object: kind, size and NUL, then the content, all of it compressed (gitformat-loose). */
function readLoose(file: Uint8Array): { kind: ObjectKind; bytes: Uint8Array } {
  const bytes = inflateSync(file);
  const end = bytes.indexOf(0);
  const kind = parseObjectKind(bytes.toString("latin1", 0, bytes.indexOf(" ")));
  if (kind === undefined) throw new Error("isomorphic-git wrote a loose object of no known kind.");
  return { kind, bytes: bytes.subarray(end + 1) };
}
