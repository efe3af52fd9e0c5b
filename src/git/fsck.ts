// The checks of one object that git makes under receive.fsckObjects (fsck.c): what receive-pack refuses there is refused here, with
// git's message ids; what it only warns of is accepted. Whether the objects that it names exist is not looked at.
import { type FsckProblem, fsckProblem } from "./fsck-problem.ts";
import { isKnownCollision } from "./known-collision.ts";
import { type SpecialEntryVisitor, checkTree } from "./fsck-tree.ts";
import { type ObjectKind, parseObjectKind } from "./object.ts";

const NEWLINE = 0x0a;

/**
 * The first of git's complaints about an object, if there is one. Of a tree, `visitSpecial` is told of the .gitmodules and
 * .gitattributes in it, whose blobs checkSpecialBlob of fsck-blob.ts then wants to see. Of a blob, its first
 * COLLISION_PREFIX_BYTES are enough.
 */
export function checkObject(
  kind: ObjectKind,
  bytes: Uint8Array,
  visitSpecial?: SpecialEntryVisitor,
): FsckProblem | undefined {
  return CHECKS[kind](bytes, visitSpecial);
}

const CHECKS: Readonly<
  Record<ObjectKind, (bytes: Uint8Array, visitSpecial?: SpecialEntryVisitor) => FsckProblem | undefined>
> = {
  commit: checkCommit,
  tree: checkTree,
  blob: (bytes) => (isKnownCollision(bytes) ? fsckProblem("sha1Collision") : undefined),
  tag: checkTag,
};

function checkCommit(bytes: Uint8Array): FsckProblem | undefined {
  const header = readHeader(bytes);
  if (typeof header !== "string") return header;
  const lines = new HeaderLines(header);
  if (!lines.skip("tree ")) return fsckProblem("missingTree");
  if (!lines.skipId()) return fsckProblem("badTreeSha1");
  while (lines.skip("parent ")) {
    if (!lines.skipId()) return fsckProblem("badParentSha1");
  }
  let authorCount = 0;
  for (; lines.skip("author "); authorCount++) {
    const problem = lines.skipIdent();
    if (problem) return problem;
  }
  if (authorCount < 1) return fsckProblem("missingAuthor");
  if (authorCount > 1) return fsckProblem("multipleAuthors");
  if (!lines.skip("committer ")) return fsckProblem("missingCommitter");
  const problem = lines.skipIdent();
  if (problem) return problem;
  return bytes.includes(0) ? fsckProblem("nulInCommit") : undefined;
}

/**
 * A tag without a tagger, as early ones are, and one whose name is no ref name are accepted, as are headers of other names. Git
 * forgets a bad tagger when such a header follows; that is not copied.
 */
function checkTag(bytes: Uint8Array): FsckProblem | undefined {
  const header = readHeader(bytes);
  if (typeof header !== "string") return header;
  const lines = new HeaderLines(header);
  if (!lines.skip("object ")) return fsckProblem("missingObject");
  if (!lines.skipId()) return fsckProblem("badObjectSha1");
  if (!lines.skip("type ")) return fsckProblem("missingTypeEntry");
  if (!parseObjectKind(lines.restOfLine())) return fsckProblem("badType");
  if (!lines.skip("tag ")) return fsckProblem("missingTagEntry");
  lines.restOfLine();
  return lines.skip("tagger ") ? lines.skipIdent() : undefined;
}

/**
 * The header as one character a byte, up to the newline that ends its last line (verify_headers). There are no NULs in it, and it
 * ends with a newline, so that looking for the end of a line always finds one.
 */
function readHeader(bytes: Uint8Array): string | FsckProblem {
  let end = bytes.indexOf(NEWLINE);
  while (end >= 0 && end + 1 < bytes.byteLength && bytes[end + 1] !== NEWLINE) {
    end = bytes.indexOf(NEWLINE, end + 1);
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0 && (end < 0 || nul < end)) return fsckProblem("nulInHeader", ` at offset ${nul}`);
  if (end < 0) return fsckProblem("unterminatedHeader");
  return Buffer.from(bytes.buffer, bytes.byteOffset, end + 1).toString("latin1");
}

const DATE = /[ \t\n\v\f\r]*([+-]?)(\d+)/y;
const TIMEZONE = /[+-]\d{4}\n/y;
const MAX_TIME = 2n ** 63n;

/** Walks over the lines of a header; a skip that returns false or a problem ends the walk. */
class HeaderLines {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  skip(prefix: string): boolean {
    if (!this.#text.startsWith(prefix, this.#at)) return false;
    this.#at += prefix.length;
    return true;
  }

  /** An id and the end of the line. Git takes digits of either case. */
  skipId(): boolean {
    return isHexId(this.restOfLine());
  }

  restOfLine(): string {
    const end = this.#text.indexOf("\n", this.#at);
    const rest = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return rest;
  }

  /** A person and a date, by fsck_ident. */
  skipIdent(): FsckProblem | undefined {
    const start = this.#at;
    this.restOfLine();
    return checkIdent(this.#text, start);
  }
}

function isHexId(text: string): boolean {
  return /^[0-9a-f]{40}$/i.test(text);
}

function checkIdent(text: string, start: number): FsckProblem | undefined {
  if (text[start] === "<") return fsckProblem("missingNameBeforeEmail");
  const open = indexOfAny(text, start);
  if (text[open] === ">") return fsckProblem("badName");
  if (text[open] !== "<") return fsckProblem("missingEmail");
  if (text[open - 1] !== " ") return fsckProblem("missingSpaceBeforeEmail");
  const close = indexOfAny(text, open + 1);
  if (text[close] !== ">") return fsckProblem("badEmail");
  if (text[close + 1] !== " ") return fsckProblem("missingSpaceBeforeDate");
  return checkDate(text, close + 2);
}

/** The next "<", ">" or end of line. */
function indexOfAny(text: string, start: number): number {
  let at = start;
  while (text[at] !== "<" && text[at] !== ">" && text[at] !== "\n") at++;
  return at;
}

/** The date is read as C's strtoumax does: after any white space, with a sign, and round the corner below zero. */
function checkDate(text: string, start: number): FsckProblem | undefined {
  if (text[start] === "0" && text[start + 1] !== " ") return fsckProblem("zeroPaddedDate");
  DATE.lastIndex = start;
  const [date = "", sign, digits = ""] = DATE.exec(text) ?? [];
  if (isOverflow(digits, sign === "-")) return fsckProblem("badDateOverflow");
  const end = start + date.length;
  if (date === "" || text[end] !== " ") return fsckProblem("badDate");
  TIMEZONE.lastIndex = end + 1;
  return TIMEZONE.test(text) ? undefined : fsckProblem("badTimezone");
}

/** Whether the date is none that a signed 64-bit time can hold (date_overflows). */
function isOverflow(digits: string, isNegative: boolean): boolean {
  if (!isNegative && digits.length < 19) return false;
  const significant = digits.replace(/^0+/, "");
  if (significant.length > 20) return true;
  const value = BigInt(`0${significant}`);
  if (value >= 2n * MAX_TIME) return true;
  return BigInt.asUintN(64, isNegative ? -value : value) >= MAX_TIME;
}
