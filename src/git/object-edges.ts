// The objects that an object names, read from its bytes without making strings of them: this runs over every object of a pack.
// Gitlinks are no edges: their commits are in other repositories.
import { HostingError } from "../errors.ts";
import { type ObjectId, objectIdFromBytes } from "./object-id.ts";
import { type ObjectKind, forEachTreeEntry, kindOfMode, parseObjectKind } from "./object.ts";

/** Called with the 20 bytes of an id at an offset, valid during the call only, and the kind that the object must be of. */
export type EdgeVisitor = (idBytes: Uint8Array, offset: number, kind: ObjectKind) => void;

const TREE = ascii("tree ");
const PARENT = ascii("parent ");
const OBJECT = ascii("object ");
const TYPE = ascii("type ");
const AUTHOR = ascii("author ");
const COMMITTER = ascii("committer ");
const TAGGER = ascii("tagger ");

/**
 * Visits what the object names: a commit's tree, then its parents in order; a tree's entries in order; a tag's target.
 * Errors: HostingError "object-invalid" where git could not parse the object.
 */
export function forEachEdge(kind: ObjectKind, bytes: Uint8Array, visit: EdgeVisitor): void {
  switch (kind) {
    case "commit":
      return forEachCommitEdge(bytes, visit);
    case "tree":
      return forEachTreeEntry(bytes, (mode, _nameStart, idOffset) => {
        const entryKind = kindOfMode(mode);
        if (entryKind) visit(bytes, idOffset, entryKind);
      });
    case "tag":
      return forEachTagEdge(bytes, visit);
    case "blob":
  }
}

/** The ids that forEachEdge visits, as strings. */
export function edgesOf(kind: ObjectKind, bytes: Uint8Array): ObjectId[] {
  const ids: ObjectId[] = [];
  forEachEdge(kind, bytes, (idBytes, offset) => ids.push(objectIdFromBytes(idBytes, offset)));
  return ids;
}

/** Seconds since the epoch of a commit (as committed) or tag; 0 for other kinds and where git cannot read a date (parse_commit_date). */
export function timeOf(kind: ObjectKind, bytes: Uint8Array): number {
  if (kind === "commit") {
    const author = skipParents(bytes, lineEnd(bytes, 0) + 1);
    if (!startsWith(bytes, author, AUTHOR)) return 0;
    const committer = lineEnd(bytes, author) + 1;
    return startsWith(bytes, committer, COMMITTER) ? dateOfLine(bytes, committer) : 0;
  }
  if (kind !== "tag") return 0;
  let at = 0;
  for (let line = 0; line < 3; line++) at = lineEnd(bytes, at) + 1;
  return startsWith(bytes, at, TAGGER) ? dateOfLine(bytes, at) : 0;
}

function forEachCommitEdge(bytes: Uint8Array, visit: EdgeVisitor): void {
  const id = new Uint8Array(20);
  if (!startsWith(bytes, 0, TREE) || !readHexLine(bytes, TREE.length, id)) throw malformed("commit");
  visit(id, 0, "tree");
  let at = TREE.length + 41;
  while (startsWith(bytes, at, PARENT)) {
    if (!readHexLine(bytes, at + PARENT.length, id)) throw malformed("commit");
    visit(id, 0, "commit");
    at += PARENT.length + 41;
  }
}

function forEachTagEdge(bytes: Uint8Array, visit: EdgeVisitor): void {
  const id = new Uint8Array(20);
  const isTag = startsWith(bytes, 0, OBJECT) && readHexLine(bytes, OBJECT.length, id);
  const typeAt = OBJECT.length + 41;
  if (!isTag || !startsWith(bytes, typeAt, TYPE)) throw malformed("tag");
  const type = Buffer.from(bytes.subarray(typeAt + TYPE.length, lineEnd(bytes, typeAt)));
  const kind = parseObjectKind(type.toString("latin1"));
  if (!kind) throw malformed("tag");
  visit(id, 0, kind);
}

function skipParents(bytes: Uint8Array, start: number): number {
  let at = start;
  while (startsWith(bytes, at, PARENT)) at = lineEnd(bytes, at) + 1;
  return at;
}

/** The digits after the last ">" of the line; a u32's worth of them. */
function dateOfLine(bytes: Uint8Array, start: number): number {
  const end = lineEnd(bytes, start);
  let at = bytes.lastIndexOf(0x3e, end) + 1;
  if (at <= start) return 0;
  while (at < end && bytes[at] === 0x20) at++;
  let timeS = 0;
  for (; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    timeS = Math.min(timeS * 10 + digit, 0xffff_ffff);
  }
  return timeS;
}

/** Decodes 40 digits that a newline follows into `id`; false if they are not there. */
function readHexLine(bytes: Uint8Array, start: number, id: Uint8Array): boolean {
  for (let i = 0; i < 20; i++) {
    const high = hexDigit(bytes[start + 2 * i] ?? 0);
    const low = hexDigit(bytes[start + 2 * i + 1] ?? 0);
    if (high < 0 || low < 0) return false;
    id[i] = high * 16 + low;
  }
  return bytes[start + 40] === 0x0a;
}

/** Git reads the ids in objects in either case (hexval). */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function lineEnd(bytes: Uint8Array, start: number): number {
  const newline = bytes.indexOf(0x0a, start);
  return newline < 0 ? bytes.byteLength : newline;
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) {
    if (bytes[at + i] !== prefix[i]) return false;
  }
  return true;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function malformed(kind: ObjectKind): HostingError {
  return new HostingError("object-invalid", `A ${kind} object cannot be parsed as a ${kind}.`);
}
