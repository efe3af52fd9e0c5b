// An app's log: lines in batches, one row for each write, the oldest rows removed when there is too much.
import { findFirst, type Database } from "./database.ts";

/** Lines that were written together, as JSON, one object each. */
export interface LogBatch {
  /** The ids of its first and last line. */
  readonly firstId: number;
  readonly lastId: number;
  readonly linesJson: string;
}

interface BatchColumns extends Record<string, SqlStorageValue> {
  readonly first_id: number;
  readonly last_id: number;
  readonly lines: string;
}

/** Adds a batch, and removes the oldest while all together are over `keptBytes`. */
export function addLogBatch(db: Database, batch: LogBatch, keptBytes: number): void {
  db.sql.exec(
    "INSERT INTO log_batches (last_id, first_id, size_bytes, lines) VALUES (?, ?, ?, ?)",
    batch.lastId,
    batch.firstId,
    Buffer.byteLength(batch.linesJson),
    batch.linesJson,
  );
  // A running sum from the newest: what is below the limit stays, the newest batch in any case.
  db.sql.exec(
    `DELETE FROM log_batches WHERE last_id <= (
       SELECT max(last_id) FROM (
         SELECT last_id, sum(size_bytes) OVER (ORDER BY last_id DESC) AS newer_bytes FROM log_batches
       ) WHERE newer_bytes > ? AND last_id < ?
     )`,
    keptBytes,
    batch.lastId,
  );
}

/** Batches with lines between the two ids, both excluded, newest first. Iterate it: most callers have enough before its end. */
export function* listLogBatches(
  db: Database,
  { afterId = 0, beforeId = Number.MAX_SAFE_INTEGER }: { readonly afterId?: number; readonly beforeId?: number },
): Generator<LogBatch> {
  let before = beforeId;
  for (;;) {
    // One row at a time: a cursor must not stay open across what a caller does.
    const row = findFirst(
      db.sql.exec<BatchColumns>(
        "SELECT first_id, last_id, lines FROM log_batches WHERE first_id < ? AND last_id > ? ORDER BY last_id DESC LIMIT 1",
        before,
        afterId,
      ),
    );
    if (row === undefined) return;
    yield { firstId: row.first_id, lastId: row.last_id, linesJson: row.lines };
    before = row.first_id;
  }
}

/** The id of the newest line; 0 for none. */
export function findLastLogId(db: Database): number {
  return db.sql.exec<{ id: number | null }>("SELECT max(last_id) AS id FROM log_batches").one().id ?? 0;
}
