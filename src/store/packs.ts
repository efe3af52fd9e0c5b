// The pack catalogue: which packs in R2 belong to the repository. A pack that no row names does not exist and may be swept.
import { findFirst, type Database } from "./database.ts";
import type { PackRow } from "./repository-state.ts";

interface PackColumns extends Record<string, SqlStorageValue> {
  readonly pack_id: string;
  readonly object_count: number;
  readonly pack_bytes: number;
  readonly created_at_ms: number;
}

/** Every pack, newest first: what a push needs next is most often in the last ones. */
export function listPacks(db: Database): PackRow[] {
  return [...db.sql.exec<PackColumns>("SELECT * FROM packs ORDER BY created_at_ms DESC, rowid DESC")].map((row) => ({
    packId: row.pack_id,
    objectCount: row.object_count,
    packBytes: row.pack_bytes,
    createdAtMs: row.created_at_ms,
  }));
}

/** Adds a pack whose objects are stored already. The same pack twice is one row. */
export function addPack(db: Database, pack: PackRow): void {
  db.sql.exec(
    "INSERT OR IGNORE INTO packs (pack_id, object_count, pack_bytes, created_at_ms) VALUES (?, ?, ?, ?)",
    pack.packId,
    pack.objectCount,
    pack.packBytes,
    pack.createdAtMs,
  );
}

/** What the packs take in R2, without their indexes. */
export function sumPackBytes(db: Database): number {
  return (
    findFirst(db.sql.exec<{ total: number }>("SELECT coalesce(sum(pack_bytes), 0) AS total FROM packs"))?.total ?? 0
  );
}
