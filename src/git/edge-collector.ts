// Gathers the edges of a pack's objects in whatever order the objects become known, and puts them into the order of an edge file.
import type { EdgeFileColumns } from "./edge-file.ts";
import { type EdgeVisitor, forEachEdge, timeOf } from "./object-edges.ts";
import type { ObjectGraph } from "./object-graph.ts";
import type { ObjectIdTable } from "./object-id-table.ts";
import { type ObjectKind, OBJECT_KIND_NUMBERS, objectKindOf } from "./object.ts";

const FIRST_LENGTH = 256;
const MAX_U32 = 0xffff_ffff;

/** The facts of one object that an edge file keeps, but for its edges. */
export interface CollectedObject {
  readonly number: number;
  readonly kind: ObjectKind;
  readonly sizeBytes: number;
}

/** What is asked of an ObjectIdTable. */
export type ObjectNumbers = Pick<ObjectIdTable, "size" | "add" | "bytesAt">;

/**
 * Numbers are those of the table given, in which every object of the pack, and every id that one of them names, ends up.
 * Memory: 30 bytes a known id, and some bytes for each entry of a tree that other trees do not have in the same place.
 */
export class EdgeCollector {
  readonly #table: ObjectNumbers;
  // By number.
  #kinds = new Uint8Array(0);
  #sizes = new Uint32Array(0);
  #times = new Uint32Array(0);
  #firstRuns = new Uint32Array(0);
  #runCounts = new Uint32Array(0);
  /** A bit for each kind as which the id is named. */
  #namedKinds = new Uint8Array(0);
  /** One more than where the id was put among the edges last. */
  #lastEdges = new Uint32Array(0);
  readonly #runs = new NumberList();
  readonly #edges = new NumberList();
  /** What the object at hand names. */
  readonly #named = new NumberList();

  constructor(table: ObjectNumbers) {
    this.#table = table;
  }

  /**
   * Notes an object, the second time without effect. `bytes` is its content; of a blob nobody needs it.
   * Errors: HostingError "object-invalid" where git could not parse it.
   */
  add(object: CollectedObject, bytes: Uint8Array): void {
    const { number, kind } = object;
    if (number < this.#kinds.length && this.#kinds[number] !== 0) return;
    this.#named.length = 0;
    forEachEdge(kind, bytes, this.#noteEdge);
    this.#note(object, timeOf(kind, bytes));
  }

  /** Notes an object as it is known from edge files. The table's numbers have to be the graph's; added once each. */
  addFrom(graph: ObjectGraph, number: number): void {
    this.#named.length = 0;
    graph.forEachEdge(number, this.#nameNumber);
    this.#note({ number, kind: graph.kindAt(number), sizeBytes: graph.sizeAt(number) }, graph.timeAt(number));
  }

  #note({ number, kind, sizeBytes }: CollectedObject, timeS: number): void {
    this.#growTo(this.#table.size);
    this.#kinds[number] = OBJECT_KIND_NUMBERS[kind];
    this.#sizes[number] = Math.min(sizeBytes, MAX_U32);
    this.#times[number] = timeS;
    this.#firstRuns[number] = this.#runs.length / 2;
    this.#addRuns();
    this.#runCounts[number] = this.#runs.length / 2 - (this.#firstRuns[number] ?? 0);
  }

  /** The size of an object that was added. */
  sizeOf(number: number): number {
    return this.#sizes[number] ?? 0;
  }

  /** The numbers of the largest blobs that were added, at most so many, the largest first. */
  findLargestBlobs(count: number): number[] {
    const largest: number[] = [];
    for (let number = 0; number < this.#kinds.length; number++) {
      if (this.#kinds[number] !== OBJECT_KIND_NUMBERS.blob) continue;
      const size = this.sizeOf(number);
      if (largest.length === count && size <= this.sizeOf(largest[count - 1] ?? 0)) continue;
      largest.push(number);
      largest.sort((a, b) => this.sizeOf(b) - this.sizeOf(a));
      largest.length = Math.min(largest.length, count);
    }
    return largest;
  }

  /** The number of a tree that was added and names this object; -1 if there is none. Looks at every edge. */
  findTreeOf(target: number): number {
    for (let number = 0; number < this.#kinds.length; number++) {
      if (this.#kinds[number] !== OBJECT_KIND_NUMBERS.tree) continue;
      const first = this.#firstRuns[number] ?? 0;
      for (let run = first; run < first + (this.#runCounts[number] ?? 0); run++) {
        const start = this.#runs.values[run * 2] ?? 0;
        const end = start + (this.#runs.values[run * 2 + 1] ?? 0);
        if (this.#edges.values.subarray(start, end).includes(target)) return number;
      }
    }
    return -1;
  }

  /** The kind as which an id is named; undefined if it is not, and where objects do not agree on it. */
  kindNamed(number: number): ObjectKind | undefined {
    const bits = this.#namedKinds[number] ?? 0;
    // One bit has a whole logarithm; none and several are no kind.
    return objectKindOf(Math.log2(bits));
  }

  /** The number of an id that is named as of two kinds, or as of another kind than it is; -1 if there is none. */
  findMisnamed(): number {
    return this.#namedKinds.findIndex((bits, number) => {
      const kind = this.#kinds[number] ?? 0;
      const allowed = kind === 0 ? bits & -bits : 1 << kind;
      return (bits & ~allowed) !== 0;
    });
  }

  /**
   * The columns for the objects with these numbers, in this order (index order): all objects that were added. Every other id that
   * they name is external. An object that is in the order twice has its edges the first time only, and is named as that.
   */
  columns(order: ArrayLike<number>): EdgeFileColumns {
    const count = order.length;
    const positions = new Uint32Array(this.#table.size).fill(MAX_U32);
    const kinds = new Uint8Array(count);
    const sizes = new Uint32Array(count);
    const times = new Uint32Array(count);
    const firstRuns = new Uint32Array(count + 1);
    const runs = new Uint32Array(this.#runs.length);
    let runsEnd = 0;
    for (let n = 0; n < count; n++) {
      const number = order[n] ?? 0;
      kinds[n] = this.#kinds[number] ?? 0;
      sizes[n] = this.#sizes[number] ?? 0;
      times[n] = this.#times[number] ?? 0;
      if (positions[number] === MAX_U32) {
        positions[number] = n;
        const first = (this.#firstRuns[number] ?? 0) * 2;
        const own = this.#runs.values.subarray(first, first + (this.#runCounts[number] ?? 0) * 2);
        runs.set(own, runsEnd);
        runsEnd += own.length;
      }
      firstRuns[n + 1] = runsEnd / 2;
    }
    return { kinds, sizes, times, firstRuns, runs: runs.subarray(0, runsEnd), ...this.#place(positions, count) };
  }

  readonly #noteEdge: EdgeVisitor = (idBytes, offset, kind) => {
    const number = this.#table.add(idBytes, offset);
    if (number >= this.#namedKinds.length) this.#growTo(number + 1);
    this.#namedKinds[number] = (this.#namedKinds[number] ?? 0) | (1 << OBJECT_KIND_NUMBERS[kind]);
    this.#named.push(number);
  };

  readonly #nameNumber = (number: number): void => this.#named.push(number);

  /**
   * What the object names, as runs of edges that are there already and of new ones. Past twice the square root of its length an object
   * gets one run of new edges instead, which those after it can then share: the sum of both kinds of cost is least there.
   */
  #addRuns(): void {
    const named = this.#named;
    const maxRuns = 2 * Math.sqrt(named.length) - 1;
    const startRuns = this.#runs.length;
    const startEdges = this.#edges.length;
    let runEnd = -1;
    for (let i = 0; i < named.length;) {
      const known = (this.#lastEdges[named.values[i] ?? 0] ?? 0) - 1;
      const start = known >= 0 ? known : this.#edges.length;
      const length = known >= 0 ? this.#sharedLength(known, i) : 1;
      if (known < 0) this.#addEdge(named.values[i] ?? 0);
      if (start === runEnd) this.#runs.addToLast(length);
      else this.#runs.push(start, length);
      runEnd = start + length;
      i += length;
      if (this.#runs.length - startRuns > 2 * maxRuns) break;
    }
    if (this.#runs.length - startRuns <= Math.max(2 * maxRuns, 2)) return;
    this.#runs.length = startRuns;
    this.#edges.length = startEdges;
    this.#runs.push(startEdges, named.length);
    for (let i = 0; i < named.length; i++) this.#addEdge(named.values[i] ?? 0);
  }

  /** How many of what the object at hand names from its i-th on lie one after the other from `start`. */
  #sharedLength(start: number, i: number): number {
    const { values: edges, length: edgesEnd } = this.#edges;
    const { values: named, length: namedEnd } = this.#named;
    let length = 1;
    while (i + length < namedEnd && start + length < edgesEnd && edges[start + length] === named[i + length]) length++;
    return length;
  }

  #addEdge(number: number): void {
    this.#edges.push(number);
    this.#lastEdges[number] = this.#edges.length;
  }

  /** The edges with positions in place of numbers. Ids without one get the next, as externals. */
  #place(positions: Uint32Array, count: number): Pick<EdgeFileColumns, "edges" | "externals"> {
    const edges = new Uint32Array(this.#edges.length);
    const externals = new NumberList();
    for (let edge = 0; edge < edges.length; edge++) {
      const number = this.#edges.values[edge] ?? 0;
      if (positions[number] === MAX_U32) {
        positions[number] = count + externals.length;
        externals.push(number);
      }
      edges[edge] = positions[number] ?? 0;
    }
    const ids = new Uint8Array(externals.length * 20);
    for (let k = 0; k < externals.length; k++) ids.set(this.#table.bytesAt(externals.values[k] ?? 0), k * 20);
    return { edges, externals: ids };
  }

  #growTo(atLeast: number): void {
    if (atLeast <= this.#kinds.length) return;
    const length = Math.max(atLeast, this.#kinds.length * 2, FIRST_LENGTH);
    this.#kinds = copied(this.#kinds, new Uint8Array(length));
    this.#namedKinds = copied(this.#namedKinds, new Uint8Array(length));
    this.#sizes = copied(this.#sizes, new Uint32Array(length));
    this.#times = copied(this.#times, new Uint32Array(length));
    this.#firstRuns = copied(this.#firstRuns, new Uint32Array(length));
    this.#runCounts = copied(this.#runCounts, new Uint32Array(length));
    this.#lastEdges = copied(this.#lastEdges, new Uint32Array(length));
  }
}

/** Numbers of 32 bits, added at the end. Only the first `length` of `values` count. */
class NumberList {
  values = new Uint32Array(FIRST_LENGTH);
  length = 0;

  push(...numbers: readonly number[]): void {
    if (this.length + numbers.length > this.values.length) {
      this.values = copied(this.values, new Uint32Array(this.values.length * 2));
    }
    for (const number of numbers) this.values[this.length++] = number;
  }

  addToLast(number: number): void {
    this.values[this.length - 1] = (this.values[this.length - 1] ?? 0) + number;
  }
}

/** Frees what was copied at once: the garbage collector would leave it lying until there is a lot of it. */
function copied<T extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(from: T, to: T): T {
  to.set(from);
  from.buffer.transfer(0);
  return to;
}
