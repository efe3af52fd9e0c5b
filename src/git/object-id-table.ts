// Object ids interned into dense numbers, in typed arrays: 20 bytes and two slots an id, where a Map of strings takes over 100.
// Open addressing with linear probing. Nothing is ever removed.
import { type ObjectId, objectIdFromBytes } from "./object-id.ts";

const ID_BYTES = 20;
const FIRST_CAPACITY = 16;

/** Numbers 0 to size - 1, in order of first appearance. An id is given as the 20 bytes at an offset. */
export class ObjectIdTable {
  #size = 0;
  #ids = new Uint8Array(FIRST_CAPACITY * ID_BYTES);
  /** Number + 1 of the id in each slot; 0 is a free slot. At least twice as many slots as ids, always a power of two. */
  #slots = new Int32Array(FIRST_CAPACITY * 2);
  /**
   * Tabulation hashing: one random word for each value of each byte. A pusher chooses the ids that a tree names, so any hash
   * that can be computed outside could be made to collide for all of them.
   */
  readonly #words: Uint32Array;

  constructor(words: Uint32Array = crypto.getRandomValues(new Uint32Array(ID_BYTES * 256))) {
    this.#words = words;
  }

  get size(): number {
    return this.#size;
  }

  /** The id's number; a new one if it was not known. */
  add(bytes: Uint8Array, offset = 0): number {
    const slot = this.#slotOf(bytes, offset);
    const known = this.#slots[slot] ?? 0;
    if (known > 0) return known - 1;
    const number = this.#size++;
    const at = number * ID_BYTES;
    for (let i = 0; i < ID_BYTES; i++) this.#ids[at + i] = bytes[offset + i] ?? 0;
    this.#slots[slot] = this.#size;
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    return number;
  }

  /** The id's number, or -1. */
  find(bytes: Uint8Array, offset = 0): number {
    return (this.#slots[this.#slotOf(bytes, offset)] ?? 0) - 1;
  }

  /** The 20 bytes of an id: a view that must not be written to. */
  bytesAt(number: number): Uint8Array {
    return this.#ids.subarray(number * ID_BYTES, (number + 1) * ID_BYTES);
  }

  idAt(number: number): ObjectId {
    return objectIdFromBytes(this.#ids, number * ID_BYTES);
  }

  /** All ids in order of their numbers, 20 bytes each: a view that must not be written to. */
  get bytes(): Uint8Array {
    return this.#ids.subarray(0, this.#size * ID_BYTES);
  }

  /** The slot that holds the id, or the free one where it belongs. */
  #slotOf(bytes: Uint8Array, offset: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(bytes, offset) & mask;
    for (;;) {
      const known = this.#slots[slot] ?? 0;
      if (known === 0 || this.#isAt(known - 1, bytes, offset)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #hash(bytes: Uint8Array, offset: number): number {
    let hash = 0;
    for (let i = 0; i < ID_BYTES; i++) hash ^= this.#words[i * 256 + (bytes[offset + i] ?? 0)] ?? 0;
    return hash;
  }

  #isAt(number: number, bytes: Uint8Array, offset: number): boolean {
    const at = number * ID_BYTES;
    for (let i = 0; i < ID_BYTES; i++) {
      if (this.#ids[at + i] !== bytes[offset + i]) return false;
    }
    return true;
  }

  #grow(): void {
    const ids = new Uint8Array(this.#ids.length * 2);
    ids.set(this.#ids);
    this.#ids = ids;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#size; number++) {
      this.#slots[this.#slotOf(ids, number * ID_BYTES)] = number + 1;
    }
  }
}
