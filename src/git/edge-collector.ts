// Gathers the edges of a pack's objects in whatever order the objects become known, and puts them into the order of an edge file.
import { type EdgeFileColumns } from "./edge-file.ts";
import { type EdgeVisitor, forEachEdge, timeOf } from "./object-edges.ts";
import { type ObjectIdTable } from "./object-id-table.ts";
import { type ObjectKind, OBJECT_KIND_NUMBERS } from "./object.ts";

const FIRST_EDGES = 256;

/** The facts of one object that an edge file keeps, but for its edges. */
interface CollectedObject {
  readonly number: number;
  readonly kind: ObjectKind;
  readonly sizeBytes: number;
}

/**
 * Numbers are those of the table given, in which every object of the pack, and every id that one of them names, ends up.
 * Memory: 25 bytes a known id and 4 an edge.
 */
export class EdgeCollector {
  readonly #table: ObjectIdTable;
  #kinds = new Uint8Array(0);
  #sizes = new Uint32Array(0);
  #times = new Uint32Array(0);
  #firstEdges = new Uint32Array(0);
  #edgeCounts = new Uint32Array(0);
  #edges = new Uint32Array(FIRST_EDGES);
  #edgeCount = 0;

  constructor(table: ObjectIdTable) {
    this.#table = table;
  }

  /**
   * Notes an object, the second time without effect. `bytes` is its content; of a blob nobody needs it.
   * Errors: HostingError "object-invalid" where git could not parse it.
   */
  add(object: CollectedObject, bytes: Uint8Array): void {
    const { number, kind } = object;
    if (number >= this.#kinds.length) this.#growObjects(number + 1);
    if (this.#kinds[number] !== 0) return;
    const firstEdge = this.#edgeCount;
    forEachEdge(kind, bytes, this.#addEdge);
    this.#kinds[number] = OBJECT_KIND_NUMBERS[kind];
    this.#sizes[number] = Math.min(object.sizeBytes, 0xffff_ffff);
    this.#times[number] = timeOf(kind, bytes);
    this.#firstEdges[number] = firstEdge;
    this.#edgeCounts[number] = this.#edgeCount - firstEdge;
  }

  /** The columns for the objects with these numbers, in this order (index order). Every other id that they name is external. */
  columns(order: ArrayLike<number>): EdgeFileColumns {
    const count = order.length;
    const positions = new Uint32Array(this.#table.size).fill(NONE);
    for (let n = 0; n < count; n++) positions[order[n] ?? 0] = n;
    const kinds = new Uint8Array(count);
    const sizes = new Uint32Array(count);
    const times = new Uint32Array(count);
    const starts = new Uint32Array(count + 1);
    for (let n = 0; n < count; n++) {
      const number = order[n] ?? 0;
      kinds[n] = this.#kinds[number] ?? 0;
      sizes[n] = this.#sizes[number] ?? 0;
      times[n] = this.#times[number] ?? 0;
      starts[n + 1] = (starts[n] ?? 0) + (this.#edgeCounts[number] ?? 0);
    }
    const edges = new Uint32Array(starts[count] ?? 0);
    const externalNumbers: number[] = [];
    for (let n = 0; n < count; n++) {
      const first = this.#firstEdges[order[n] ?? 0] ?? 0;
      const start = starts[n] ?? 0;
      const end = starts[n + 1] ?? 0;
      for (let edge = start; edge < end; edge++) {
        const number = this.#edges[first + edge - start] ?? 0;
        if (positions[number] === NONE) {
          positions[number] = count + externalNumbers.length;
          externalNumbers.push(number);
        }
        edges[edge] = positions[number] ?? 0;
      }
    }
    return { kinds, sizes, times, starts, edges, externals: this.#idsOf(externalNumbers) };
  }

  readonly #addEdge: EdgeVisitor = (idBytes, offset) => {
    const number = this.#table.add(idBytes, offset);
    if (this.#edgeCount === this.#edges.length) {
      const edges = new Uint32Array(this.#edges.length * 2);
      edges.set(this.#edges);
      this.#edges = edges;
    }
    this.#edges[this.#edgeCount++] = number;
  };

  #idsOf(numbers: readonly number[]): Uint8Array {
    const ids = new Uint8Array(numbers.length * 20);
    numbers.forEach((number, i) => ids.set(this.#table.bytesAt(number), i * 20));
    return ids;
  }

  #growObjects(atLeast: number): void {
    const length = Math.max(atLeast, this.#kinds.length * 2, FIRST_EDGES);
    const kinds = new Uint8Array(length);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
    this.#sizes = copyTo(length, this.#sizes);
    this.#times = copyTo(length, this.#times);
    this.#firstEdges = copyTo(length, this.#firstEdges);
    this.#edgeCounts = copyTo(length, this.#edgeCounts);
  }
}

/** The position of an id that is not an object of the pack and has not been named yet. */
const NONE = 0xffff_ffff;

function copyTo(length: number, values: Uint32Array): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(length);
  copy.set(values);
  return copy;
}
