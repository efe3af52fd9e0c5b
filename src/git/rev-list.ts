// Which objects a fetch takes: everything that the wants reach and the haves do not, as git pack-objects --revs --thin lists it
// (list-objects.c, list-objects-filter.c). Works on numbers and one byte for each object.
import { type ObjectFilter, NO_FILTER } from "./object-filter.ts";
import type { ObjectGraph } from "./object-graph.ts";

export interface RevListRequest {
  readonly wants: readonly number[];
  readonly haves: readonly number[];
  /** Commits whose parents count as absent: where the client's history ends, or will end. */
  readonly shallows?: readonly number[];
  readonly filter?: ObjectFilter;
  /** Annotated tags to send where what they name in the end is sent. */
  readonly followTags?: readonly number[];
}

/** The result of a walk, by canonical numbers. Marks are bits: the object is sent, or the client is known to have it. */
export interface ObjectSelection {
  readonly marks: Uint8Array;
  readonly sentCount: number;
}

export const SENT = 1;
export const HAD = 2;
/** Walked through already. Kept apart from SENT because filters leave objects out that lead to others. */
const VISITED = 4;
const SHALLOW = 8;

/** Lists the objects. Memory: a byte an object, and eight for each commit and tree to send. */
export function listObjects(graph: ObjectGraph, request: RevListRequest): ObjectSelection {
  const list = new ObjectList(graph, request.filter ?? NO_FILTER);
  for (const commit of request.shallows ?? []) list.mark(commit, SHALLOW);
  const haveCommits = list.markHaves(request.haves);
  const given = list.sendGivenTags(request.wants);
  const { commits, boundary } = list.sendCommits(given.commits);
  if (commits.length + given.others.length > 0) {
    list.markTreesHad([...boundary, ...haveCommits].map((commit) => graph.targetOf(commit)));
    list.sendTrees(given.others, commits);
  }
  for (const tag of request.followTags ?? []) {
    if (list.isMarked(graph.peel(tag), SENT)) list.sendTagChain(tag);
  }
  return { marks: list.marks, sentCount: list.sentCount };
}

class ObjectList {
  readonly marks: Uint8Array;
  sentCount = 0;
  readonly #graph: ObjectGraph;
  readonly #filter: ObjectFilter;

  constructor(graph: ObjectGraph, filter: ObjectFilter) {
    this.marks = new Uint8Array(graph.size);
    this.#graph = graph;
    this.#filter = filter;
  }

  isMarked(number: number, mark: number): boolean {
    return ((this.marks[number] ?? 0) & mark) !== 0;
  }

  mark(number: number, mark: number): void {
    this.marks[number] = (this.marks[number] ?? 0) | mark;
  }

  /**
   * Marks what the client has and, of commits, all ancestors, but of their trees nothing yet. Returns the commits given.
   * All ancestors rather than those that git's walk by date would meet: an edge costs less than a queue of dates does.
   */
  markHaves(haves: readonly number[]): number[] {
    const commits: number[] = [];
    const others: number[] = [];
    for (const have of haves) {
      let target = have;
      for (; this.#graph.kindAt(target) === "tag"; target = this.#graph.targetOf(target)) this.mark(target, HAD);
      if (this.#graph.kindAt(target) === "commit") commits.push(target);
      else others.push(target);
    }
    if (others.length > 0) this.markTreesHad(others);
    const stack = commits.slice();
    const push = (parent: number): void => void stack.push(parent);
    for (let commit = stack.pop(); commit !== undefined; commit = stack.pop()) {
      if (this.isMarked(commit, HAD)) continue;
      this.mark(commit, HAD);
      if (!this.isMarked(commit, SHALLOW)) this.#graph.forEachParent(commit, push);
    }
    return commits;
  }

  /** Marks trees with all that is below them, or blobs. */
  markTreesHad(roots: readonly number[]): void {
    const stack: number[] = [];
    const visit = (object: number): void => {
      if (this.isMarked(object, HAD)) return;
      this.mark(object, HAD);
      if (this.#graph.kindAt(object) === "tree") stack.push(object);
    };
    for (const root of roots) visit(root);
    const forEachEntry = this.#graph.walkEntries();
    for (let tree = stack.pop(); tree !== undefined; tree = stack.pop()) forEachEntry(tree, visit);
  }

  /** What the client named itself is sent whatever the filter says, and so is what a tag that it named leads to. */
  sendGivenTags(wants: readonly number[]): { commits: number[]; others: number[] } {
    const commits: number[] = [];
    const others: number[] = [];
    for (const want of wants) {
      let target = want;
      for (; this.#graph.kindAt(target) === "tag"; target = this.#graph.targetOf(target)) this.#send(target);
      if (this.#graph.kindAt(target) === "commit") commits.push(target);
      else others.push(target);
    }
    for (const commit of commits) this.#send(commit);
    return { commits, others };
  }

  /** The commits that are reached, and those of the client's at which the walk ended. */
  sendCommits(tips: readonly number[]): { commits: number[]; boundary: number[] } {
    const commits: number[] = [];
    const boundary: number[] = [];
    const isSent = this.#filter.kinds.includes("commit");
    const stack = tips.toReversed();
    const push = (parent: number): void => void stack.push(parent);
    for (let commit = stack.pop(); commit !== undefined; commit = stack.pop()) {
      if (this.isMarked(commit, VISITED)) continue;
      this.mark(commit, VISITED);
      if (this.isMarked(commit, HAD)) {
        boundary.push(commit);
        continue;
      }
      if (isSent) this.#send(commit);
      commits.push(commit);
      if (!this.isMarked(commit, SHALLOW)) this.#graph.forEachParent(commit, push);
    }
    return { commits, boundary };
  }

  /**
   * Trees and blobs: those that the client named itself, then level by level, so that each is met first where it lies least deep:
   * a filter by depth then needs one visit. The entries of a tree that the client named are at depth 0 (list-objects-filter.c does
   * not count such a tree).
   */
  sendTrees(named: readonly number[], commits: readonly number[]): void {
    const given = named.filter((object) => !this.isMarked(object, HAD));
    for (const object of given) this.#send(object);
    const { kinds, treeDepth, blobBytes } = this.#filter;
    const sendsTrees = kinds.includes("tree");
    const sendsBlobs = kinds.includes("blob") && blobBytes > 0;
    if (treeDepth === 0 || (!sendsTrees && !sendsBlobs)) return;
    let next: number[] = [];
    const visit = (object: number): void => {
      if (this.isMarked(object, HAD | VISITED)) return;
      this.mark(object, VISITED);
      if (this.#graph.kindAt(object) === "tree") {
        if (sendsTrees) this.#send(object);
        next.push(object);
      } else if (sendsBlobs && (blobBytes === Infinity || this.#graph.sizeAt(object) < blobBytes)) {
        this.#send(object);
      }
    };
    const forEachEntry = this.#graph.walkEntries();
    for (const object of given) this.mark(object, VISITED);
    for (const object of given) {
      if (this.#graph.kindAt(object) === "tree") forEachEntry(object, visit);
    }
    for (const commit of commits) visit(this.#graph.targetOf(commit));
    for (let depth = 1; depth < treeDepth && next.length > 0; depth++) {
      const level = next;
      next = [];
      for (const tree of level) forEachEntry(tree, visit);
    }
  }

  sendTagChain(tag: number): void {
    for (let object = tag; this.#graph.kindAt(object) === "tag"; object = this.#graph.targetOf(object))
      this.#send(object);
  }

  #send(number: number): void {
    if (this.isMarked(number, SENT | HAD)) return;
    this.mark(number, SENT);
    this.sentCount += 1;
  }
}
