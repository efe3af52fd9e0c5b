// The directory's rows: which apps exist.
import type { Database } from "./database.ts";

/** One app, as a list shows it. */
export interface DirectoryEntry {
  readonly name: string;
  readonly createdAtMs: number;
}

/** Idempotent; a name made again after a deletion gets its new time. */
export function putApp(db: Database, entry: DirectoryEntry): void {
  db.sql.exec("INSERT OR REPLACE INTO apps (name, created_at_ms) VALUES (?, ?)", entry.name, entry.createdAtMs);
}

/** Idempotent. */
export function removeApp(db: Database, name: string): void {
  db.sql.exec("DELETE FROM apps WHERE name = ?", name);
}

/** By name, from after the name `after`; all, or only `own`. */
export function listApps(
  db: Database,
  page: { readonly after?: string | undefined; readonly own?: string | undefined; readonly limit: number },
): DirectoryEntry[] {
  const rows = db.sql.exec<{ name: string; created_at_ms: number }>(
    "SELECT name, created_at_ms FROM apps WHERE name > ? AND (? IS NULL OR name = ?) ORDER BY name LIMIT ?",
    page.after ?? "",
    page.own ?? null,
    page.own ?? null,
    page.limit,
  );
  return [...rows].map((row) => ({ name: row.name, createdAtMs: row.created_at_ms }));
}
