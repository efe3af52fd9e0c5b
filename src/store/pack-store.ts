// One repository's packs in R2: `pack-<packId>.pack`, its `.idx` and its `.edges`, in git's own formats (edge-file.ts for
// the last). Files are written once and never overwritten with other content. Which packs count is the supervisor's
// catalogue to say; a pack that no row names is invisible and is swept. Reads of idx and edges go through the PackCache.
import { EdgeFile } from "../git/edge-file.ts";
import { PackIndex } from "../git/pack-index.ts";
import { readObject, retry } from "./object-retry.ts";
import type { PackCache } from "./pack-cache.ts";

/** Packs up to this size are read whole with one R2 operation and kept in the PackCache. */
export const WHOLE_PACK_BYTES = 4 * 1024 * 1024;

/** Where a repository's packs are, and what the isolate remembers of them. */
export interface PackStore {
  readonly bucket: R2Bucket;
  readonly repositoryId: string;
  readonly cache: PackCache;
}

/** The three files of a stored pack. */
export type PackFile = "pack" | "idx" | "edges";

const PACK_FILES: readonly PackFile[] = ["pack", "idx", "edges"];

/** The R2 key of one file of a pack. */
export function packKey(store: Pick<PackStore, "repositoryId">, packId: string, file: PackFile): string {
  return `${packKeyPrefix(store.repositoryId)}pack-${packId}.${file}`;
}

/** The keys of all files of a pack. */
export function packKeys(store: Pick<PackStore, "repositoryId">, packId: string): string[] {
  return PACK_FILES.map((file) => packKey(store, packId, file));
}

/** What all keys of a repository begin with. */
export function packKeyPrefix(repositoryId: string): string {
  return `repositories/${repositoryId}/`;
}

/** A pack's index. One R2 operation, or none when it is cached. */
export async function loadPackIndex(store: PackStore, packId: string): Promise<PackIndex> {
  return new PackIndex(await loadFile(store, packKey(store, packId, "idx")));
}

/** A pack's index, if it is cached. */
export function findPackIndex(store: PackStore, packId: string): PackIndex | undefined {
  const cached = store.cache.find(packKey(store, packId, "idx"));
  return cached === undefined ? undefined : new PackIndex(cached);
}

/** A pack's edge file. One R2 operation, or none when it is cached. */
export async function loadEdgeFile(store: PackStore, packId: string): Promise<EdgeFile> {
  return new EdgeFile(await loadFile(store, packKey(store, packId, "edges")));
}

/** A whole pack in memory and in the cache: for packs up to WHOLE_PACK_BYTES. The bytes are shared, not to be written to. */
export async function loadWholePack(store: PackStore, packId: string): Promise<Uint8Array> {
  return loadFile(store, packKey(store, packId, "pack"));
}

/** A pack's edge file, if it is cached. */
export function findEdgeFile(store: PackStore, packId: string): EdgeFile | undefined {
  const cached = store.cache.find(packKey(store, packId, "edges"));
  return cached === undefined ? undefined : new EdgeFile(cached);
}

/** `length` bytes of a pack from `offset`; fewer only at the pack's end. Shared bytes when the pack is cached. */
export async function readPackRange(
  store: PackStore,
  packId: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const key = packKey(store, packId, "pack");
  const cached = store.cache.find(key);
  if (cached !== undefined) return cached.subarray(offset, offset + length);
  return (await readObject(store.bucket, key, { offset, length })) ?? missing(key);
}

/** A pack, or a range of it, as a stream with backpressure: R2 reads on only as the reader pulls. */
export async function openPackStream(
  store: PackStore,
  packId: string,
  range?: { readonly offset: number; readonly length: number },
): Promise<ReadableStream<Uint8Array>> {
  const key = packKey(store, packId, "pack");
  const object = await retry(() => store.bucket.get(key, range ? { range } : {}));
  return object === null ? missing(key) : object.body;
}

/** Writes files of a pack side by side and keeps what is small in the cache, for the push or fetch that comes next. */
export async function writePackFiles(
  store: PackStore,
  packId: string,
  files: Readonly<Partial<Record<PackFile, Uint8Array>>>,
): Promise<void> {
  const writes = PACK_FILES.flatMap((kind) => {
    const bytes = files[kind];
    return bytes === undefined ? [] : [{ key: packKey(store, packId, kind), bytes }];
  });
  await Promise.all(writes.map(({ key, bytes }) => retry(() => store.bucket.put(key, bytes))));
  for (const { key, bytes } of writes) {
    if (!key.endsWith(".pack") || bytes.byteLength <= WHOLE_PACK_BYTES) store.cache.keep(key, bytes);
  }
}

/** Deletes all files of the packs. One R2 operation for every 333 packs; deleting what is not there is no error. */
export async function deletePacks(store: PackStore, packIds: readonly string[]): Promise<void> {
  const keys = packIds.flatMap((packId) => packKeys(store, packId));
  for (const key of keys) store.cache.drop(key);
  // R2 deletes at most 1,000 keys at once.
  for (let at = 0; at < keys.length; at += 999) await retry(() => store.bucket.delete(keys.slice(at, at + 999)));
}

async function loadFile(store: PackStore, key: string): Promise<Uint8Array> {
  const cached = store.cache.find(key);
  if (cached !== undefined) return cached;
  const bytes = (await readObject(store.bucket, key)) ?? missing(key);
  store.cache.keep(key, bytes);
  return bytes;
}

// Not the client's fault: the catalogue names a pack only after its files were written.
function missing(key: string): never {
  throw new Error(`The catalogue names ${key}, which is not in R2.`);
}
