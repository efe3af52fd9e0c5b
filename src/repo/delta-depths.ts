// How many deltas lie between each object of a pack that is written and one that is whole. Every push's deltas are of what was pushed
// before, so that packs put together again and again would grow chains without end, the newest objects at their far ends.

/** As git's pack.depth. */
const MAX_DEPTH = 50;

export class DeltaDepths {
  /** By number, and one more than the depth; 0 is not written yet. */
  readonly #depths: Uint8Array;

  /** For objects with numbers below `size`. */
  constructor(size: number) {
    this.#depths = new Uint8Array(size);
  }

  addWhole(number: number): void {
    this.#depths[number] = 1;
  }

  /** Notes a delta, or returns false where its chain would be too long or its base comes later. */
  addDelta(number: number, base: number): boolean {
    const depth = this.#depths[base] ?? 0;
    if (depth === 0 || depth > MAX_DEPTH) return false;
    this.#depths[number] = depth + 1;
    return true;
  }
}
