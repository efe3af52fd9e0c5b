// How large the databases of an environment are, as they were last measured: its own beside the live pointer, those of its objects in their
// rows. What was never measured counts as nothing.
import { findFirst, type Database } from "./database.ts";
import type { ObjectKey } from "./objects.ts";

export function noteOwnSize(db: Database, facet: string, sizeBytes: number): void {
  db.sql.exec("UPDATE live SET size_bytes = ?1 WHERE facet = ?2 AND size_bytes <> ?1", sizeBytes, facet);
}

export function noteObjectSize(db: Database, { facet, className, objectId }: ObjectKey, sizeBytes: number): void {
  db.sql.exec(
    `UPDATE objects SET size_bytes = ?1
       WHERE facet = ?2 AND class_name = ?3 AND object_id = ?4 AND size_bytes <> ?1`,
    sizeBytes,
    facet,
    className,
    objectId,
  );
}

/** Of an environment, all of it together. */
export function sumSizes(db: Database, facet: string): number {
  const query = `SELECT coalesce((SELECT size_bytes FROM live WHERE facet = ?1), 0) +
    coalesce((SELECT sum(size_bytes) FROM objects WHERE facet = ?1), 0) AS bytes`;
  return findFirst(db.sql.exec<{ bytes: number }>(query, facet))?.bytes ?? 0;
}

/** What an environment stores: in its own database, and in those of its objects. */
export interface EnvironmentSizes {
  readonly facet: string;
  readonly ownBytes: number;
  readonly objectBytes: number;
}

/** Of every environment in which something is live. */
export function listSizes(db: Database): readonly EnvironmentSizes[] {
  const query = `SELECT facet, size_bytes AS ownBytes,
    coalesce((SELECT sum(size_bytes) FROM objects WHERE objects.facet = live.facet), 0) AS objectBytes FROM live`;
  return db.sql.exec<EnvironmentSizes & Record<string, SqlStorageValue>>(query).toArray();
}
