// What an app used: a row for each day (UTC), environment and deploy.
import { findFirst, type Database } from "./database.ts";

/** Counts that only grow. */
export interface UsageCounts {
  readonly requests: number;
  /** Requests that were answered 5xx, by the app or for it. What alarms and cron runs throw is in the log alone. */
  readonly errors: number;
  readonly cpuMs: number;
  /** Until requests were answered, alarms and cron runs had ended, as the supervisor sees it. */
  readonly wallMs: number;
  readonly egressRequests: number;
  readonly egressSentBytes: number;
  readonly egressReceivedBytes: number;
  readonly logLines: number;
  readonly droppedLogLines: number;
  /** Commits of a deploy, so one on its first day; one that did not start then, too. */
  readonly deploys: number;
}

export const NO_USAGE: UsageCounts = {
  requests: 0,
  errors: 0,
  cpuMs: 0,
  wallMs: 0,
  egressRequests: 0,
  egressSentBytes: 0,
  egressReceivedBytes: 0,
  logLines: 0,
  droppedLogLines: 0,
  deploys: 0,
};

/** What was used by whom on one day. */
export interface UsageRow extends UsageCounts {
  /** "2026-11-21". */
  readonly day: string;
  readonly facet: string;
  readonly deployNumber: number;
}

/** Each count with its column. */
const COLUMNS: Readonly<Record<keyof UsageCounts, string>> = {
  requests: "requests",
  errors: "errors",
  cpuMs: "cpu_ms",
  wallMs: "wall_ms",
  egressRequests: "egress_requests",
  egressSentBytes: "egress_sent_bytes",
  egressReceivedBytes: "egress_received_bytes",
  logLines: "log_lines",
  droppedLogLines: "dropped_log_lines",
  deploys: "deploys",
};

const NAMES = Object.keys(NO_USAGE).filter((name): name is keyof UsageCounts => name in COLUMNS);
const ADD = `INSERT INTO usage (day, facet, deploy_number, ${NAMES.map((name) => COLUMNS[name]).join(", ")})
  VALUES (?, ?, ?, ${NAMES.map(() => "?").join(", ")})
  ON CONFLICT (day, facet, deploy_number) DO UPDATE SET
  ${NAMES.map((name) => `${COLUMNS[name]} = ${COLUMNS[name]} + excluded.${COLUMNS[name]}`).join(", ")}`;
const SELECT = `SELECT day, facet, deploy_number AS deployNumber, ${NAMES.map((name) => `${COLUMNS[name]} AS ${name}`).join(", ")} FROM usage`;

const SUM = `SELECT ${NAMES.map((name) => `coalesce(sum(${COLUMNS[name]}), 0) AS ${name}`).join(", ")} FROM usage`;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Days are kept for so long. */
const KEPT_DAYS = 400;

/** Where days that are kept no longer are added up: no day is before this. */
const OLDER = "";

/** The day of a time, as usage is kept. */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** Adds to what was used. */
export function addUsage(db: Database, row: UsageRow): void {
  db.sql.exec(ADD, row.day, row.facet, row.deployNumber, ...NAMES.map((name) => row[name]));
}

/** What was used since a day, that day included, oldest first. */
export function listUsage(db: Database, sinceDay: string): UsageRow[] {
  const rows = db.sql.exec<UsageRow & Record<string, SqlStorageValue>>(
    `${SELECT} WHERE day >= ? ORDER BY day, facet, deploy_number`,
    sinceDay,
  );
  return [...rows];
}

/** Makes one row of all days that are too old: what an app used never becomes less. */
export function pruneUsage(db: Database, nowMs: number): void {
  const isOld = "WHERE day > ? AND day < ?";
  const days = [OLDER, dayOf(nowMs - KEPT_DAYS * DAY_MS)];
  if (findFirst(db.sql.exec(`SELECT 1 FROM usage ${isOld} LIMIT 1`, ...days)) === undefined) return;
  addUsage(db, { day: OLDER, facet: "", deployNumber: 0, ...readSum(db, isOld, days) });
  db.sql.exec(`DELETE FROM usage ${isOld}`, ...days);
}

/** Everything that was used since the app was made. */
export function sumUsage(db: Database): UsageCounts {
  return readSum(db, "", []);
}

function readSum(db: Database, condition: string, values: readonly string[]): UsageCounts {
  return db.sql.exec<UsageCounts & Record<string, SqlStorageValue>>(`${SUM} ${condition}`, ...values).one();
}
