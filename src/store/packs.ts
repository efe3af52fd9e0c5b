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

/** Whether the catalogue has all of these. */
export function hasPacks(db: Database, packIds: readonly string[]): boolean {
  const listed = new Set(listPacks(db).map(({ packId }) => packId));
  return packIds.every((packId) => listed.has(packId));
}

export function countPacks(db: Database): number {
  return findFirst(db.sql.exec<{ count: number }>("SELECT count(*) AS count FROM packs"))?.count ?? 0;
}

/** Takes packs out of the catalogue, inside the caller's transaction. Their files stay until the time given. */
export function retirePacks(db: Database, packIds: readonly string[], deleteAfterMs: number): void {
  for (const packId of packIds) {
    db.sql.exec("DELETE FROM packs WHERE pack_id = ?", packId);
    db.sql.exec("INSERT INTO retired_packs (pack_id, delete_after_ms) VALUES (?, ?)", packId, deleteAfterMs);
  }
}

/** The packs whose files have to stay though the catalogue has them no more, and until when the first of them has to. */
export function listRetiredPacks(db: Database): { readonly packIds: readonly string[]; readonly nextMs?: number } {
  const query = "SELECT pack_id, delete_after_ms FROM retired_packs ORDER BY delete_after_ms";
  const rows = db.sql.exec<{ pack_id: string; delete_after_ms: number }>(query).toArray();
  const packIds = rows.map((row) => row.pack_id);
  return rows[0] === undefined ? { packIds } : { packIds, nextMs: rows[0].delete_after_ms };
}

/** Gives the files of packs up whose time is over: what no row names is swept. */
export function forgetRetiredPacks(db: Database, nowMs: number): void {
  db.sql.exec("DELETE FROM retired_packs WHERE delete_after_ms <= ?", nowMs);
}

/** What the packs take in R2, without their indexes. */
export function sumPackBytes(db: Database): number {
  return (
    findFirst(db.sql.exec<{ total: number }>("SELECT coalesce(sum(pack_bytes), 0) AS total FROM packs"))?.total ?? 0
  );
}
