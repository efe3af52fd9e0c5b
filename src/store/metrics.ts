// What apps used since they were made, as their supervisors reported it: the directory's copy, so that nobody has to wake every app to
// know it.
import type { Database } from "./database.ts";

/** Counts of one app that only grow. */
export interface AppMetrics {
  readonly app: string;
  readonly requests: number;
  readonly errors: number;
  readonly cpuMs: number;
  readonly egressRequests: number;
  readonly deploys: number;
}

/** Takes over what an app has come to. */
export function putMetrics(db: Database, { app, requests, errors, cpuMs, egressRequests, deploys }: AppMetrics): void {
  db.sql.exec(
    `INSERT INTO metrics (app, requests, errors, cpu_ms, egress_requests, deploys) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (app) DO UPDATE SET
       requests = excluded.requests, errors = excluded.errors, cpu_ms = excluded.cpu_ms,
       egress_requests = excluded.egress_requests, deploys = excluded.deploys`,
    app,
    requests,
    errors,
    cpuMs,
    egressRequests,
    deploys,
  );
}

/** Forgets an app that was deleted. */
export function removeMetrics(db: Database, app: string): void {
  db.sql.exec("DELETE FROM metrics WHERE app = ?", app);
}

/** By name, so many at most. */
export function listMetrics(db: Database, limit: number): AppMetrics[] {
  const rows = db.sql.exec<AppMetrics & Record<string, SqlStorageValue>>(
    `SELECT app, requests, errors, cpu_ms AS cpuMs, egress_requests AS egressRequests, deploys FROM metrics ORDER BY app LIMIT ?`,
    limit,
  );
  return [...rows];
}

/** How many apps there are. */
export function countApps(db: Database): number {
  return db.sql.exec<{ count: number }>("SELECT count(*) AS count FROM apps").one().count;
}
