// The history of attempts to deploy: pushes to deploying branches, rollbacks, redeploys, whatever came of them. An attempt's number is
// given before anything can fail, and is that of its deploy if it makes one. Beside each is its log, in rows below 2 MB.
import { findFirst, type Database } from "./database.ts";
import type { ErrorCode } from "../errors.ts";
import type { ObjectId } from "../git/object-id.ts";
import type { RefName } from "../git/ref-name.ts";

/** What was asked for. */
export interface NewAttempt {
  readonly kind: "push" | "rollback" | "redeploy" | "restore" | "variables";
  readonly ref: RefName;
  readonly commitId: ObjectId;
  /** Who asked: a token's name. */
  readonly actor: string;
}

/** How an attempt ended. Its subject is known from the build on. */
export interface AttemptEnd {
  readonly outcome: "live" | "superseded" | "failed";
  readonly subject: string | undefined;
  readonly failure: { readonly stage: string; readonly code: ErrorCode; readonly reason: string } | undefined;
  /** Durations by stage, sizes, and what else the stages said, as JSON. */
  readonly factsJson: string;
}

/** One row of the history. */
export interface Attempt extends NewAttempt {
  readonly number: number;
  readonly beganAtMs: number;
  /** undefined: under way, or cut short by the end of the host. */
  readonly endedAtMs: number | undefined;
  readonly end: AttemptEnd | undefined;
}

interface AttemptColumns extends Record<string, SqlStorageValue> {
  readonly number: number;
  readonly kind: Attempt["kind"];
  readonly ref: RefName;
  readonly commit_id: ObjectId;
  readonly subject: string | null;
  readonly actor: string;
  readonly began_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly outcome: AttemptEnd["outcome"] | null;
  readonly failure: string | null;
  readonly facts: string;
}

/** Below the 2 MB that a row may have, in UTF-16 units that may each become three bytes. */
const CHUNK_LENGTH = 500_000;

/** Gives out the next number. */
export function addAttempt(db: Database, attempt: NewAttempt, nowMs: number): number {
  const { number } = db.sql
    .exec<{ number: number }>(
      `INSERT INTO attempts (number, kind, ref, commit_id, actor, began_at_ms)
       VALUES ((SELECT coalesce(max(number), 0) + 1 FROM attempts), ?, ?, ?, ?, ?) RETURNING number`,
      attempt.kind,
      attempt.ref,
      attempt.commitId,
      attempt.actor,
      nowMs,
    )
    .one();
  return number;
}

/** Idempotent. */
export function endAttempt(db: Database, number: number, end: AttemptEnd, nowMs: number): void {
  db.sql.exec(
    "UPDATE attempts SET subject = ?, ended_at_ms = ?, outcome = ?, failure = ?, facts = ? WHERE number = ?",
    end.subject ?? null,
    nowMs,
    end.outcome,
    end.failure === undefined ? null : JSON.stringify(end.failure),
    end.factsJson,
    number,
  );
}

/** Adds text to an attempt's log. Of an attempt that is gone nothing is kept. */
export function appendLog(db: Database, number: number, text: string): void {
  if (findAttempt(db, number) === undefined) return;
  for (let start = 0; start < text.length; start += CHUNK_LENGTH) {
    db.sql.exec(
      `INSERT INTO attempt_log (number, position, text)
       VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM attempt_log WHERE number = ?1), ?2)`,
      number,
      text.slice(start, start + CHUNK_LENGTH),
    );
  }
}

/** A piece of an attempt's log behind `position`, with its own position; undefined: there is no more. */
export function findLogChunk(
  db: Database,
  number: number,
  position: number,
): { readonly position: number; readonly text: string } | undefined {
  const query = "SELECT position, text FROM attempt_log WHERE number = ? AND position > ? ORDER BY position LIMIT 1";
  return findFirst(db.sql.exec<{ position: number; text: string }>(query, number, position));
}

export function findAttempt(db: Database, number: number): Attempt | undefined {
  const row = findFirst(db.sql.exec<AttemptColumns>("SELECT * FROM attempts WHERE number = ?", number));
  return row === undefined ? undefined : readAttempt(row);
}

/** Newest first, from below the number `before`. */
export function listAttempts(
  db: Database,
  page: { readonly limit: number; readonly before?: number | undefined },
): Attempt[] {
  const before = page.before ?? Number.MAX_SAFE_INTEGER;
  const query = "SELECT * FROM attempts WHERE number < ? ORDER BY number DESC LIMIT ?";
  return [...db.sql.exec<AttemptColumns>(query, before, page.limit)].map(readAttempt);
}

function readAttempt(row: AttemptColumns): Attempt {
  const { number, kind, ref, actor, outcome } = row;
  const failure: AttemptEnd["failure"] = row.failure === null ? undefined : JSON.parse(row.failure);
  const end =
    outcome === null ? undefined : { outcome, subject: row.subject ?? undefined, failure, factsJson: row.facts };
  const times = { beganAtMs: row.began_at_ms, endedAtMs: row.ended_at_ms ?? undefined };
  return { number, kind, ref, commitId: row.commit_id, actor, ...times, end };
}

// What is live, was live before that, waits to go live, or has its data kept, in whatever environment; and what a build is known by
// as long as something of that build is kept.
const IS_NEEDED = `
  number IN (SELECT deploy_number FROM live)
  OR number IN (SELECT previous_number FROM deploys WHERE number IN (SELECT deploy_number FROM live) AND previous_number IS NOT NULL)
  OR number IN (SELECT number FROM deploys WHERE state = 'committed')
  OR number IN (SELECT of_deploy FROM snapshots)`;

/** Forgets all but the newest `kept` attempts, with their deploys and logs, but for those that something needs. How many went. */
export function pruneAttempts(db: Database, kept: number): number {
  return db.transaction(() => {
    const query = `SELECT number FROM attempts WHERE number NOT IN (SELECT number FROM attempts ORDER BY number DESC LIMIT ?)
      AND NOT (${IS_NEEDED})`;
    const numbers = [...db.sql.exec<{ number: number }>(query, kept)].map((row) => row.number);
    for (const number of numbers) {
      db.sql.exec("DELETE FROM attempt_log WHERE number = ?", number);
      db.sql.exec("DELETE FROM deploys WHERE number = ?", number);
      db.sql.exec("DELETE FROM attempts WHERE number = ?", number);
    }
    // A build that is named by a deploy which is gone, of code that no deploy runs, would keep that code.
    if (numbers.length > 0) db.sql.exec("DELETE FROM builds WHERE code_id NOT IN (SELECT code_id FROM deploys)");
    return numbers.length;
  });
}
