// The static assets of deploys. A manifest says which file is at which path and where in R2 its content is; it is stored before its
// deploy is committed and never changed after. Contents are known by their git blob ID, and lie many to an R2 object (asset-objects.ts).
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { ObjectId } from "../git/object-id.ts";
import { findFirst, type Database } from "./database.ts";

/** Where a content is: a range of an R2 object. */
export interface AssetPlace {
  readonly objectId: string;
  readonly offset: number;
}

/** One file to serve. */
export interface AssetFile extends AssetPlace {
  /** Decoded, beginning with "/". */
  readonly path: string;
  /** The content's git blob ID, which is also its ETag. */
  readonly blobId: ObjectId;
  readonly sizeBytes: number;
  /** Whether browsers may keep it for ever. */
  readonly isHashed: boolean;
}

/** How a deploy's assets are served: build/assets.ts says what each field means. */
export interface AssetServing {
  readonly binding: string;
  readonly htmlHandling: "auto-trailing-slash" | "force-trailing-slash" | "drop-trailing-slash" | "none";
  readonly notFoundHandling: "none" | "404-page" | "single-page-application";
  readonly runWorkerFirst: boolean | readonly string[];
  readonly servesNavigations: boolean;
  readonly headers: readonly {
    readonly from: string;
    readonly set: readonly (readonly [name: string, value: string])[];
    readonly unset: readonly string[];
  }[];
  readonly redirects: readonly {
    readonly from: string;
    readonly to: string;
    readonly status: number;
    readonly isStatic: boolean;
  }[];
}

/** All assets of a deploy. */
export interface AssetManifest {
  readonly serving: AssetServing;
  readonly files: readonly AssetFile[];
}

/** What is stored already of the assets that a push brings. */
export interface KnownAssets {
  /** Whether the manifest is. */
  readonly hasManifest: boolean;
  /** Contents, of those that were asked for. */
  readonly places: ReadonlyMap<ObjectId, AssetPlace>;
}

interface PlaceColumns extends Record<string, SqlStorageValue> {
  readonly blob_id: ObjectId;
  readonly object_id: string;
  readonly offset: number;
}

/** Below the 2 MB that a row, or a bound value, may have. */
const CHUNK_BYTES = 1_500_000;
const IDS_AT_ONCE = 20_000;

/** Looks up what is stored. A manifest that is there counts as used now, so that it is not pruned before its deploy is committed. */
export function findAssets(db: Database, assetsId: string, blobIds: readonly ObjectId[], nowMs: number): KnownAssets {
  if (touchManifest(db, assetsId, nowMs)) return { hasManifest: true, places: new Map() };
  const places = new Map<ObjectId, AssetPlace>();
  for (let at = 0; at < blobIds.length; at += IDS_AT_ONCE) {
    const rows = db.sql.exec<PlaceColumns>(
      "SELECT asset_contents.* FROM json_each(?) JOIN asset_contents ON blob_id = json_each.value",
      JSON.stringify(blobIds.slice(at, at + IDS_AT_ONCE)),
    );
    for (const row of rows) places.set(row.blob_id, { objectId: row.object_id, offset: row.offset });
  }
  return { hasManifest: false, places };
}

/** Marks a manifest as used now. false: there is none. */
export function touchManifest(db: Database, assetsId: string, nowMs: number): boolean {
  return db.sql.exec("UPDATE asset_manifests SET used_at_ms = ? WHERE assets_id = ?", nowMs, assetsId).rowsWritten > 0;
}

/**
 * Stores a manifest. `newObjectIds` were written for it; every other object must still be named by another manifest: false, and
 * nothing stored, where one was pruned meanwhile.
 */
export function putManifest(
  db: Database,
  manifest: AssetManifest & { readonly assetsId: string; readonly newObjectIds: readonly string[] },
  nowMs: number,
): boolean {
  return db.transaction(() => {
    const { assetsId, serving, files } = manifest;
    if (touchManifest(db, assetsId, nowMs)) return true;
    const objectIds = [...new Set(files.map(({ objectId }) => objectId))];
    const isNew = new Set(manifest.newObjectIds);
    if (!objectIds.every((objectId) => isNew.has(objectId) || isNamed(db, objectId))) return false;
    db.sql.exec("INSERT INTO asset_manifests (assets_id, used_at_ms) VALUES (?, ?)", assetsId, nowMs);
    for (const objectId of objectIds) {
      db.sql.exec("INSERT INTO asset_objects (assets_id, object_id) VALUES (?, ?)", assetsId, objectId);
    }
    for (const { blobId, objectId, offset } of files) {
      if (!isNew.has(objectId)) continue;
      db.sql.exec(
        "INSERT OR IGNORE INTO asset_contents (blob_id, object_id, offset) VALUES (?, ?, ?)",
        blobId,
        objectId,
        offset,
      );
    }
    const bytes = deflateRawSync(writeManifest({ serving, files }, objectIds));
    for (let start = 0, position = 0; start < bytes.byteLength; start += CHUNK_BYTES, position += 1) {
      const chunk = Uint8Array.from(bytes.subarray(start, start + CHUNK_BYTES)).buffer;
      db.sql.exec("INSERT INTO asset_chunks (assets_id, position, bytes) VALUES (?, ?, ?)", assetsId, position, chunk);
    }
    return true;
  });
}

function isNamed(db: Database, objectId: string): boolean {
  return (
    findFirst(db.sql.exec("SELECT 1 AS found FROM asset_objects WHERE object_id = ? LIMIT 1", objectId)) !== undefined
  );
}

/** A manifest as it is stored: objects are named once, files are short rows. */
interface StoredManifest {
  readonly serving: AssetServing;
  readonly objectIds: readonly string[];
  readonly files: readonly (readonly [
    path: string,
    blobId: ObjectId,
    sizeBytes: number,
    object: number,
    offset: number,
    isHashed: 0 | 1,
  ])[];
}

function writeManifest({ serving, files }: AssetManifest, objectIds: readonly string[]): Uint8Array {
  const numbers = new Map(objectIds.map((objectId, number) => [objectId, number]));
  const stored: StoredManifest = {
    serving,
    objectIds,
    files: files.map(({ path, blobId, sizeBytes, objectId, offset, isHashed }) => [
      path,
      blobId,
      sizeBytes,
      numbers.get(objectId) ?? 0,
      offset,
      isHashed ? 1 : 0,
    ]),
  };
  return Buffer.from(JSON.stringify(stored));
}

/** Throws if it is not stored: a deploy's manifest always is. */
export function getManifest(db: Database, assetsId: string): AssetManifest {
  const rows = db.sql.exec<{ bytes: ArrayBuffer }>(
    "SELECT bytes FROM asset_chunks WHERE assets_id = ? ORDER BY position",
    assetsId,
  );
  const chunks = [...rows].map(({ bytes }) => Buffer.from(bytes));
  if (chunks.length === 0) throw new Error(`The assets ${assetsId} are not stored.`);
  const { serving, objectIds, files }: StoredManifest = JSON.parse(inflateRawSync(Buffer.concat(chunks)).toString());
  return {
    serving,
    files: files.map(([path, blobId, sizeBytes, object, offset, isHashed]) => {
      return { path, blobId, sizeBytes, objectId: objectIds[object] ?? "", offset, isHashed: isHashed === 1 };
    }),
  };
}

/** The R2 objects that any manifest names. */
export function listAssetObjects(db: Database): string[] {
  const rows = db.sql.exec<{ object_id: string }>("SELECT DISTINCT object_id FROM asset_objects");
  return [...rows].map((row) => row.object_id);
}

const IS_UNUSED = `
  NOT EXISTS (SELECT 1 FROM deploys WHERE deploys.assets_id = asset_manifests.assets_id)
  AND NOT EXISTS (SELECT 1 FROM builds WHERE builds.assets_id = asset_manifests.assets_id)`;

/** Whether there are manifests that may have to be pruned one day. */
export function hasUnusedManifests(db: Database): boolean {
  return findFirst(db.sql.exec(`SELECT 1 AS found FROM asset_manifests WHERE ${IS_UNUSED} LIMIT 1`)) !== undefined;
}

/** Deletes manifests that no deploy and no build names and that were not used since. true: objects may have to be swept. */
export function pruneManifests(db: Database, usedBeforeMs: number): boolean {
  return db.transaction(() => {
    const query = `SELECT assets_id FROM asset_manifests WHERE used_at_ms < ? AND ${IS_UNUSED}`;
    const unused = db.sql.exec<{ assets_id: string }>(query, usedBeforeMs).toArray();
    for (const { assets_id: assetsId } of unused) {
      db.sql.exec("DELETE FROM asset_chunks WHERE assets_id = ?", assetsId);
      db.sql.exec("DELETE FROM asset_objects WHERE assets_id = ?", assetsId);
      db.sql.exec("DELETE FROM asset_manifests WHERE assets_id = ?", assetsId);
    }
    if (unused.length === 0) return false;
    db.sql.exec("DELETE FROM asset_contents WHERE object_id NOT IN (SELECT object_id FROM asset_objects)");
    return true;
  });
}
