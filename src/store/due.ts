// What waits for the one alarm that a Durable Object has: a row for each task, with when it is due.
import { findFirst, type Database } from "./database.ts";

/** A task that waits. */
export interface DueTask {
  readonly task: string;
  readonly atMs: number;
  /** How often it ran and failed. */
  readonly attempts: number;
}

interface DueColumns extends Record<string, SqlStorageValue> {
  readonly task: string;
  readonly at_ms: number;
  readonly attempts: number;
}

/** Puts a task on the list, or moves it. */
export function putDueTask(db: Database, { task, atMs, attempts }: DueTask): void {
  db.sql.exec("INSERT OR REPLACE INTO due (task, at_ms, attempts) VALUES (?, ?, ?)", task, atMs, attempts);
}

export function removeDueTask(db: Database, task: string): void {
  db.sql.exec("DELETE FROM due WHERE task = ?", task);
}

export function findDueTask(db: Database, task: string): DueTask | undefined {
  const row = findFirst(db.sql.exec<DueColumns>("SELECT * FROM due WHERE task = ?", task));
  return row === undefined ? undefined : readDueTask(row);
}

/** The tasks whose time has come, the longest overdue first. */
export function listDueTasks(db: Database, nowMs: number): DueTask[] {
  return [...db.sql.exec<DueColumns>("SELECT * FROM due WHERE at_ms <= ? ORDER BY at_ms", nowMs)].map(readDueTask);
}

/** When the alarm has to ring next; undefined: never. */
export function findNextDueMs(db: Database): number | undefined {
  return findFirst(db.sql.exec<{ at_ms: number | null }>("SELECT min(at_ms) AS at_ms FROM due"))?.at_ms ?? undefined;
}

function readDueTask(row: DueColumns): DueTask {
  return { task: row.task, atMs: row.at_ms, attempts: row.attempts };
}
