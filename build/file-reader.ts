// Files for one build inside the builder isolate: what was sent ahead, and the rest in as few rounds as the imports allow.
import type { ReadMore } from "./bundle-request.ts";

/** Gives contents by path. Requests of the same turn travel in one call. */
export interface FileReader {
  read(path: string): Promise<Uint8Array>;
  /** Whether a file could not be read: then what this reader gave in its place means nothing. */
  readonly isBroken: boolean;
}

/** A reader for one build. */
export function startFileReader(contents: Map<string, Uint8Array>, readMore: ReadMore): FileReader {
  return new QueuedReader(contents, readMore);
}

class QueuedReader implements FileReader {
  readonly #contents: Map<string, Uint8Array>;
  readonly #readMore: ReadMore;
  #queue = new Map<string, ((bytes: Uint8Array) => void)[]>();
  isBroken = false;

  constructor(contents: Map<string, Uint8Array>, readMore: ReadMore) {
    this.#contents = contents;
    this.#readMore = readMore;
  }

  read(path: string): Promise<Uint8Array> {
    const known = this.#contents.get(path);
    return known === undefined ? this.#enqueue(path) : Promise.resolve(known);
  }

  #enqueue(path: string): Promise<Uint8Array> {
    if (this.#queue.size === 0) setTimeout(() => void this.#flush(), 0);
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    this.#queue.set(path, [...(this.#queue.get(path) ?? []), resolve]);
    return promise;
  }

  async #flush(): Promise<void> {
    const queue = this.#queue;
    this.#queue = new Map();
    const more = await this.#readMore([...queue.keys()].toSorted()).catch(() => undefined);
    for (const [path, waiting] of queue) {
      const bytes = more?.get(path);
      if (bytes === undefined) this.isBroken = true;
      else this.#contents.set(path, bytes);
      // Whoever waits gets something, so that esbuild comes to an end.
      for (const resolve of waiting) resolve(bytes ?? new Uint8Array());
    }
  }
}
