// The objects of a repository: where they are among its packs, and what is in them. Reads only; packs are written by
// repo/pack-ingest.ts. The packs are those of a catalogue that was read from the supervisor, newest first, because what a push or
// a fetch asks for is most likely in what was pushed last. Indexes and edge files are read when they are first needed.
import { HostingError } from "../errors.ts";
import type { EdgeFile } from "../git/edge-file.ts";
import type { ObjectKind } from "../git/object.ts";
import { type ObjectId, objectIdToBytes } from "../git/object-id.ts";
import { ObjectIdTable } from "../git/object-id-table.ts";
import type { PackIndex } from "../git/pack-index.ts";
import { type PackStore, findEdgeFile, findPackIndex, loadEdgeFile, loadPackIndex } from "./pack-store.ts";
import { PackReader, type StoredObject } from "./pack-reader.ts";
import type { PackRow } from "./repository-state.ts";

/** One pack of the catalogue. */
export interface StoredPack {
  readonly row: PackRow;
  index(): Promise<PackIndex>;
  /** The index, if it takes no R2 operation. */
  indexAtHand(): PackIndex | undefined;
  edgesAtHand(): EdgeFile | undefined;
  edges(): Promise<EdgeFile>;
  reader(): Promise<PackReader>;
}

/** A repository's packs, newest first. */
export interface ObjectDatabase {
  readonly store: PackStore;
  readonly packs: readonly StoredPack[];
}

/** An object's place: its number in a pack's index and edge file. */
export interface ObjectPlace {
  readonly pack: StoredPack;
  readonly n: number;
}

/**
 * Edge files of packs up to this many objects are read to find out what their objects name. Of a larger pack, reading the next
 * pack's index instead is cheaper.
 */
const MAX_EDGES_OBJECTS = 50_000;

/** Nothing is read yet. */
export function openObjectDatabase(store: PackStore, rows: readonly PackRow[]): ObjectDatabase {
  const newestFirst = rows.toReversed().toSorted((a, b) => b.createdAtMs - a.createdAtMs);
  return { store, packs: newestFirst.map((row) => openPack(store, row)) };
}

/** Where an object is; undefined if no pack has it. */
export async function findObject(odb: ObjectDatabase, id: ObjectId): Promise<ObjectPlace | undefined> {
  const idBytes = objectIdToBytes(id);
  for (const pack of odb.packs) {
    const n = (await pack.index()).find(idBytes);
    if (n >= 0) return { pack, n };
  }
  return undefined;
}

/**
 * Which of the ids, 20 bytes each one after the other, no pack has, by position. An id that an object of some pack names counts as
 * there: no pack is stored before all that its objects name is. So a small push needs the index and edge file of one pack.
 */
export async function findMissing(odb: ObjectDatabase, ids: Uint8Array): Promise<number[]> {
  let missing = Array.from({ length: ids.byteLength / 20 }, (_, position) => position);
  for (const pack of odb.packs) {
    if (missing.length === 0) return [];
    const index = await pack.index();
    missing = missing.filter((position) => index.find(ids, position * 20) < 0);
    if (pack.row.objectCount > MAX_EDGES_OBJECTS) continue;
    // Read also where nothing is missing any more: forEachKindAtHand then has it.
    const edges = await pack.edges();
    if (missing.length > 0) missing = withoutExternals(missing, ids, edges);
  }
  return missing;
}

/**
 * Visits the kinds of those of the ids, 20 bytes each one after the other, that are in packs whose index and edge file are at hand:
 * it takes no R2 operation, and in a warm isolate these are all.
 */
export function forEachKindAtHand(
  odb: ObjectDatabase,
  ids: Uint8Array,
  visit: (position: number, kind: ObjectKind) => void,
): void {
  for (const pack of odb.packs) {
    const index = pack.indexAtHand();
    const edges = pack.edgesAtHand();
    if (index === undefined || edges === undefined) continue;
    for (let position = 0; position * 20 < ids.byteLength; position++) {
      const n = index.find(ids, position * 20);
      if (n >= 0) visit(position, edges.kindAt(n));
    }
  }
}

/** One object. Errors: HostingError "object-missing"; "object-too-large" for one that is not to be held in memory. */
export async function readObject(odb: ObjectDatabase, id: ObjectId): Promise<StoredObject> {
  const place = await findObject(odb, id);
  if (place === undefined) throw notStored(id);
  return readPlace(place);
}

/** Many objects, all in memory at once. Errors: as readObject. */
export async function readObjects(
  odb: ObjectDatabase,
  ids: Iterable<ObjectId>,
): Promise<ReadonlyMap<ObjectId, StoredObject>> {
  const objects = new Map<ObjectId, StoredObject>();
  await forEachObject(odb, ids, (id, object) => void objects.set(id, object));
  return objects;
}

/**
 * Visits the objects one by one, in the order in which they lie in the packs, so that neighbours are read together and no more
 * than one need be in memory. Errors: as readObject.
 */
export async function forEachObject(
  odb: ObjectDatabase,
  ids: Iterable<ObjectId>,
  visit: (id: ObjectId, object: StoredObject) => void | Promise<void>,
): Promise<void> {
  let wanted = [...new Set(ids)];
  for (const pack of odb.packs) {
    if (wanted.length === 0) return;
    const index = await pack.index();
    const found = new Map<number, ObjectId>();
    wanted = wanted.filter((id) => {
      const n = index.find(objectIdToBytes(id));
      if (n >= 0) found.set(n, id);
      return n < 0;
    });
    if (found.size === 0) continue;
    const reader = await pack.reader();
    await reader.readMany([...found.keys()], (n, object) => {
      const id = found.get(n);
      return id && visit(id, object);
    });
  }
  const [missing] = wanted;
  if (missing !== undefined) throw notStored(missing);
}

/** The object at a place. Errors: HostingError "object-too-large". */
export async function readPlace({ pack, n }: ObjectPlace): Promise<StoredObject> {
  return (await pack.reader()).read(n);
}

function openPack(store: PackStore, row: PackRow): StoredPack {
  let index: PackIndex | undefined;
  let edges: EdgeFile | undefined;
  let reader: PackReader | undefined;
  const pack: StoredPack = {
    row,
    async index() {
      index ??= await loadPackIndex(store, row.packId);
      return index;
    },
    indexAtHand() {
      index ??= findPackIndex(store, row.packId);
      return index;
    },
    edgesAtHand() {
      edges ??= findEdgeFile(store, row.packId);
      return edges;
    },
    async edges() {
      edges ??= await loadEdgeFile(store, row.packId);
      return edges;
    },
    async reader() {
      reader ??= new PackReader(store, row, await pack.index());
      return reader;
    },
  };
  return pack;
}

function withoutExternals(missing: readonly number[], ids: Uint8Array, edges: EdgeFile): number[] {
  const table = new ObjectIdTable();
  for (const position of missing) table.add(ids, position * 20);
  const isNamed = new Uint8Array(table.size);
  for (let k = 0; k < edges.externalCount; k++) {
    const number = table.find(edges.externalBytesAt(k));
    if (number >= 0) isNamed[number] = 1;
  }
  return missing.filter((position) => isNamed[table.find(ids, position * 20)] !== 1);
}

function notStored(id: ObjectId): HostingError {
  return new HostingError("object-missing", `The object ${id} is not stored here.`);
}
