// Memory that is used again and again for something that is needed only for a moment. One array for each object of a pack would be
// the garbage collector's to find, and it takes its time: tens of megabytes.

const FIRST_BYTES = 64 * 1024;
/** More than this is not held between uses. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

/** Gives out memory with anything in it. */
export class ScratchBuffer {
  #buffer = new Uint8Array(FIRST_BYTES);

  /** So many bytes, valid until the next take. What is too large to be held is an array of its own, and the caller's to keep. */
  take(sizeBytes: number): Uint8Array {
    if (sizeBytes > MAX_HELD_BYTES) return new Uint8Array(sizeBytes);
    if (sizeBytes > this.#buffer.byteLength) this.#buffer = new Uint8Array(Math.min(sizeBytes * 2, MAX_HELD_BYTES));
    return this.#buffer.subarray(0, sizeBytes);
  }
}
