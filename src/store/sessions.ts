// Browsers that are signed in, and links that sign one in. Kept is a hash of each secret, so that whoever reads this table can use
// none of them. A session is never more than the token that it was opened with: it ends with that.
import { findFirst, type Database } from "./database.ts";

/** session: a browser is signed in. link: opens one session, once. */
export type SessionKind = "session" | "link";

/** One of them, without its secret. */
export interface SessionRow {
  readonly id: string;
  readonly kind: SessionKind;
  readonly secretHash: string;
  /** undefined: opened with the owner's own token. */
  readonly tokenId: string | undefined;
  readonly expiresAtMs: number;
}

interface SessionColumns extends Record<string, SqlStorageValue> {
  readonly id: string;
  readonly secret_hash: string;
  readonly token_id: string | null;
  readonly expires_at_ms: number;
}

/** Also lets go of those that have expired. */
export function addSession(db: Database, session: SessionRow, nowMs: number): void {
  db.sql.exec("DELETE FROM sessions WHERE expires_at_ms <= ?", nowMs);
  db.sql.exec(
    "INSERT INTO sessions (id, kind, secret_hash, token_id, expires_at_ms) VALUES (?, ?, ?, ?, ?)",
    session.id,
    session.kind,
    session.secretHash,
    session.tokenId ?? null,
    session.expiresAtMs,
  );
}

/** The one of this id and kind that has not expired. */
export function findSession(db: Database, key: Pick<SessionRow, "id" | "kind">, nowMs: number): SessionRow | undefined {
  const row = findFirst(
    db.sql.exec<SessionColumns>(
      "SELECT * FROM sessions WHERE id = ? AND kind = ? AND expires_at_ms > ?",
      key.id,
      key.kind,
      nowMs,
    ),
  );
  if (row === undefined) return undefined;
  return {
    ...key,
    secretHash: row.secret_hash,
    tokenId: row.token_id ?? undefined,
    expiresAtMs: row.expires_at_ms,
  };
}

export function removeSession(db: Database, id: string): void {
  db.sql.exec("DELETE FROM sessions WHERE id = ?", id);
}
