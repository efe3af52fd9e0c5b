// The audit log: who did what, when and from where. Bounded: by time, and by a number of entries for each app, so that no app's
// traffic pushes out another's.
import type { Database } from "./database.ts";

/** Something that was done, or tried and refused. */
export interface NewAuditEntry {
  readonly atMs: number;
  /** The token's name; "owner" for the owner's own. */
  readonly actor: string;
  /** undefined: the owner's own token. */
  readonly tokenId: string | undefined;
  /** "git push", or a route of the API. */
  readonly action: string;
  /** undefined: the host itself. */
  readonly app: string | undefined;
  /** Where the request came from, as the network says. */
  readonly address: string;
  /** What came of it: an HTTP status, or what became of each ref. */
  readonly outcome: string;
}

export interface AuditEntry extends NewAuditEntry {
  readonly number: number;
}

interface AuditColumns extends Record<string, SqlStorageValue> {
  readonly number: number;
  readonly at_ms: number;
  readonly actor: string;
  readonly token_id: string | null;
  readonly action: string;
  readonly app: string | null;
  readonly address: string;
  readonly outcome: string;
}

const KEPT_MS = 90 * 24 * 60 * 60 * 1000;
const KEPT_FOR_EACH_APP = 2000;
/** How many entries come before the old ones are looked for again. */
const PRUNE_EVERY = 100;

/** Adds the entry, and takes away what is too old or too much. */
export function addAuditEntry(db: Database, entry: NewAuditEntry): void {
  const { number } = db.sql
    .exec<{ number: number }>(
      `INSERT INTO audit (at_ms, actor, token_id, action, app, address, outcome) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number`,
      entry.atMs,
      entry.actor,
      entry.tokenId ?? null,
      entry.action,
      entry.app ?? null,
      entry.address,
      entry.outcome,
    )
    .one();
  if (number % PRUNE_EVERY === 0) db.sql.exec("DELETE FROM audit WHERE at_ms < ?", entry.atMs - KEPT_MS);
  db.sql.exec(
    `DELETE FROM audit WHERE app IS ?1 AND number <=
       (SELECT number FROM audit WHERE app IS ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)`,
    entry.app ?? null,
    KEPT_FOR_EACH_APP,
  );
}

/** Newest first, from below the number `before`; all, or those of one app. */
export function listAuditEntries(
  db: Database,
  page: { readonly app?: string | undefined; readonly before?: number | undefined; readonly limit: number },
): AuditEntry[] {
  const before = page.before ?? Number.MAX_SAFE_INTEGER;
  const rows =
    page.app === undefined
      ? db.sql.exec<AuditColumns>(
          "SELECT * FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?",
          before,
          page.limit,
        )
      : db.sql.exec<AuditColumns>(
          "SELECT * FROM audit WHERE app = ? AND number < ? ORDER BY number DESC LIMIT ?",
          page.app,
          before,
          page.limit,
        );
  return [...rows].map((row) => ({
    number: row.number,
    atMs: row.at_ms,
    actor: row.actor,
    tokenId: row.token_id ?? undefined,
    action: row.action,
    app: row.app ?? undefined,
    address: row.address,
    outcome: row.outcome,
  }));
}
