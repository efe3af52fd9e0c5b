// The one row of a repository: its ID, whether it exists yet, what its owner set, and its production branch.
import type { RefName } from "../git/ref-name.ts";
import { findFirst, type Database } from "./database.ts";
import type { RepositorySettings } from "./repository-state.ts";

/** The row. It is there from the first push's begin, before the repository exists. */
export interface Repository {
  readonly repositoryId: string;
  readonly appName: string;
  /** undefined: only reserved for a push that has not been committed. */
  readonly createdAtMs: number | undefined;
  /** When a push last began, to ten minutes. */
  readonly reservedAtMs: number;
  readonly head: RefName | undefined;
  readonly settings: RepositorySettings;
  /** Being deleted: answers as if it did not exist, and does not come back. */
  readonly isDeleting: boolean;
  /** Set where that can still be undone. */
  readonly deletedUntilMs: number | undefined;
}

interface RepositoryColumns extends Record<string, SqlStorageValue> {
  readonly repository_id: string;
  readonly app_name: string;
  readonly created_at_ms: number | null;
  readonly reserved_at_ms: number;
  readonly head: RefName | null;
  readonly deploys_pushes: number;
  readonly denies_non_fast_forwards: number;
  readonly root: string;
  readonly max_previews: number;
  readonly preview_idle_hours: number;
  readonly typecheck: RepositorySettings["typecheck"];
  readonly preview_alarms: number;
  readonly preview_crons: number;
  readonly is_deleting: number;
  readonly deleted_until_ms: number | null;
}

/** The row, whatever its state; undefined before the first reservation. */
export function findRepository(db: Database): Repository | undefined {
  const row = findFirst(db.sql.exec<RepositoryColumns>("SELECT * FROM repository"));
  if (row === undefined) return undefined;
  return {
    repositoryId: row.repository_id,
    appName: row.app_name,
    createdAtMs: row.created_at_ms ?? undefined,
    reservedAtMs: row.reserved_at_ms,
    head: row.head ?? undefined,
    settings: {
      deploy: row.deploys_pushes === 1,
      denyNonFastForwards: row.denies_non_fast_forwards === 1,
      root: row.root,
      typecheck: row.typecheck,
      maxPreviews: row.max_previews,
      previewIdleHours: row.preview_idle_hours,
      previewAlarms: row.preview_alarms === 1,
      previewCrons: row.preview_crons === 1,
    },
    isDeleting: row.is_deleting === 1 || row.deleted_until_ms !== null,
    deletedUntilMs: row.is_deleting === 1 ? undefined : (row.deleted_until_ms ?? undefined),
  };
}

/** Keeps an ID for a repository that may come to exist. Where one is kept already, only the time moves. */
export function reserveRepository(
  db: Database,
  reservation: { readonly repositoryId: string; readonly appName: string; readonly nowMs: number },
): void {
  db.sql.exec(
    `INSERT INTO repository (only, repository_id, app_name, reserved_at_ms, deploys_pushes) VALUES (1, ?, ?, ?, 1)
     ON CONFLICT (only) DO UPDATE SET reserved_at_ms = excluded.reserved_at_ms`,
    reservation.repositoryId,
    reservation.appName,
    reservation.nowMs,
  );
}

/** Writes down that a push began. */
export function noteReservation(db: Database, nowMs: number): void {
  db.sql.exec("UPDATE repository SET reserved_at_ms = ?", nowMs);
}

/** Makes the reserved repository exist. */
export function markCreated(db: Database, nowMs: number): void {
  db.sql.exec("UPDATE repository SET created_at_ms = ? WHERE created_at_ms IS NULL", nowMs);
}

/** From here on the app does not exist for anybody; what is left of it is taken away step by step. */
export function markDeleting(db: Database): void {
  db.sql.exec("UPDATE repository SET is_deleting = 1");
}

/** The same for as long as it can be undone; undefined undoes it. */
export function setDeletedUntil(db: Database, untilMs: number | undefined): void {
  db.sql.exec("UPDATE repository SET deleted_until_ms = ?", untilMs ?? null);
}

/** What is not given stays as it is. */
export function writeSettings(db: Database, settings: Partial<RepositorySettings>): void {
  const { deploy, denyNonFastForwards, root, typecheck, maxPreviews, previewIdleHours } = settings;
  const { previewAlarms, previewCrons } = settings;
  if (deploy !== undefined) db.sql.exec("UPDATE repository SET deploys_pushes = ?", Number(deploy));
  if (denyNonFastForwards !== undefined)
    db.sql.exec("UPDATE repository SET denies_non_fast_forwards = ?", Number(denyNonFastForwards));
  if (maxPreviews !== undefined) db.sql.exec("UPDATE repository SET max_previews = ?", maxPreviews);
  if (previewIdleHours !== undefined) db.sql.exec("UPDATE repository SET preview_idle_hours = ?", previewIdleHours);
  if (typecheck !== undefined) db.sql.exec("UPDATE repository SET typecheck = ?", typecheck);
  if (previewAlarms !== undefined) db.sql.exec("UPDATE repository SET preview_alarms = ?", Number(previewAlarms));
  if (previewCrons !== undefined) db.sql.exec("UPDATE repository SET preview_crons = ?", Number(previewCrons));
  if (root !== undefined) db.sql.exec("UPDATE repository SET root = ?", root);
}

/** undefined: no production branch, as before the first push. */
export function writeHead(db: Database, head: RefName | undefined): void {
  db.sql.exec("UPDATE repository SET head = ?", head ?? null);
}

/** The caps that were set for this app alone, as JSON. */
export function readQuotasJson(db: Database): string {
  return db.sql.exec<{ quotas: string }>("SELECT quotas FROM repository").one().quotas;
}

export function writeQuotasJson(db: Database, json: string): void {
  db.sql.exec("UPDATE repository SET quotas = ?", json);
}
