// Pack indexes, version 2 (Documentation/gitformat-pack.txt, pack-write.c): ids in order, each with a CRC and an offset.
// Version 1 is neither written nor read.
import { createHash } from "node:crypto";
import { type ObjectId, objectIdFromBytes } from "./object-id.ts";

const ID_BYTES = 20;
const SIGNATURE = 0xff744f63;
const VERSION = 2;
const FANOUT_OFFSET = 8;
const IDS_OFFSET = FANOUT_OFFSET + 256 * 4;
const TRAILER_BYTES = 2 * ID_BYTES;
/** Offsets from here on do not fit in 31 bits and lie in a table of their own. */
const FIRST_LARGE_OFFSET = 0x8000_0000;

/** The objects of a pack, in columns and in any order. */
export interface PackIndexEntries {
  readonly count: number;
  /** 20 bytes for each object. */
  readonly ids: Uint8Array;
  /** CRC-32 of each object's bytes in the pack, header included. */
  readonly crcs: ArrayLike<number>;
  /** Where each object begins in the pack. */
  readonly offsets: ArrayLike<number>;
}

/** The positions 0 to count - 1 in order of the 20-byte ids at them: index order. */
export function sortIds(ids: Uint8Array, count: number): Uint32Array {
  const starts = countPrefixes(ids, count);
  const order = new Uint32Array(count);
  const next = starts.slice();
  for (let i = 0; i < count; i++) {
    const prefix = prefixAt(ids, i);
    const position = next[prefix] ?? 0;
    order[position] = i;
    next[prefix] = position + 1;
  }
  const compare = (a: number, b: number): number => compareIds(ids, a * ID_BYTES, ids, b * ID_BYTES);
  for (let prefix = 0; prefix < 0x10000; prefix++) {
    const start = starts[prefix] ?? 0;
    const end = starts[prefix + 1] ?? 0;
    if (end - start > 1) order.subarray(start, end).sort(compare);
  }
  return order;
}

/**
 * The index of a pack, as git index-pack writes it. `packChecksum` is the pack's trailer; `order` is what sortIds gives for the
 * entries, where the caller has it already.
 */
export function writePackIndex(
  entries: PackIndexEntries,
  packChecksum: Uint8Array,
  order: Uint32Array = sortIds(entries.ids, entries.count),
): Uint8Array {
  const { count, ids, crcs, offsets } = entries;
  const crcsAt = IDS_OFFSET + count * ID_BYTES;
  const offsetsAt = crcsAt + count * 4;
  let largeAt = offsetsAt + count * 4;
  let largeCount = 0;
  for (let i = 0; i < count; i++) if ((offsets[i] ?? 0) >= FIRST_LARGE_OFFSET) largeCount++;
  const index = new Uint8Array(largeAt + largeCount * 8 + TRAILER_BYTES);
  const view = new DataView(index.buffer);
  view.setUint32(0, SIGNATURE);
  view.setUint32(4, VERSION);
  const starts = countPrefixes(ids, count);
  for (let byte = 0; byte < 256; byte++) {
    view.setUint32(FANOUT_OFFSET + byte * 4, starts[(byte + 1) * 256] ?? 0);
  }
  for (let i = 0; i < count; i++) {
    const from = order[i] ?? 0;
    index.set(ids.subarray(from * ID_BYTES, (from + 1) * ID_BYTES), IDS_OFFSET + i * ID_BYTES);
    view.setUint32(crcsAt + i * 4, crcs[from] ?? 0);
    const offset = offsets[from] ?? 0;
    if (offset < FIRST_LARGE_OFFSET) {
      view.setUint32(offsetsAt + i * 4, offset);
    } else {
      const largeIndex = (largeAt - offsetsAt - count * 4) / 8;
      view.setUint32(offsetsAt + i * 4, FIRST_LARGE_OFFSET + largeIndex);
      view.setBigUint64(largeAt, BigInt(offset));
      largeAt += 8;
    }
  }
  const checksumAt = index.byteLength - ID_BYTES;
  index.set(packChecksum, checksumAt - ID_BYTES);
  index.set(createHash("sha1").update(index.subarray(0, checksumAt)).digest(), checksumAt);
  return index;
}

/** A pack index in memory. Objects are numbered in the order of their ids. */
export class PackIndex {
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #crcsAt: number;
  readonly #offsetsAt: number;
  readonly #largeAt: number;

  /** Throws for bytes that are not a whole index, version 2. The index's own checksum is not verified. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.count = readCount(this.#view);
    this.#crcsAt = IDS_OFFSET + this.count * ID_BYTES;
    this.#offsetsAt = this.#crcsAt + this.count * 4;
    this.#largeAt = this.#offsetsAt + this.count * 4;
  }

  /** The object's number, or -1. */
  find(idBytes: Uint8Array, at = 0): number {
    const first = idBytes[at] ?? 0;
    let low = first === 0 ? 0 : this.#view.getUint32(FANOUT_OFFSET + (first - 1) * 4);
    let high = this.#view.getUint32(FANOUT_OFFSET + first * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareIds(this.#bytes, IDS_OFFSET + middle * ID_BYTES, idBytes, at);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  idAt(n: number): ObjectId {
    return objectIdFromBytes(this.#bytes, IDS_OFFSET + this.#checked(n) * ID_BYTES);
  }

  /** A view of the 20 bytes. */
  idBytesAt(n: number): Uint8Array {
    const at = IDS_OFFSET + this.#checked(n) * ID_BYTES;
    return this.#bytes.subarray(at, at + ID_BYTES);
  }

  /** All ids in order, 20 bytes each: a view. */
  get ids(): Uint8Array {
    return this.#bytes.subarray(IDS_OFFSET, this.#crcsAt);
  }

  crcAt(n: number): number {
    return this.#view.getUint32(this.#crcsAt + this.#checked(n) * 4);
  }

  /** Where the object begins in the pack. */
  offsetAt(n: number): number {
    const offset = this.#view.getUint32(this.#offsetsAt + this.#checked(n) * 4);
    if (offset < FIRST_LARGE_OFFSET) return offset;
    const at = this.#largeAt + (offset - FIRST_LARGE_OFFSET) * 8;
    if (at + 8 > this.#bytes.byteLength - TRAILER_BYTES) throw malformed();
    return Number(this.#view.getBigUint64(at));
  }

  /** The trailer of the pack that this is the index of. */
  get packChecksum(): Uint8Array {
    const end = this.#bytes.byteLength - ID_BYTES;
    return this.#bytes.subarray(end - ID_BYTES, end);
  }

  #checked(n: number): number {
    if (n >= 0 && n < this.count) return n;
    throw new RangeError(`There is no object ${n} in a pack index of ${this.count}.`);
  }
}

function readCount(view: DataView): number {
  const isIndex = view.byteLength >= IDS_OFFSET + TRAILER_BYTES && view.getUint32(0) === SIGNATURE;
  if (!isIndex || view.getUint32(4) !== VERSION) throw malformed();
  let count = 0;
  for (let byte = 0; byte < 256; byte++) {
    const total = view.getUint32(FANOUT_OFFSET + byte * 4);
    if (total < count) throw malformed();
    count = total;
  }
  const largeBytes = view.byteLength - IDS_OFFSET - TRAILER_BYTES - count * (ID_BYTES + 8);
  if (largeBytes < 0 || largeBytes % 8 !== 0 || largeBytes > count * 8) throw malformed();
  return count;
}

/** How many ids come before each prefix of two bytes; one number more than there are prefixes. */
function countPrefixes(ids: Uint8Array, count: number): Uint32Array {
  const starts = new Uint32Array(0x10001);
  for (let i = 0; i < count; i++) {
    const after = prefixAt(ids, i) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let prefix = 1; prefix <= 0x10000; prefix++) {
    starts[prefix] = (starts[prefix] ?? 0) + (starts[prefix - 1] ?? 0);
  }
  return starts;
}

function prefixAt(ids: Uint8Array, i: number): number {
  return (ids[i * ID_BYTES] ?? 0) * 256 + (ids[i * ID_BYTES + 1] ?? 0);
}

function compareIds(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < ID_BYTES; i++) {
    const difference = (a[aAt + i] ?? 0) - (b[bAt + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function malformed(): Error {
  return new Error("The bytes are not a pack index of version 2.");
}
