// The named objects of an app: which there are, in which environment or snapshot. A row comes before the object's facet first starts and
// goes after its data, so that no data is without a row. What an object holds is in its facet alone.
import { findFirst, type Database } from "./database.ts";

/** One object of one environment. */
export interface NamedObject {
  readonly facet: string;
  readonly className: string;
  readonly objectId: string;
  /** What the app called it; undefined for one that was made by newUniqueId. */
  readonly name: string | undefined;
  readonly createdAtMs: number;
  /** When a supervisor first reached it: kept to the hour, not to the request. */
  readonly usedAtMs: number;
}

/** What tells one object from the others of an app. */
export type ObjectKey = Pick<NamedObject, "facet" | "className" | "objectId">;

interface ObjectColumns extends Record<string, SqlStorageValue> {
  readonly facet: string;
  readonly class_name: string;
  readonly object_id: string;
  readonly name: string | null;
  readonly created_at_ms: number;
  readonly used_at_ms: number;
}

const IS_OBJECT = "facet = ? AND class_name = ? AND object_id = ?";

export function findObject(db: Database, key: ObjectKey): NamedObject | undefined {
  const query = `SELECT * FROM objects WHERE ${IS_OBJECT}`;
  const row = findFirst(db.sql.exec<ObjectColumns>(query, key.facet, key.className, key.objectId));
  return row === undefined ? undefined : readRow(row);
}

function readRow(row: ObjectColumns): NamedObject {
  return {
    facet: row.facet,
    className: row.class_name,
    objectId: row.object_id,
    name: row.name ?? undefined,
    createdAtMs: row.created_at_ms,
    usedAtMs: row.used_at_ms,
  };
}

/** Notes that an object is used, and that there is one. A name that became known stays known. */
export function putObject(db: Database, key: ObjectKey & Pick<NamedObject, "name">, nowMs: number): void {
  db.sql.exec(
    `INSERT INTO objects (facet, class_name, object_id, name, created_at_ms, used_at_ms) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET used_at_ms = excluded.used_at_ms, name = coalesce(excluded.name, name)`,
    key.facet,
    key.className,
    key.objectId,
    key.name ?? null,
    nowMs,
    nowMs,
  );
}

export function removeObject(db: Database, { facet, className, objectId }: ObjectKey): void {
  db.sql.exec(`DELETE FROM objects WHERE ${IS_OBJECT}`, facet, className, objectId);
}

/** All objects of an environment or snapshot. */
export function removeObjects(db: Database, facet: string): void {
  db.sql.exec("DELETE FROM objects WHERE facet = ?", facet);
}

/** The rows of `fromFacet`, for `toFacet` as well. */
export function copyObjects(db: Database, fromFacet: string, toFacet: string): void {
  db.sql.exec(
    `INSERT INTO objects (facet, class_name, object_id, name, created_at_ms, used_at_ms, size_bytes)
       SELECT ?, class_name, object_id, name, created_at_ms, used_at_ms, size_bytes FROM objects WHERE facet = ?`,
    toFacet,
    fromFacet,
  );
}

export function countObjects(db: Database, facet: string): number {
  const query = "SELECT count(*) AS count FROM objects WHERE facet = ?";
  return findFirst(db.sql.exec<{ count: number }>(query, facet))?.count ?? 0;
}

/** In the order of class and ID; `after` is the last of the page before. */
export function listObjects(
  db: Database,
  facet: string,
  page: {
    readonly className?: string | undefined;
    readonly after?: Pick<ObjectKey, "className" | "objectId"> | undefined;
    readonly limit: number;
  },
): NamedObject[] {
  const { className = null, after, limit } = page;
  const query = `SELECT * FROM objects WHERE facet = ? AND (?2 IS NULL OR class_name = ?2) AND (class_name, object_id) > (?, ?)
    ORDER BY class_name, object_id LIMIT ?`;
  const rows = db.sql.exec<ObjectColumns>(
    query,
    facet,
    className,
    after?.className ?? "",
    after?.objectId ?? "",
    limit,
  );
  return [...rows].map(readRow);
}

/** How many objects each class has. */
export function countByClass(
  db: Database,
  facet: string,
): readonly { readonly className: string; readonly count: number }[] {
  const query = `SELECT class_name AS className, count(*) AS count FROM objects WHERE facet = ? GROUP BY class_name`;
  return db.sql.exec<{ className: string; count: number }>(query, facet).toArray();
}

/** The object of a class that was used last. */
export function findNewestObject(db: Database, facet: string, className: string): NamedObject | undefined {
  const query = "SELECT * FROM objects WHERE facet = ? AND class_name = ? ORDER BY used_at_ms DESC LIMIT 1";
  const row = findFirst(db.sql.exec<ObjectColumns>(query, facet, className));
  return row === undefined ? undefined : readRow(row);
}

/** Remembers that an object may have WebSockets, also hibernating ones that no memory knows of. */
export function setObjectSockets(db: Database, { facet, className, objectId }: ObjectKey): void {
  db.sql.exec(`UPDATE objects SET has_sockets = 1 WHERE ${IS_OBJECT}`, facet, className, objectId);
}

/** None of an environment's objects has any now. */
export function clearObjectSockets(db: Database, facet: string): void {
  db.sql.exec("UPDATE objects SET has_sockets = 0 WHERE facet = ? AND has_sockets = 1", facet);
}

export function listObjectsWithSockets(db: Database, facet: string): NamedObject[] {
  const rows = db.sql.exec<ObjectColumns>("SELECT * FROM objects WHERE facet = ? AND has_sockets = 1", facet);
  return [...rows].map(readRow);
}

/** Used since then, or holding WebSockets: those that may run. */
export function listObjectsUsedSince(db: Database, facet: string, sinceMs: number): NamedObject[] {
  const query = "SELECT * FROM objects WHERE facet = ? AND (used_at_ms >= ? OR has_sockets = 1)";
  return [...db.sql.exec<ObjectColumns>(query, facet, sinceMs)].map(readRow);
}
