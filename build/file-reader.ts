// Files for one build inside the builder isolate: what was sent ahead, and the rest in as few rounds as the imports allow.
import type { ReadMore } from "./bundle-request.ts";

/** What may cross an isolate's border at once is bounded (32 MiB), so more than this is read in several rounds. */
const ROUND_BYTES = 16 * 1024 * 1024;

interface Waiting {
  readonly sizeBytes: number;
  readonly resolvers: ((bytes: Uint8Array) => void)[];
}

/** Gives contents by path. Requests of the same turn travel in one call. */
export class FileReader {
  readonly #contents: Map<string, Uint8Array>;
  readonly #readMore: ReadMore;
  #queue = new Map<string, Waiting>();
  /** Whether a file could not be read: then what this reader gave in its place means nothing. */
  isBroken = false;

  constructor(contents: Map<string, Uint8Array>, readMore: ReadMore) {
    this.#contents = contents;
    this.#readMore = readMore;
  }

  /** Contents that came before anybody asked for them. */
  take(contents: ReadonlyMap<string, Uint8Array>): void {
    for (const [path, bytes] of contents) this.#contents.set(path, bytes);
  }

  /** One file's bytes. The caller knows from the names of the tree that it is there, and its size. */
  read(path: string, sizeBytes: number): Promise<Uint8Array> {
    const known = this.#contents.get(path);
    if (known !== undefined) return Promise.resolve(known);
    if (this.#queue.size === 0) setTimeout(() => void this.#flush(), 0);
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const waiting = this.#queue.get(path) ?? { sizeBytes, resolvers: [] };
    waiting.resolvers.push(resolve);
    this.#queue.set(path, waiting);
    return promise;
  }

  async #flush(): Promise<void> {
    const queue = [...this.#queue].toSorted(([a], [b]) => (a < b ? -1 : 1));
    this.#queue = new Map();
    while (queue.length > 0) {
      let bytes = queue[0]?.[1].sizeBytes ?? 0;
      let count = 1;
      while (count < queue.length && (bytes += queue[count]?.[1].sizeBytes ?? 0) <= ROUND_BYTES) count++;
      await this.#round(queue.splice(0, count));
    }
  }

  async #round(queue: readonly (readonly [path: string, waiting: Waiting])[]): Promise<void> {
    const more = await this.#readMore(queue.map(([path]) => path)).catch(() => undefined);
    for (const [path, { resolvers }] of queue) {
      const bytes = more?.get(path);
      if (bytes === undefined) this.isBroken = true;
      else this.#contents.set(path, bytes);
      // Whoever waits gets something, so that esbuild comes to an end.
      for (const resolve of resolvers) resolve(bytes ?? new Uint8Array());
    }
  }
}
