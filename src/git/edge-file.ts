// The closure of a pack, so that connectivity and fetches inflate nothing: for each object, in index order, its kind, inflated
// size, time and the objects that it names. A format of this project's own, kept beside each pack and its index.
//
// Big endian: "SWED", version; counts of objects N, runs R, edges E and externals X (u32 each); N kinds (u8), padding to 4; N sizes,
// saturating; N times (seconds of a commit or tag, else 0); N + 1 first runs; R runs, each the first edge and the number of edges;
// E edges; X external ids of 20 bytes. What object n names is in the runs from the n-th first run to the next, in order. An edge below
// N is an object of the pack, an edge e from N on is external e - N. Of an object that the pack has twice, the first alone has runs
// and is named. Runs share edges, because most trees repeat nearly all of the tree that they replace: a history of 46,000 commits with
// 11,000,000 tree entries comes to 7 MB, not 45.
import { type ObjectId, objectIdFromBytes } from "./object-id.ts";
import { type ObjectKind, objectKindOf } from "./object.ts";

const MAGIC = 0x53574544;
const VERSION = 1;
const HEADER_BYTES = 24;
const ID_BYTES = 20;
const MAX_U32 = 0xffff_ffff;

/** The columns of an edge file. `sizes` may be larger than the file can say, which then keeps the largest value that it can. */
export interface EdgeFileColumns {
  readonly kinds: Uint8Array;
  readonly sizes: ArrayLike<number>;
  readonly times: ArrayLike<number>;
  readonly firstRuns: ArrayLike<number>;
  /** Two numbers a run. */
  readonly runs: ArrayLike<number>;
  readonly edges: ArrayLike<number>;
  readonly externals: Uint8Array;
}

export function writeEdgeFile(columns: EdgeFileColumns): Uint8Array {
  const { kinds, sizes, times, firstRuns, runs, edges, externals } = columns;
  const count = kinds.length;
  const layout = layOut(count, runs.length / 2, edges.length);
  const file = new Uint8Array(layout.externalsAt + externals.length);
  const view = new DataView(file.buffer);
  writeColumn(view, 0, [MAGIC, VERSION, count, runs.length / 2, edges.length, externals.length / ID_BYTES]);
  file.set(kinds, HEADER_BYTES);
  writeColumn(view, layout.sizesAt, sizes);
  writeColumn(view, layout.timesAt, times);
  writeColumn(view, layout.firstRunsAt, firstRuns);
  writeColumn(view, layout.runsAt, runs);
  writeColumn(view, layout.edgesAt, edges);
  file.set(externals, layout.externalsAt);
  return file;
}

/** One bit for each edge of a file. */
export type EdgeVisits = Int32Array;

/** All bits of a word. */
const ALL_VISITED = -1;

/** An edge file in memory. Objects are numbered as in the pack's index. */
export class EdgeFile {
  readonly count: number;
  readonly externalCount: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #layout: Layout;
  readonly #runCount: number;
  readonly #edgeCount: number;

  /** Throws for bytes that are not a whole edge file of this version. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength < HEADER_BYTES || view.getUint32(0) !== MAGIC) throw malformed();
    if (view.getUint32(4) !== VERSION) throw malformed();
    this.#bytes = bytes;
    this.#view = view;
    this.count = view.getUint32(8);
    this.#runCount = view.getUint32(12);
    this.#edgeCount = view.getUint32(16);
    this.externalCount = view.getUint32(20);
    this.#layout = layOut(this.count, this.#runCount, this.#edgeCount);
    const expectedBytes = this.#layout.externalsAt + this.externalCount * ID_BYTES;
    if (expectedBytes !== bytes.byteLength) throw malformed();
  }

  kindAt(n: number): ObjectKind {
    const kind = objectKindOf(this.#bytes[HEADER_BYTES + this.#checked(n)] ?? 0);
    if (!kind) throw malformed();
    return kind;
  }

  /** The inflated size in bytes; 2^32 - 1 for anything larger. */
  sizeAt(n: number): number {
    return this.#view.getUint32(this.#layout.sizesAt + this.#checked(n) * 4);
  }

  /** Seconds since the epoch of a commit or tag, else 0. */
  timeAt(n: number): number {
    return this.#view.getUint32(this.#layout.timesAt + this.#checked(n) * 4);
  }

  /**
   * Visits what object n names, in the order in which it names them: an object of this pack below `count`, else the external of that
   * number minus `count`.
   */
  forEachEdge(n: number, visit: (target: number) => void): void {
    const { firstRunsAt, runsAt, edgesAt } = this.#layout;
    const firstRun = this.#view.getUint32(firstRunsAt + this.#checked(n) * 4);
    const endRun = this.#view.getUint32(firstRunsAt + n * 4 + 4);
    if (endRun > this.#runCount) throw malformed();
    for (let run = firstRun; run < endRun; run++) {
      const start = this.#view.getUint32(runsAt + run * 8);
      const end = start + this.#view.getUint32(runsAt + run * 8 + 4);
      if (end > this.#edgeCount) throw malformed();
      for (let edge = start; edge < end; edge++) visit(this.#view.getUint32(edgesAt + edge * 4));
    }
  }

  /** What a walk over the edges begins with: nothing visited yet. */
  startVisits(): EdgeVisits {
    return new Int32Array(Math.ceil(this.#edgeCount / 32));
  }

  /**
   * The same, but leaves out edges that were visited with these visits before, through this object or another that shares them. A walk
   * over a whole history then costs what the file holds, not what the trees name: a quarter of a million objects come to 26,000,000
   * entries and 4,000,000 edges.
   */
  forEachNewEdge(n: number, visits: EdgeVisits, visit: (target: number) => void): void {
    const { firstRunsAt, runsAt, edgesAt } = this.#layout;
    const firstRun = this.#view.getUint32(firstRunsAt + this.#checked(n) * 4);
    const endRun = this.#view.getUint32(firstRunsAt + n * 4 + 4);
    if (endRun > this.#runCount) throw malformed();
    for (let run = firstRun; run < endRun; run++) {
      let edge = this.#view.getUint32(runsAt + run * 8);
      const end = edge + this.#view.getUint32(runsAt + run * 8 + 4);
      if (end > this.#edgeCount) throw malformed();
      while (edge < end) {
        const word = visits[edge >>> 5] ?? 0;
        const bit = 1 << (edge & 31);
        if ((word & bit) === 0) {
          visits[edge >>> 5] = word | bit;
          visit(this.#view.getUint32(edgesAt + edge * 4));
        }
        edge = word === ALL_VISITED ? (edge | 31) + 1 : edge + 1;
      }
    }
  }

  /** What forEachEdge visits. */
  edgesAt(n: number): number[] {
    const edges: number[] = [];
    this.forEachEdge(n, (target) => edges.push(target));
    return edges;
  }

  /** The first thing that object n names: a commit's tree, a tag's target. Throws where there is none. */
  firstEdgeAt(n: number): number {
    const { firstRunsAt, runsAt, edgesAt } = this.#layout;
    const run = this.#view.getUint32(firstRunsAt + this.#checked(n) * 4);
    if (run >= this.#view.getUint32(firstRunsAt + n * 4 + 4) || run >= this.#runCount) throw malformed();
    const edge = this.#view.getUint32(runsAt + run * 8);
    if (edge >= this.#edgeCount) throw malformed();
    return this.#view.getUint32(edgesAt + edge * 4);
  }

  externalAt(k: number): ObjectId {
    return objectIdFromBytes(this.externalBytesAt(k));
  }

  /** A view of the 20 bytes. */
  externalBytesAt(k: number): Uint8Array {
    if (k < 0 || k >= this.externalCount) throw malformed();
    const at = this.#layout.externalsAt + k * ID_BYTES;
    return this.#bytes.subarray(at, at + ID_BYTES);
  }

  #checked(n: number): number {
    if (n >= 0 && n < this.count) return n;
    throw new RangeError(`There is no object ${n} in an edge file of ${this.count}.`);
  }
}

/** The first object that names a target, numbered as an edge is; -1 if none does. Looks at every edge. */
export function findNamer(columns: EdgeFileColumns, target: number): number {
  const { kinds, firstRuns, runs, edges } = columns;
  return kinds.findIndex((_kind, n) => {
    for (let run = firstRuns[n] ?? 0; run < (firstRuns[n + 1] ?? 0); run++) {
      const start = runs[run * 2] ?? 0;
      const end = start + (runs[run * 2 + 1] ?? 0);
      for (let edge = start; edge < end; edge++) if (edges[edge] === target) return true;
    }
    return false;
  });
}

interface Layout {
  readonly sizesAt: number;
  readonly timesAt: number;
  readonly firstRunsAt: number;
  readonly runsAt: number;
  readonly edgesAt: number;
  readonly externalsAt: number;
}

function layOut(count: number, runCount: number, edgeCount: number): Layout {
  const sizesAt = HEADER_BYTES + Math.ceil(count / 4) * 4;
  const timesAt = sizesAt + count * 4;
  const firstRunsAt = timesAt + count * 4;
  const runsAt = firstRunsAt + (count + 1) * 4;
  const edgesAt = runsAt + runCount * 8;
  return { sizesAt, timesAt, firstRunsAt, runsAt, edgesAt, externalsAt: edgesAt + edgeCount * 4 };
}

function writeColumn(view: DataView, at: number, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    view.setUint32(at + i * 4, Math.min(values[i] ?? 0, MAX_U32));
  }
}

function malformed(): Error {
  return new Error("The bytes are not an edge file of version 1.");
}
