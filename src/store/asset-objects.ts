// The contents of static assets in R2. Small contents are put one after the other into one object, so that a site of 20,000 files costs
// some dozens of writes. An object's name is random: one writer and one fate, as with packs, so that what is swept is never what
// another push is about to name.
import type { AssetFile, AssetPlace } from "./assets.ts";
import { LARGE_LIMIT_MS, readObject, retry } from "./object-retry.ts";
import type { PackCache } from "./pack-cache.ts";

/** Contents from this size on have an object of their own. */
const OWN_OBJECT_BYTES = 1024 * 1024;
/** An object of small contents is written when it has reached this size. */
const OBJECT_BYTES = 4 * 1024 * 1024;

/** Contents up to this size are kept in memory by who reads them. */
const KEPT_BYTES = 64 * 1024;

/** Where an app's assets are. */
export interface AssetStore {
  readonly bucket: R2Bucket;
  readonly repositoryId: string;
}

/** What all keys of an app's assets begin with. */
export function assetKeyPrefix(repositoryId: string): string {
  return `assets/${repositoryId}/`;
}

export function assetKey(repositoryId: string, objectId: string): string {
  return assetKeyPrefix(repositoryId) + objectId;
}

/**
 * A range of a content. Small contents are read whole and kept, as the same few are asked for again and again; the rest is a stream.
 * The bytes are shared, not to be written to. Throws if the object is not there: what a manifest names always is.
 */
export async function readAsset(
  store: AssetStore & { readonly cache: PackCache },
  file: AssetFile,
  range: { readonly offset: number; readonly length: number },
): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  if (file.sizeBytes > KEPT_BYTES) {
    const { offset, length } = range;
    const key = assetKey(store.repositoryId, file.objectId);
    const object = await retry(() => store.bucket.get(key, { range: { offset: file.offset + offset, length } }));
    return object?.body ?? missing(key);
  }
  let whole = store.cache.find(file.blobId);
  if (whole === undefined) {
    const key = assetKey(store.repositoryId, file.objectId);
    whole = (await readObject(store.bucket, key, { offset: file.offset, length: file.sizeBytes })) ?? missing(key);
    store.cache.keep(file.blobId, whole);
  }
  return whole.subarray(range.offset, range.offset + range.length);
}

function missing(key: string): never {
  throw new Error(`A manifest names ${key}, which is not in R2.`);
}

/** Writes contents to R2, one after the other. It holds one object in memory, or one large content. */
export class AssetWriter {
  readonly #store: AssetStore;
  readonly #objectIds: string[] = [];
  #objectId = newObjectId();
  #contents: Uint8Array[] = [];
  #bytes = 0;

  constructor(store: AssetStore) {
    this.#store = store;
  }

  /** Where the content is once `end` has returned. */
  async add(content: Uint8Array): Promise<AssetPlace> {
    if (content.byteLength >= OWN_OBJECT_BYTES) {
      const objectId = newObjectId();
      await this.#put(objectId, content);
      return { objectId, offset: 0 };
    }
    const place = { objectId: this.#objectId, offset: this.#bytes };
    this.#contents.push(content);
    this.#bytes += content.byteLength;
    if (this.#bytes >= OBJECT_BYTES) await this.#flush();
    return place;
  }

  /** Writes what is left. The objects that were written. */
  async end(): Promise<readonly string[]> {
    if (this.#contents.length > 0) await this.#flush();
    return this.#objectIds;
  }

  async #flush(): Promise<void> {
    const whole = Buffer.concat(this.#contents);
    const objectId = this.#objectId;
    this.#contents = [];
    this.#bytes = 0;
    this.#objectId = newObjectId();
    await this.#put(objectId, whole);
  }

  async #put(objectId: string, bytes: Uint8Array): Promise<void> {
    const key = assetKey(this.#store.repositoryId, objectId);
    await retry(() => this.#store.bucket.put(key, bytes), LARGE_LIMIT_MS);
    this.#objectIds.push(objectId);
  }
}

function newObjectId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
