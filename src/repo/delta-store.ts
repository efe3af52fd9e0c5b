// Small deltas that cannot be resolved as they are scanned, kept inflated until the second pass. Git writes the versions of a tree
// far apart: a repository's newest trees first, and the deltas of them after everything else. These deltas are a few dozen bytes
// each, and to read each of them again from R2 would be to read the whole pack again, in no order.
import { grown } from "./pack-records.ts";

const CHUNK_BYTES = 1024 * 1024;
const LENGTH_BYTES = 2;

/** Deltas by entry, up to a limit on their sum. */
export class DeltaStore {
  readonly #maxChunks: number;
  readonly #chunks: Uint8Array[] = [];
  /** By entry: where its delta lies among the chunks, plus 1; 0 for none. Two bytes of length, then the delta. */
  #places = new Uint32Array(64);
  /** Where the next delta goes. */
  #end = 0;

  constructor(limitBytes: number) {
    this.#maxChunks = Math.floor(limitBytes / CHUNK_BYTES);
  }

  /** Copies the delta in, if it is small and there is room. */
  keep(entry: number, delta: Uint8Array): void {
    const length = delta.byteLength + LENGTH_BYTES;
    if (delta.byteLength > 0xffff) return;
    const roomInChunk = this.#chunks.length * CHUNK_BYTES - this.#end;
    if (length > roomInChunk) {
      if (this.#chunks.length === this.#maxChunks) return;
      this.#end = this.#chunks.length * CHUNK_BYTES;
      this.#chunks.push(new Uint8Array(CHUNK_BYTES));
    }
    const chunk = this.#chunks.at(-1);
    if (!chunk) return;
    const at = this.#end % CHUNK_BYTES;
    chunk[at] = delta.byteLength >> 8;
    chunk[at + 1] = delta.byteLength & 0xff;
    chunk.set(delta, at + LENGTH_BYTES);
    while (entry >= this.#places.length) this.#places = grown(Uint32Array, this.#places, this.#places.length * 2);
    this.#places[entry] = this.#end + 1;
    this.#end += length;
  }

  /** A view of the delta, if it was kept. */
  find(entry: number): Uint8Array | undefined {
    const place = (this.#places[entry] ?? 0) - 1;
    const chunk = place < 0 ? undefined : this.#chunks[Math.floor(place / CHUNK_BYTES)];
    if (!chunk) return undefined;
    const at = place % CHUNK_BYTES;
    const start = at + LENGTH_BYTES;
    return chunk.subarray(start, start + (chunk[at] ?? 0) * 256 + (chunk[at + 1] ?? 0));
  }

  /** Forgets everything and frees the memory. */
  clear(): void {
    this.#chunks.length = 0;
    this.#places = new Uint32Array(64);
    this.#end = 0;
  }
}
