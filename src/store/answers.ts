// Answers to calls that carried an Idempotency-Key, so that a repeat is answered and not done again. The bodies come encrypted: an
// answer may be the only copy of a token.
import { findFirst, type Database } from "./database.ts";

/** An answer as it is kept. */
export interface KeptAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly sealedBody: Uint8Array;
}

/** new: the call is to be done, and then kept or let go. mismatch: the key was used for another call. */
export type Begun =
  | { readonly kind: "new" | "running" | "mismatch" }
  | { readonly kind: "kept"; readonly answer: KeptAnswer };

const KEPT_MS = 24 * 60 * 60 * 1000;
/** A call that did not come to its end by then was cut short. */
const RUNNING_MS = 10 * 60 * 1000;
const MAX_ANSWERS = 5000;

/** Looks the call up, and writes down that it is being done if it is new. */
export function beginAnswer(db: Database, call: { id: string; fingerprint: string }, nowMs: number): Begun {
  db.sql.exec(
    "DELETE FROM answers WHERE at_ms < ? OR (status IS NULL AND at_ms < ?)",
    nowMs - KEPT_MS,
    nowMs - RUNNING_MS,
  );
  const row = findFirst(
    db.sql.exec<{ fingerprint: string; status: number | null; content_type: string | null; body: ArrayBuffer | null }>(
      "SELECT fingerprint, status, content_type, body FROM answers WHERE id = ?",
      call.id,
    ),
  );
  if (row === undefined) {
    db.sql.exec("INSERT INTO answers (id, fingerprint, at_ms) VALUES (?, ?, ?)", call.id, call.fingerprint, nowMs);
    db.sql.exec(
      "DELETE FROM answers WHERE id IN (SELECT id FROM answers ORDER BY at_ms DESC LIMIT -1 OFFSET ?)",
      MAX_ANSWERS,
    );
    return { kind: "new" };
  }
  if (row.fingerprint !== call.fingerprint) return { kind: "mismatch" };
  if (row.status === null || row.body === null) return { kind: "running" };
  const answer = { status: row.status, contentType: row.content_type ?? "", sealedBody: new Uint8Array(row.body) };
  return { kind: "kept", answer };
}

/** Keeps the answer; undefined: the call may be done again. */
export function endAnswer(db: Database, id: string, answer: KeptAnswer | undefined): void {
  if (answer === undefined) {
    db.sql.exec("DELETE FROM answers WHERE id = ?", id);
    return;
  }
  const { status, contentType, sealedBody } = answer;
  db.sql.exec(
    "UPDATE answers SET status = ?, content_type = ?, body = ? WHERE id = ?",
    status,
    contentType,
    sealedBody,
    id,
  );
}
