// The objects of a pack in the order in which they lie in it, which a pack index does not have.
import type { PackIndex } from "./pack-index.ts";

/** Memory: four bytes an object; while it is made, eight more. */
export class PackOrder {
  readonly #index: PackIndex;
  readonly #objects: Uint32Array;

  constructor(index: PackIndex) {
    // Offset and number in one double, because only numbers sort natively: an offset below 2^53 / count is far beyond any pack.
    const keys = new Float64Array(index.count);
    for (let n = 0; n < index.count; n++) keys[n] = index.offsetAt(n) * index.count + n;
    keys.sort();
    this.#index = index;
    this.#objects = Uint32Array.from(keys, (key) => key % index.count);
  }

  /** The number of the object at a position from the pack's beginning. */
  objectAt(position: number): number {
    return this.#objects[position] ?? -1;
  }

  /** The number of the object that begins at an offset, or -1. */
  findOffset(offset: number): number {
    let low = 0;
    let high = this.#objects.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#index.offsetAt(this.objectAt(middle));
      if (at === offset) return this.objectAt(middle);
      if (at < offset) low = middle + 1;
      else high = middle;
    }
    return -1;
  }
}
