// When cron triggers run next: a row for each expression of what is live in an environment.
import type { Database } from "./database.ts";

/** An expression, where it runs and when. */
export interface CronRow {
  readonly facet: string;
  readonly cron: string;
  readonly nextMs: number;
}

interface CronColumns extends Record<string, SqlStorageValue> {
  readonly facet: string;
  readonly cron: string;
  readonly next_ms: number;
}

export function putCron(db: Database, { facet, cron, nextMs }: CronRow): void {
  db.sql.exec("INSERT OR REPLACE INTO crons (facet, cron, next_ms) VALUES (?, ?, ?)", facet, cron, nextMs);
}

export function removeCron(db: Database, { facet, cron }: Pick<CronRow, "facet" | "cron">): void {
  db.sql.exec("DELETE FROM crons WHERE facet = ? AND cron = ?", facet, cron);
}

/** Every one that there is. */
export function listCrons(db: Database): CronRow[] {
  const rows = db.sql.exec<CronColumns>("SELECT * FROM crons ORDER BY next_ms, facet, cron");
  return [...rows].map(({ facet, cron, next_ms: nextMs }) => ({ facet, cron, nextMs }));
}

export function removeCronsOf(db: Database, facet: string): void {
  db.sql.exec("DELETE FROM crons WHERE facet = ?", facet);
}
