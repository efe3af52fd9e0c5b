// The checks of a tree that git makes under receive.fsckObjects (fsck.c, fsck_tree): those of severity error, and the warnings,
// which receive-pack makes errors. What is only an info there (badFilemode and links in place of .gitattributes) is accepted here too.
import { type DotGitName, dotGitNamesIn } from "./dot-git-names.ts";
import { FSCK_MESSAGES, type FsckMessageId, type FsckProblem, fsckProblem } from "./fsck-problem.ts";
import { FORMAT_BITS, SYMLINK_MODE, TREE_MODE, scanTree } from "./object.ts";

/** Called for each entry whose content git reads by itself and therefore checks; the blob's id is the 20 bytes at the offset. */
export type SpecialEntryVisitor = (name: Exclude<DotGitName, "git">, idBytes: Uint8Array, offset: number) => void;

const ORDER: readonly string[] = Object.keys(FSCK_MESSAGES);
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const ZERO_DIGIT = 0x30;

/** The first of git's complaints about a tree, if there is one. */
export function checkTree(bytes: Uint8Array, visitSpecial: SpecialEntryVisitor = () => {}): FsckProblem | undefined {
  const found = new Set<FsckMessageId>();
  const order = new OrderCheck(bytes);
  let entryStart = 0;
  const isTree = scanTree(bytes, (mode, nameStart, idOffset) => {
    const nameEnd = idOffset - 1;
    const format = mode & FORMAT_BITS;
    if (bytes[entryStart] === ZERO_DIGIT) found.add("zeroPaddedFilemode");
    if (isNullId(bytes, idOffset)) found.add("nullSha1");
    let hasBackslash = false;
    for (let at = nameStart; at < nameEnd; at++) {
      const byte = bytes[at];
      if (byte === SLASH) found.add("fullPathname");
      else if (byte === BACKSLASH) hasBackslash = true;
    }
    if (bytes[nameStart] === DOT) {
      if (nameEnd === nameStart + 1) found.add("hasDot");
      else if (nameEnd === nameStart + 2 && bytes[nameStart + 1] === DOT) found.add("hasDotdot");
    }
    for (const name of dotGitNamesIn(bytes, { start: nameStart, end: nameEnd, hasBackslash })) {
      if (name === "git") found.add("hasDotgit");
      else if (format !== SYMLINK_MODE) visitSpecial(name, bytes, idOffset);
      else if (name === "gitmodules") found.add("gitmodulesSymlink");
    }
    const problem = order.next(nameStart, nameEnd, format === TREE_MODE);
    if (problem) found.add(problem);
    entryStart = idOffset + 20;
  });
  if (!isTree) found.add("badTree");
  return found.size === 0 ? undefined : firstOf(found);
}

/** Whichever comes first in the table, which for trees is in git's order. */
function firstOf(found: ReadonlySet<FsckMessageId>): FsckProblem | undefined {
  const [first] = [...found].toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  return first && fsckProblem(first);
}

function isNullId(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 20; i++) if (bytes[offset + i] !== 0) return false;
  return true;
}

/**
 * Whether each entry comes after the one before it, where the name of a tree counts as if a slash ended it (verify_ordered). A
 * file and a tree of the same name may therefore stand apart, as in foo, foo.bar, foo/: names of files that such a tree could still
 * follow wait on a stack. A name is its start and end, two numbers, because trees have millions of them.
 */
class OrderCheck {
  readonly #bytes: Uint8Array;
  /** Starts and ends of names, in turns. */
  readonly #candidates: number[] = [];
  #start = 0;
  #end = 0;
  #isTree = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(start: number, end: number, isTree: boolean): "duplicateEntries" | "treeNotSorted" | undefined {
    const problem = this.#end > 0 ? this.#compare(start, end, isTree) : undefined;
    this.#start = start;
    this.#end = end;
    this.#isTree = isTree;
    return problem;
  }

  #compare(start: number, end: number, isTree: boolean): "duplicateEntries" | "treeNotSorted" | undefined {
    const shared = this.#sharedLength(this.#start, this.#end, start, end);
    const isFirstWhole = this.#start + shared === this.#end;
    const isSecondWhole = start + shared === end;
    if (isFirstWhole && isSecondWhole) return "duplicateEntries";
    const first = isFirstWhole ? endOf(this.#isTree) : this.#byteAt(this.#start + shared);
    const second = isSecondWhole ? endOf(isTree) : this.#byteAt(start + shared);
    if (isFirstWhole || isSecondWhole) {
      if (first === 0 && isBeforeSlash(second)) this.#candidates.push(this.#start, this.#end);
      else if (second === SLASH && isBeforeSlash(first) && this.#hasCandidate(start, end)) {
        return "duplicateEntries";
      }
    }
    return first < second ? undefined : "treeNotSorted";
  }

  /** Whether a file of the same name came before this tree. Drops the names that no later tree can repeat. */
  #hasCandidate(start: number, end: number): boolean {
    while (this.#candidates.length > 0) {
      const fileEnd = this.#candidates.pop() ?? 0;
      const fileStart = this.#candidates.pop() ?? 0;
      const length = fileEnd - fileStart;
      if (this.#sharedLength(fileStart, fileEnd, start, end) < length) continue;
      if (start + length === end) return true;
      if (!isBeforeSlash(this.#byteAt(start + length))) continue;
      this.#candidates.push(fileStart, fileEnd);
      return false;
    }
    return false;
  }

  #sharedLength(start: number, end: number, otherStart: number, otherEnd: number): number {
    const length = Math.min(end - start, otherEnd - otherStart);
    let shared = 0;
    while (shared < length && this.#bytes[start + shared] === this.#bytes[otherStart + shared]) {
      shared++;
    }
    return shared;
  }

  #byteAt(at: number): number {
    return this.#bytes[at] ?? 0;
  }
}

/** The byte that counts as following a name. */
function endOf(isTree: boolean): number {
  return isTree ? SLASH : 0;
}

function isBeforeSlash(byte: number): boolean {
  return byte > 0 && byte < SLASH;
}
