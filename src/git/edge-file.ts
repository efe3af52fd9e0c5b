// The closure of a pack, so that connectivity and fetches inflate nothing: for each object, in index order, its kind, inflated
// size, time and the objects that it names. A format of this project's own, kept beside each pack and its index.
//
// Big endian: "SWED", version, object count N, edge count E, external count X (u32 each); N kinds (u8), padding to 4; N sizes,
// saturating; N times (seconds of a commit or tag, else 0); N + 1 starts; E edges; X external ids of 20 bytes. The edges of object n
// are those from starts[n] to starts[n + 1]. An edge below N is an object of the pack, an edge e from N on is external e - N.
import { type ObjectId, objectIdFromBytes } from "./object-id.ts";
import { type ObjectKind, objectKindOf } from "./object.ts";

const MAGIC = 0x53574544;
const VERSION = 1;
const HEADER_BYTES = 20;
const ID_BYTES = 20;
const MAX_U32 = 0xffff_ffff;

/** The columns of an edge file. `sizes` may be larger than the file can say, which then keeps the largest value that it can. */
export interface EdgeFileColumns {
  readonly kinds: Uint8Array;
  readonly sizes: ArrayLike<number>;
  readonly times: ArrayLike<number>;
  readonly starts: ArrayLike<number>;
  readonly edges: ArrayLike<number>;
  readonly externals: Uint8Array;
}

export function writeEdgeFile(columns: EdgeFileColumns): Uint8Array {
  const { kinds, sizes, times, starts, edges, externals } = columns;
  const count = kinds.length;
  const layout = layOut(count, edges.length);
  const file = new Uint8Array(layout.externalsAt + externals.length);
  const view = new DataView(file.buffer);
  const header = [MAGIC, VERSION, count, edges.length, externals.length / ID_BYTES];
  writeColumn(view, 0, header);
  file.set(kinds, HEADER_BYTES);
  writeColumn(view, layout.sizesAt, sizes);
  writeColumn(view, layout.timesAt, times);
  writeColumn(view, layout.startsAt, starts);
  writeColumn(view, layout.edgesAt, edges);
  file.set(externals, layout.externalsAt);
  return file;
}

/** An edge file in memory. Objects are numbered as in the pack's index. */
export class EdgeFile {
  readonly count: number;
  readonly edgeCount: number;
  readonly externalCount: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #layout: Layout;

  /** Throws for bytes that are not a whole edge file of this version. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength < HEADER_BYTES || view.getUint32(0) !== MAGIC) throw malformed();
    if (view.getUint32(4) !== VERSION) throw malformed();
    this.#bytes = bytes;
    this.#view = view;
    this.count = view.getUint32(8);
    this.edgeCount = view.getUint32(12);
    this.externalCount = view.getUint32(16);
    this.#layout = layOut(this.count, this.edgeCount);
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

  /** The first edge of object n. Its last is the one before firstEdgeOf(n + 1). */
  firstEdgeOf(n: number): number {
    return this.#view.getUint32(this.#layout.startsAt + n * 4);
  }

  /** What an edge names: an object of this pack below `count`, else the external of that number plus `count`. */
  edgeAt(edge: number): number {
    return this.#view.getUint32(this.#layout.edgesAt + edge * 4);
  }

  /** The edges of object n, in the order in which it names them. */
  edgesAt(n: number): number[] {
    const edges: number[] = [];
    const end = this.firstEdgeOf(this.#checked(n) + 1);
    for (let edge = this.firstEdgeOf(n); edge < end; edge++) edges.push(this.edgeAt(edge));
    return edges;
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

interface Layout {
  readonly sizesAt: number;
  readonly timesAt: number;
  readonly startsAt: number;
  readonly edgesAt: number;
  readonly externalsAt: number;
}

function layOut(count: number, edgeCount: number): Layout {
  const sizesAt = HEADER_BYTES + Math.ceil(count / 4) * 4;
  const timesAt = sizesAt + count * 4;
  const startsAt = timesAt + count * 4;
  const edgesAt = startsAt + (count + 1) * 4;
  return { sizesAt, timesAt, startsAt, edgesAt, externalsAt: edgesAt + edgeCount * 4 };
}

function writeColumn(view: DataView, at: number, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    view.setUint32(at + i * 4, Math.min(values[i] ?? 0, MAX_U32));
  }
}

function malformed(): Error {
  return new Error("The bytes are not an edge file of version 1.");
}
