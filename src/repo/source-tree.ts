// The files of a commit, for a build: paths, modes and sizes at once, contents when they are asked for. Trees are read level
// by level, so that each level is one round of reads; sizes come from the edge files, so that no blob is inflated for them.
import type { ObjectId } from "../git/object-id.ts";
import { FORMAT_BITS, GITLINK_MODE, SYMLINK_MODE, TREE_MODE, readCommit, readTree } from "../git/object.ts";
import {
  findObject,
  forEachObject,
  openObjectDatabase,
  readObject,
  type ObjectDatabase,
} from "../store/object-database.ts";
import type { PackRow } from "../store/repository-state.ts";
import type { Repository } from "./repository.ts";

/** One entry that is no folder. */
export interface CommitFile {
  readonly id: ObjectId;
  readonly mode: "file" | "executable" | "symlink" | "submodule";
  readonly sizeBytes: number;
}

/** A commit with its files. Paths are relative to its tree, "/"-separated. A symlink's content is its target. */
export interface CommitTree {
  readonly commitId: ObjectId;
  readonly treeId: ObjectId;
  /** The first line of the message. */
  readonly subject: string;
  readonly files: ReadonlyMap<string, CommitFile>;
  /** The contents of these files in one round. A path that is not in `files` throws. */
  read(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
  /** The contents of these files one by one, in the order of the packs. Of files with the same content only one is visited. */
  visit(paths: readonly string[], visit: (path: string, content: Uint8Array) => Promise<void>): Promise<void>;
}

/**
 * A tree can name the same folder many times over, level by level, and so come to more files than any memory holds. Reading
 * ends past this many; a build allows fewer.
 */
const MAX_FILES = 100_000;

/** The commit in the repository's packs or in the one that was just stored. Errors: as readObject. */
export async function openSourceTree(
  repository: Repository,
  commitId: ObjectId,
  newPack: PackRow | undefined,
): Promise<CommitTree> {
  const { store, state } = repository;
  const odb = openObjectDatabase(store, newPack === undefined ? state.packs : [...state.packs, newPack]);
  const { treeId, message } = readCommit((await readObject(odb, commitId)).bytes);
  const files = await listFiles(odb, treeId);
  return {
    commitId,
    treeId,
    subject: subjectOf(message),
    files,
    read: (paths) => readFiles(odb, files, paths),
    visit: (paths, visit) => visitFiles(odb, new Map(paths.map((path) => [idOf(files, path), path])), visit),
  };
}

/** git's %s without its folding of wrapped subjects: the first line that is not blank. */
function subjectOf(message: string): string {
  return message.trimStart().split("\n", 1)[0]?.trim() ?? "";
}

async function listFiles(odb: ObjectDatabase, rootId: ObjectId): Promise<ReadonlyMap<string, CommitFile>> {
  const files = new Map<string, CommitFile>();
  let level: readonly Folder[] = [{ path: "", treeId: rootId }];
  while (level.length > 0 && files.size <= MAX_FILES) {
    const next: Folder[] = [];
    const entries = await readFolders(odb, level);
    for (const { path, mode, id } of entries) {
      if ((mode & FORMAT_BITS) === TREE_MODE) next.push({ path: `${path}/`, treeId: id });
      else files.set(path, { id, mode: fileMode(mode), sizeBytes: await sizeOf(odb, mode, id) });
    }
    level = next.slice(0, MAX_FILES);
  }
  return files;
}

/** A folder of the commit; its path ends in "/", or is empty for the root. */
interface Folder {
  readonly path: string;
  readonly treeId: ObjectId;
}

interface FolderEntry {
  readonly path: string;
  readonly mode: number;
  readonly id: ObjectId;
}

/** The entries of all folders of a level. Folders with the same content are read once. */
async function readFolders(odb: ObjectDatabase, folders: readonly Folder[]): Promise<FolderEntry[]> {
  const trees = new Map<ObjectId, ReturnType<typeof readTree>>();
  const ids = folders.map((folder) => folder.treeId);
  await forEachObject(odb, ids, (id, { bytes }) => void trees.set(id, readTree(bytes)));
  return folders.flatMap(({ path, treeId }) =>
    (trees.get(treeId) ?? []).map(({ name, mode, id }) => ({ path: path + name, mode, id })),
  );
}

function fileMode(mode: number): CommitFile["mode"] {
  const format = mode & FORMAT_BITS;
  if (format === SYMLINK_MODE) return "symlink";
  if (format === GITLINK_MODE) return "submodule";
  return (mode & 0o100) === 0 ? "file" : "executable";
}

async function sizeOf(odb: ObjectDatabase, mode: number, id: ObjectId): Promise<number> {
  if ((mode & FORMAT_BITS) === GITLINK_MODE) return 0;
  const place = await findObject(odb, id);
  return place === undefined ? 0 : (await place.pack.edges()).sizeAt(place.n);
}

async function readFiles(
  odb: ObjectDatabase,
  files: ReadonlyMap<string, CommitFile>,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const pathsById = new Map<ObjectId, string[]>();
  for (const path of paths) {
    const id = idOf(files, path);
    const same = pathsById.get(id);
    if (same === undefined) pathsById.set(id, [path]);
    else same.push(path);
  }
  const contents = new Map<string, Uint8Array>();
  await forEachObject(odb, pathsById.keys(), (id, { bytes }) => {
    for (const path of pathsById.get(id) ?? []) contents.set(path, bytes);
  });
  return contents;
}

async function visitFiles(
  odb: ObjectDatabase,
  pathsById: ReadonlyMap<ObjectId, string>,
  visit: (path: string, content: Uint8Array) => Promise<void>,
): Promise<void> {
  await forEachObject(odb, pathsById.keys(), async (id, { bytes }) => {
    const path = pathsById.get(id);
    if (path !== undefined) await visit(path, bytes);
  });
}

function idOf(files: ReadonlyMap<string, CommitFile>, path: string): ObjectId {
  const file = files.get(path);
  if (file === undefined) throw new Error(`The commit has no file ${path}.`);
  return file.id;
}
