// What is known of each entry of a pack while it is taken in: columns of numbers, grown by doubling as entries arrive, because a
// quarter of a million JavaScript objects would take more memory than the isolate has.

/** An entry's kind while its delta is not resolved. The others are git's numbers, 1 to 4. */
export const UNRESOLVED = 0;
/** The lack of a base, an id or an entry. */
export const NONE = -1;

/** Entries are numbered in the order in which they lie in the pack, which is the order of their offsets. */
export class PackRecords {
  count = 0;
  /** Where the entry begins in the pack. */
  offsets = new Uint32Array(64);
  /** CRC-32 of the entry as it lies in the pack. */
  crcs = new Uint32Array(64);
  /** The object's kind as git numbers them, or UNRESOLVED. */
  kinds = new Uint8Array(64);
  /** Of a delta, the entry of its base; NONE for a whole object and for a base that is not known yet. */
  bases = new Int32Array(64);
  /** Of a REF_DELTA, the number of its base's id; NONE for all others. */
  baseIds = new Int32Array(64);
  /** The number of the object's id, NONE while it is UNRESOLVED. */
  ids = new Int32Array(64);
  /** How many deltas lie between the object and one that is stored whole. */
  depths = new Uint16Array(64);

  /** Adds an entry that begins at `offset`, with nothing else known. Returns its number. */
  add(offset: number): number {
    const entry = this.count++;
    if (entry === this.offsets.length) this.#grow();
    this.offsets[entry] = offset;
    this.bases[entry] = NONE;
    this.baseIds[entry] = NONE;
    this.ids[entry] = NONE;
    return entry;
  }

  /** The entry that begins at `offset`, or NONE. */
  findOffset(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.offsets[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return this.offsets[low] === offset && low < this.count ? low : NONE;
  }

  #grow(): void {
    const length = this.offsets.length * 2;
    this.offsets = grown(Uint32Array, this.offsets, length);
    this.crcs = grown(Uint32Array, this.crcs, length);
    this.kinds = grown(Uint8Array, this.kinds, length);
    this.bases = grown(Int32Array, this.bases, length);
    this.baseIds = grown(Int32Array, this.baseIds, length);
    this.ids = grown(Int32Array, this.ids, length);
    this.depths = grown(Uint16Array, this.depths, length);
  }
}

/** A column that can grow. */
type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array;

/** A longer copy of a column. The column itself is freed at once: the garbage collector would leave them all lying for a while. */
export function grown<T extends Column>(type: new (length: number) => T, column: T, length: number): T {
  const copy = new type(length);
  copy.set(column);
  if (column.buffer instanceof ArrayBuffer) column.buffer.transfer(0);
  return copy;
}
