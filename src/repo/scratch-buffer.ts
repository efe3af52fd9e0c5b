// Memory that is used again and again for something that is needed only for a moment. One array for each object of a pack would be
// the garbage collector's to find, and it takes its time: tens of megabytes.

const FIRST_BYTES = 64 * 1024;
/** A buffer that grew past this for one large object is let go with the next. */
const MAX_IDLE_BYTES = 4 * 1024 * 1024;

/** What was taken is valid until the next take. */
export class ScratchBuffer {
  #buffer = new Uint8Array(FIRST_BYTES);

  /** So many bytes, with anything in them. */
  take(sizeBytes: number): Uint8Array {
    const heldBytes = this.#buffer.byteLength;
    if (sizeBytes > heldBytes || (heldBytes > MAX_IDLE_BYTES && sizeBytes <= MAX_IDLE_BYTES)) {
      this.#buffer = new Uint8Array(Math.max(FIRST_BYTES, sizeBytes > MAX_IDLE_BYTES ? sizeBytes : sizeBytes * 2));
    }
    return this.#buffer.subarray(0, sizeBytes);
  }
}
