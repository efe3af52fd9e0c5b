// The objects of several packs under one numbering: object n of pack p is number firsts[p] + n. An object that lies in more than
// one pack, or twice in one, has one canonical number, its first; marks, sets and sizes go by canonical numbers.
import type { ObjectId } from "./object-id.ts";
import type { PackIndex } from "./pack-index.ts";

/** Look-ups go through the packs in the order given. */
export class MultiPackIndex {
  readonly indexes: readonly PackIndex[];
  /** One more than the largest number. */
  readonly size: number;
  /** The first number of each pack, and `size`. */
  readonly #firsts: readonly number[];
  /** Whether a pack has an object twice, which git allows. */
  readonly #hasTwice: readonly boolean[];
  /** Canonical number + 1 of the numbers from #firstSlot on, found when first asked for; 0 is not known yet. */
  readonly #canonical: Uint32Array;
  /** Below it, in pack 0 if that has nothing twice, every number is canonical. */
  readonly #firstSlot: number;

  constructor(indexes: readonly PackIndex[]) {
    const firsts = [0];
    for (const index of indexes) firsts.push((firsts.at(-1) ?? 0) + index.count);
    this.indexes = indexes;
    this.size = firsts.at(-1) ?? 0;
    this.#firsts = firsts;
    this.#hasTwice = indexes.map((index) => hasObjectTwice(index));
    this.#firstSlot = this.#hasTwice[0] === true ? 0 : (firsts[1] ?? 0);
    this.#canonical = new Uint32Array(this.size - this.#firstSlot);
  }

  /** The canonical number of the id in the 20 bytes, or -1. */
  find(idBytes: Uint8Array, at = 0): number {
    for (let pack = 0; pack < this.indexes.length; pack++) {
      const index = this.indexAt(pack);
      let n = index.find(idBytes, at);
      if (n < 0) continue;
      while (this.#hasTwice[pack] === true && n > 0 && index.idAt(n - 1) === index.idAt(n)) n -= 1;
      return this.firstOf(pack) + n;
    }
    return -1;
  }

  /** The canonical number of an object of a pack. */
  numberOf(pack: number, n: number): number {
    const slot = this.firstOf(pack) + n - this.#firstSlot;
    if (slot < 0) return n;
    const known = this.#canonical[slot] ?? 0;
    if (known > 0) return known - 1;
    const number = this.find(this.indexAt(pack).idBytesAt(n));
    this.#canonical[slot] = number + 1;
    return number;
  }

  /** The pack that a number is of. */
  packOf(number: number): number {
    let low = 0;
    let high = this.indexes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#firsts[middle] ?? 0) <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The number of a pack's first object. */
  firstOf(pack: number): number {
    return this.#firsts[pack] ?? this.size;
  }

  idAt(number: number): ObjectId {
    const pack = this.packOf(number);
    return this.indexAt(pack).idAt(number - this.firstOf(pack));
  }

  indexAt(pack: number): PackIndex {
    const index = this.indexes[pack];
    if (index === undefined) throw new RangeError(`There is no pack ${pack} of ${this.indexes.length}.`);
    return index;
  }
}

function hasObjectTwice({ ids, count }: PackIndex): boolean {
  for (let n = 1; n < count; n++) {
    let i = n * 20;
    while (i < n * 20 + 20 && ids[i] === ids[i - 20]) i++;
    if (i === n * 20 + 20) return true;
  }
  return false;
}
