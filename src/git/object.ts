// Git's four kinds of objects: their ids, their contents, and the objects that they name (object.c, commit.c, tree-walk.c, tag.c).
// Readers take what git itself can read; whether an object is well-formed enough to be stored is for fsck.ts.
import { createHash } from "node:crypto";
import { HostingError } from "../errors.ts";
import { type ObjectId, objectIdFromBytes, parseObjectId } from "./object-id.ts";

export type ObjectKind = "commit" | "tree" | "blob" | "tag";

/** The numbers that packfiles use for the kinds. */
export const OBJECT_KIND_NUMBERS: Readonly<Record<ObjectKind, number>> = {
  commit: 1,
  tree: 2,
  blob: 3,
  tag: 4,
};

const KINDS: readonly (ObjectKind | undefined)[] = [undefined, "commit", "tree", "blob", "tag"];

/** The kind of a packfile's number, or undefined for a delta's and for a reserved one. */
export function objectKindOf(number: number): ObjectKind | undefined {
  return KINDS[number];
}

/** Who did something, and when. `timezone` is as it is written, such as "+0200". */
export interface Signature {
  readonly name: string;
  readonly email: string;
  readonly timeS: number;
  readonly timezone: string;
}

export interface Commit {
  readonly treeId: ObjectId;
  readonly parentIds: readonly ObjectId[];
  readonly author: Signature;
  readonly committer: Signature;
  /** Seconds since the epoch; 0 where git cannot read it either. */
  readonly committerTime: number;
  readonly message: string;
}

export interface Tag {
  readonly targetId: ObjectId;
  readonly targetKind: ObjectKind;
  readonly name: string;
  readonly message: string;
}

export interface TreeEntry {
  readonly mode: number;
  /** The name as UTF-8; bytes that are not UTF-8 become U+FFFD. */
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly id: ObjectId;
}

/** The modes of tree entries, without the permission bits of files. */
export const TREE_MODE = 0o040000;
const FILE_MODE = 0o100000;
export const SYMLINK_MODE = 0o120000;
export const GITLINK_MODE = 0o160000;
/** The bits of a mode that say which of these it is. */
export const FORMAT_BITS = 0o170000;

const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/**
 * The kind of object that an entry of this mode names; undefined for a gitlink, whose commit is in another repository, and for
 * what git takes for one: any mode that is none of a file, a symbolic link or a tree (canon_mode).
 */
export function kindOfMode(mode: number): ObjectKind | undefined {
  const format = mode & FORMAT_BITS;
  if (format === TREE_MODE) return "tree";
  return format === FILE_MODE || format === SYMLINK_MODE ? "blob" : undefined;
}

/** The object's id: SHA-1 over its header and content. */
export function hashObject(kind: ObjectKind, bytes: Uint8Array): ObjectId {
  return objectIdFromBytes(hashObjectBytes(kind, bytes));
}

/** The object's id as 20 bytes. */
export function hashObjectBytes(kind: ObjectKind, bytes: Uint8Array): Uint8Array {
  return startObjectHash(kind, bytes.byteLength).update(bytes).digest();
}

/** The hash of an object whose content is still to come, for one that is too large to be held whole. */
export function startObjectHash(kind: ObjectKind, sizeBytes: number): ReturnType<typeof createHash> {
  return createHash("sha1").update(`${kind} ${sizeBytes}\0`);
}

/** Errors: HostingError "object-invalid" where git's parse_commit_buffer fails. */
export function readCommit(bytes: Uint8Array): Commit {
  const { headers, message } = readHeaders(bytes);
  const treeId = parseHexId(headers[0]?.value);
  if (headers[0]?.key !== "tree" || !treeId) throw malformed("commit");
  const parentIds: ObjectId[] = [];
  for (const { key, value } of headers.slice(1)) {
    const parentId = key === "parent" ? parseHexId(value) : undefined;
    if (!parentId) break;
    parentIds.push(parentId);
  }
  const committer = readSignature(findHeader(headers, "committer"));
  return {
    treeId,
    parentIds,
    author: readSignature(findHeader(headers, "author")),
    committer,
    committerTime: committer.timeS,
    message,
  };
}

/** Errors: HostingError "object-invalid" where git's parse_tag_buffer fails. */
export function readTag(bytes: Uint8Array): Tag {
  const { headers, message } = readHeaders(bytes);
  const targetId = headers[0]?.key === "object" ? parseHexId(headers[0].value) : undefined;
  const targetKind = headers[1]?.key === "type" ? parseObjectKind(headers[1].value) : undefined;
  if (!targetId || !targetKind) throw malformed("tag");
  return { targetId, targetKind, name: findHeader(headers, "tag") ?? "", message };
}

/** The entries in stored order. Errors: HostingError "object-invalid" for bytes that are not a tree. */
export function readTree(bytes: Uint8Array): TreeEntry[] {
  const entries: TreeEntry[] = [];
  forEachTreeEntry(bytes, (mode, nameStart, idOffset) => {
    const nameBytes = bytes.subarray(nameStart, idOffset - 1);
    const name = decoder.decode(nameBytes);
    entries.push({ mode, name, nameBytes, id: objectIdFromBytes(bytes, idOffset) });
  });
  return entries;
}

/**
 * Visits the entries without making anything: the name lies from `nameStart` to `idOffset - 1`, where its NUL is, and the id's
 * 20 bytes follow. Errors: HostingError "object-invalid".
 */
export function forEachTreeEntry(bytes: Uint8Array, visit: TreeEntryVisitor): void {
  if (!scanTree(bytes, visit)) throw malformed("tree");
}

/** Called for each entry of a tree, with positions in the tree's bytes. */
export type TreeEntryVisitor = (mode: number, nameStart: number, idOffset: number) => void;

/** As forEachTreeEntry, but false where the bytes stop being a tree. Modes are of 16 bits, as in git's fsck_tree. */
export function scanTree(bytes: Uint8Array, visit: TreeEntryVisitor): boolean {
  let at = 0;
  while (at < bytes.byteLength) {
    let mode = 0;
    let digit = bytes[at] ?? 0;
    const modeStart = at;
    while (digit >= 0x30 && digit <= 0x37) {
      mode = (mode * 8 + digit - 0x30) & 0xffff;
      digit = bytes[++at] ?? 0;
    }
    if (digit !== 0x20 || at === modeStart) return false;
    const nameStart = at + 1;
    const nameEnd = bytes.indexOf(0, nameStart);
    if (nameEnd <= nameStart || nameEnd + 21 > bytes.byteLength) return false;
    visit(mode, nameStart, nameEnd + 1);
    at = nameEnd + 21;
  }
  return true;
}

/** The kind named in a tag, or undefined. */
export function parseObjectKind(text: string): ObjectKind | undefined {
  return KINDS.find((kind) => kind === text);
}

interface Header {
  readonly key: string;
  readonly value: string;
}

/** The header lines up to the blank line. Continuation lines (of a signature) begin with a space and get an empty key. */
function readHeaders(bytes: Uint8Array): { headers: Header[]; message: string } {
  const text = decoder.decode(bytes);
  const blank = text.startsWith("\n") ? 0 : text.indexOf("\n\n");
  const head = blank < 0 ? text : text.slice(0, blank);
  const headers = head.split("\n").map((line) => {
    const space = line.indexOf(" ");
    return space < 0 ? { key: line, value: "" } : { key: line.slice(0, space), value: line.slice(space + 1) };
  });
  return { headers, message: blank < 0 ? "" : text.slice(blank === 0 ? 1 : blank + 2) };
}

/** Git reads the ids in objects in either case. */
function parseHexId(text = ""): ObjectId | undefined {
  return parseObjectId(text.toLowerCase());
}

function findHeader(headers: readonly Header[], key: string): string | undefined {
  return headers.find((header) => header.key === key)?.value;
}

/** As lenient as git's split_ident_line: what is missing is empty, and a time that cannot be read is 0. */
function readSignature(line = ""): Signature {
  const open = line.indexOf("<");
  const close = line.indexOf(">", open + 1);
  const hasEmail = open >= 0 && close >= 0;
  const afterEmail = line.slice(line.lastIndexOf(">") + 1).trimStart();
  const [, time = "", timezone = "+0000"] = (hasEmail && /^(\d+)(?: ([+-]\d+))?/.exec(afterEmail)) || [];
  const timeS = Number(time);
  return {
    name: line.slice(0, hasEmail ? open : line.length).trim(),
    email: hasEmail ? line.slice(open + 1, close) : "",
    timeS: Number.isSafeInteger(timeS) ? timeS : 0,
    timezone,
  };
}

function malformed(kind: ObjectKind): HostingError {
  return new HostingError("object-invalid", `A ${kind} object cannot be parsed as a ${kind}.`);
}
