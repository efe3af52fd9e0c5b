// What an isolate keeps of R2 between requests: packs' indexes, edge files and small packs, least recently used out first; beside them
// one large file, which is the edge file of a large repository.
// Only immutable content goes in (a pack's files are never overwritten), so nothing here can be stale. Refs never go in.
// Requests do not share a read that is under way: a promise belongs to the request that began it.

const DEFAULT_LIMIT_BYTES = 24 * 1024 * 1024;

/**
 * Immutable bytes by R2 key, bounded by their sum. One per isolate: index.ts makes it and passes it down. Each supervisor has a small
 * one besides, for contents of assets by blob ID (app/hosted-app.ts).
 */
export class PackCache {
  readonly #limitBytes: number;
  // A Map iterates in the order of insertion; a hit is inserted again, so the first key is the least recently used.
  readonly #entries = new Map<string, Uint8Array>();
  #sizeBytes = 0;
  /** A file of more than half the limit and up to all of it, beside the others: the last such file that was kept. */
  #large: { readonly key: string; readonly bytes: Uint8Array } | undefined;

  constructor(limitBytes: number = DEFAULT_LIMIT_BYTES) {
    this.#limitBytes = limitBytes;
  }

  /** The bytes kept under a key. They are shared: the caller must not write to them. */
  find(key: string): Uint8Array | undefined {
    if (this.#large?.key === key) return this.#large.bytes;
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, bytes);
    return bytes;
  }

  /**
   * Keeps bytes, which nobody may change from now on. A file of more than half the limit would push out everything else: it takes the
   * place of the last such file. (Of 250,000 objects the edge file has up to 22 MB, and every fetch needs it; the index has 8 MB.)
   */
  keep(key: string, bytes: Uint8Array): void {
    this.drop(key);
    if (bytes.byteLength * 2 > this.#limitBytes) {
      if (bytes.byteLength <= this.#limitBytes) this.#large = { key, bytes };
      return;
    }
    this.#entries.set(key, bytes);
    this.#sizeBytes += bytes.byteLength;
    for (const oldest of this.#entries.keys()) {
      if (this.#sizeBytes <= this.#limitBytes) return;
      this.drop(oldest);
    }
  }

  /** Forgets a key, for instance of a pack that was deleted. */
  drop(key: string): void {
    if (this.#large?.key === key) this.#large = undefined;
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return;
    this.#entries.delete(key);
    this.#sizeBytes -= bytes.byteLength;
  }

  /** Forgets the large file, where the isolate is about to need the memory. */
  dropLarge(): void {
    this.#large = undefined;
  }

  /** The sum of what is kept without the large file, never more than the limit. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }
}
