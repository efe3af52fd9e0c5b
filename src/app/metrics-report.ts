// An app's counts on their way to the directory, for /metrics: at most once a minute, and only while they grow.
import { findDueTask } from "../store/due.ts";
import { countDeploys } from "../store/deploys.ts";
import { sumUsage } from "../store/usage.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { listTask, setNextAlarm } from "./schedule.ts";

const REPORT_AFTER_MS = 60_000;

/** There is something to report. */
export function scheduleReport(app: HostedApp): void {
  if (findExisting(app) === undefined || findDueTask(app.db, "report") !== undefined) return;
  listTask(app, "report", app.now() + REPORT_AFTER_MS);
  setNextAlarm(app);
}

/** Tells the directory what the app has come to. */
export async function reportMetrics(app: HostedApp): Promise<void> {
  if (findExisting(app) === undefined) return;
  const { requests, errors, cpuMs, egressRequests } = sumUsage(app.db);
  const metrics = { app: app.name, requests, errors, cpuMs, egressRequests, deploys: countDeploys(app.db) };
  await app.env.DIRECTORY.getByName("directory").reportMetrics(metrics);
}
