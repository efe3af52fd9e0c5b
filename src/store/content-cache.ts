// Inflated objects that deltas are about to need, in one ring of bytes that is allocated once: what is kept is copied in, and the
// oldest goes when the ring comes round. Objects of their own arrays would wait for the garbage collector, which lets tens of
// megabytes pile up, and the whole isolate has 128.

const EMPTY = new Uint8Array(0);
/** The sum of the contents too large for the ring that are kept beside it; one of them is kept whatever its size. */
const MAX_LARGE_BYTES = 32 * 1024 * 1024;

/** Contents by number (of an object in a pack, or its offset): as many as fit in the ring, and the last few that do not. */
export class ContentCache {
  readonly #limitBytes: number;
  /** Allocated when the first content is kept. */
  #ring: Uint8Array = EMPTY;
  /** Where the next content goes. */
  #head = 0;
  readonly #places = new Map<number, Place>();
  /**
   * The numbers of the contents in the ring, oldest first from #oldest on: each one's place begins where the one before ended, or
   * at 0 after a wrap.
   */
  #queue: number[] = [];
  #oldest = 0;
  /** What takes more than a quarter of the ring and would push out too much; least recently used first. */
  readonly #large = new Map<number, Uint8Array>();
  #largeBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** A view of the content, valid until the next keep. */
  find(number: number): Uint8Array | undefined {
    const place = this.#places.get(number);
    if (place !== undefined) return this.#ring.subarray(place.start, place.end);
    const large = this.#large.get(number);
    if (large === undefined) return undefined;
    this.#large.delete(number);
    this.#large.set(number, large);
    return large;
  }

  /**
   * Keeps the content, and returns what is kept, valid until the next keep. It is copied, but for a large one that has a buffer of its
   * own: that is taken over, and may not be written to any more. An empty content is not kept, because its place could not be told
   * from its neighbours', but returned as it is.
   */
  keep(number: number, content: Uint8Array): Uint8Array {
    if (content.byteLength === 0) return content;
    const kept = this.find(number);
    if (kept !== undefined) return kept;
    if (content.byteLength * 4 > this.#limitBytes) return this.#keepLarge(number, content);
    return this.#keepInRing(number, content);
  }

  /** Forgets everything and frees the ring. */
  clear(): void {
    this.#places.clear();
    this.#queue = [];
    this.#oldest = 0;
    this.#large.clear();
    this.#largeBytes = 0;
    free(this.#ring);
    this.#ring = EMPTY;
    this.#head = 0;
  }

  #keepLarge(number: number, content: Uint8Array): Uint8Array {
    for (const [oldest, dropped] of this.#large) {
      if (this.#largeBytes + content.byteLength <= MAX_LARGE_BYTES) break;
      this.#large.delete(oldest);
      this.#largeBytes -= dropped.byteLength;
      free(dropped);
    }
    const kept = content.byteLength === content.buffer.byteLength ? content : content.slice();
    this.#large.set(number, kept);
    this.#largeBytes += kept.byteLength;
    return kept;
  }

  #keepInRing(number: number, content: Uint8Array): Uint8Array {
    if (this.#ring.byteLength === 0) this.#ring = new Uint8Array(this.#limitBytes);
    const wraps = this.#head + content.byteLength > this.#limitBytes;
    // What lies between the head and the end of the ring is older than all that lies before the head.
    if (wraps) this.#dropOverlapping(this.#head, this.#limitBytes);
    const start = wraps ? 0 : this.#head;
    const end = start + content.byteLength;
    this.#dropOverlapping(start, end);
    this.#ring.set(content, start);
    this.#places.set(number, { start, end });
    this.#queue.push(number);
    this.#head = end;
    return this.#ring.subarray(start, end);
  }

  /** The oldest places are the ones that the head meets next, so this stops at the first that is out of the way. */
  #dropOverlapping(start: number, end: number): void {
    for (; this.#oldest < this.#queue.length; this.#oldest++) {
      const number = this.#queue[this.#oldest] ?? 0;
      const place = this.#places.get(number);
      if (place && (place.start >= end || place.end <= start)) break;
      this.#places.delete(number);
    }
    if (this.#oldest * 2 <= this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#oldest);
    this.#oldest = 0;
  }
}

/** Frees memory at once. Left to the garbage collector, ten versions of a large file would be in memory together. */
function free(bytes: Uint8Array): void {
  if (bytes !== EMPTY && bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

interface Place {
  readonly start: number;
  readonly end: number;
}
