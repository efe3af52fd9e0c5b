// What apps used since they were made and what they store, as their supervisors reported it: the directory's copy, so that nobody has to
// wake every app to know it.
import type { Database } from "./database.ts";
import type { UsageCounts } from "./usage.ts";

/** Bytes that are stored for an app now. */
export interface StoredBytes {
  readonly repository: number;
  /** Those of snapshots whose size was measured. */
  readonly snapshots: number;
  /** Those of what is live, each path for itself, as the quota counts them. */
  readonly assets: number;
  /** Production's, as last measured: the app's own, and that of its named objects. */
  readonly data: number;
  readonly objects: number;
  /** The data of all other environments, their objects included. */
  readonly previews: number;
}

/** What is stored for an app now. */
export interface Stored {
  readonly storedBytes: StoredBytes;
  /** Named objects of production. */
  readonly objectCount: number;
}

/** What one app has come to. What the host did not count yet when the app last reported is not there. */
export interface AppMetrics extends Partial<Stored> {
  readonly app: string;
  readonly counts: Partial<UsageCounts>;
}

/** Takes over what an app has come to. */
export function putMetrics(db: Database, { app, ...report }: AppMetrics): void {
  db.sql.exec("INSERT OR REPLACE INTO reports (app, report) VALUES (?, ?)", app, JSON.stringify(report));
}

/** Forgets an app that was deleted. */
export function removeMetrics(db: Database, app: string): void {
  db.sql.exec("DELETE FROM reports WHERE app = ?", app);
}

/** By name, so many at most. */
export function listMetrics(db: Database, limit: number): AppMetrics[] {
  const query = "SELECT app, report FROM reports ORDER BY app LIMIT ?";
  const rows = db.sql.exec<{ app: string; report: string }>(query, limit);
  return [...rows].map(({ app, report }) => ({ ...JSON.parse(report), app }));
}

/** How many apps there are. */
export function countApps(db: Database): number {
  return db.sql.exec<{ count: number }>("SELECT count(*) AS count FROM apps").one().count;
}
