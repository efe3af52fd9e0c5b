// A commit made from changed files instead of a work tree: blobs, the trees on the way to them, the commit. Folders that nothing
// changed in are named as they are and never read. Makes objects only; storing them is for a push.
import { HostingError } from "../errors.ts";
import type { ObjectId } from "../git/object-id.ts";
import { encodeCommit, encodeTree, makeObject, type NewObject } from "../git/object-write.ts";
import { FORMAT_BITS, readCommit, readTree, TREE_MODE, type Signature, type TreeEntry } from "../git/object.ts";
import {
  findObject,
  openObjectDatabase,
  readObject,
  readPlace,
  type ObjectDatabase,
} from "../store/object-database.ts";
import type { Repository } from "./repository.ts";

/** What a commit does to one file. Written files keep their mode unless isExecutable says otherwise. */
export type FileChange =
  | { readonly kind: "write"; readonly bytes: Uint8Array; readonly isExecutable?: boolean | undefined }
  | { readonly kind: "delete" };

/** A commit to make. Paths are "/"-separated and relative to the root. */
export interface CommitInput {
  /** undefined: the first commit of a history. */
  readonly parentId: ObjectId | undefined;
  readonly files: ReadonlyMap<string, FileChange>;
  readonly message: string;
  readonly author: Signature;
}

const FILE = 0o100644;
const EXECUTABLE = 0o100755;
const MAX_PATH_LENGTH = 4096;

/**
 * The commit, and all new objects with it.
 * @throws HostingError "invalid-request" for a path that cannot be, "object-missing" for a parent that is no commit of the repository
 */
export async function makeFileCommit(
  { store, state }: Repository,
  { parentId, files, message, author }: CommitInput,
): Promise<{ readonly commitId: ObjectId; readonly objects: readonly NewObject[] }> {
  const odb = openObjectDatabase(store, state.packs);
  const parentTreeId = parentId === undefined ? undefined : await readTreeOf(odb, parentId);
  const objects = new Map<ObjectId, NewObject>();
  const add = (object: NewObject): ObjectId => {
    objects.set(object.id, object);
    return object.id;
  };
  const treeId = await writeFolder({ odb, add }, parentTreeId, listChanges(files), "");
  const parentIds = parentId === undefined ? [] : [parentId];
  const rootId = treeId ?? add(makeObject("tree", new Uint8Array(0)));
  const content = encodeCommit({ treeId: rootId, parentIds, author, committer: author, message: endLine(message) });
  const commitId = add(makeObject("commit", content));
  return { commitId, objects: [...objects.values()].toReversed() };
}

async function readTreeOf(odb: ObjectDatabase, commitId: ObjectId): Promise<ObjectId> {
  const place = await findObject(odb, commitId);
  const object = place === undefined ? undefined : await readPlace(place);
  if (object?.kind === "commit") return readCommit(object.bytes).treeId;
  throw new HostingError("object-missing", `The parent ${commitId} is no commit of this repository.`);
}

interface PathChange {
  /** What is left of the path, from the folder that is being written on. */
  readonly path: readonly string[];
  readonly change: FileChange;
}

function listChanges(files: ReadonlyMap<string, FileChange>): PathChange[] {
  return [...files].map(([path, change]) => {
    const parts = path.split("/");
    // What else git refuses in a name, fsck finds when the pack is taken in.
    const isOdd = parts.some((part) => part === "" || part === "." || part === ".." || part.toLowerCase() === ".git");
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (!isOdd && path.length <= MAX_PATH_LENGTH && !/[\u0000-\u001f\u007f\\]/.test(path))
      return { path: parts, change };
    throw invalid(
      `${JSON.stringify(path.slice(0, 200))} cannot be a file's path. A path is relative to the root, with "/" between its parts, none of which is empty, ".", ".." or ".git".`,
    );
  });
}

interface Writer {
  readonly odb: ObjectDatabase;
  readonly add: (object: NewObject) => ObjectId;
}

/** The folder's tree with the changes; undefined if nothing is left in it. */
async function writeFolder(
  writer: Writer,
  treeId: ObjectId | undefined,
  changes: readonly PathChange[],
  prefix: string,
): Promise<ObjectId | undefined> {
  const stored = treeId === undefined ? [] : readTree((await readObject(writer.odb, treeId)).bytes);
  const entries = new Map(stored.map((entry) => [entry.name, entry]));
  for (const [name, inside] of groupByName(changes)) {
    const before = entries.get(name);
    const path = prefix + name;
    const own = inside.find((one) => one.path.length === 1);
    if (own !== undefined && inside.length > 1) throw invalid(`${path} cannot be a file and a folder in one commit.`);
    const after =
      own === undefined
        ? // oxlint-disable-next-line no-await-in-loop -- a few folders, each one read
          await writeSubfolder(writer, before, inside, path)
        : writeFile(writer, before, own.change, path);
    if (after === undefined) entries.delete(name);
    else entries.set(name, { ...after, name, nameBytes: before?.nameBytes ?? Buffer.from(name) });
  }
  return entries.size === 0 ? undefined : writer.add(makeObject("tree", encodeTree([...entries.values()])));
}

function groupByName(changes: readonly PathChange[]): ReadonlyMap<string, readonly PathChange[]> {
  const groups = new Map<string, PathChange[]>();
  for (const change of changes) {
    const [name = ""] = change.path;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [change]);
    else group.push(change);
  }
  return groups;
}

type WrittenEntry = Pick<TreeEntry, "mode" | "id"> | undefined;

async function writeSubfolder(
  writer: Writer,
  before: TreeEntry | undefined,
  inside: readonly PathChange[],
  path: string,
): Promise<WrittenEntry> {
  if (before !== undefined && !isFolder(before)) throw invalid(`${path} is a file, so there is nothing below it.`);
  const below = inside.map(({ path: [, ...rest], change }) => ({ path: rest, change }));
  const id = await writeFolder(writer, before?.id, below, `${path}/`);
  return id === undefined ? undefined : { mode: TREE_MODE, id };
}

function writeFile(writer: Writer, before: TreeEntry | undefined, change: FileChange, path: string): WrittenEntry {
  if (before !== undefined && isFolder(before)) throw invalid(`${path} is a folder. Delete its files first, by name.`);
  if (change.kind === "delete") {
    if (before === undefined) throw invalid(`${path} cannot be deleted: there is no such file.`);
    return undefined;
  }
  const wasExecutable = before?.mode === EXECUTABLE;
  const mode = (change.isExecutable ?? wasExecutable) ? EXECUTABLE : FILE;
  return { mode, id: writer.add(makeObject("blob", change.bytes)) };
}

function isFolder({ mode }: TreeEntry): boolean {
  return (mode & FORMAT_BITS) === TREE_MODE;
}

function endLine(message: string): string {
  return message.endsWith("\n") ? message : `${message}\n`;
}

function invalid(message: string): HostingError {
  return new HostingError("invalid-request", message);
}
