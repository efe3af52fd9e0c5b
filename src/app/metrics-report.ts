// What an app used and stores on its way to the directory, for /metrics: at most once a minute, and only after something changed.
import { findDueTask } from "../store/due.ts";
import { sumUsage } from "../store/usage.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { listTask, setNextAlarm } from "./schedule.ts";
import { readStored } from "./stored-bytes.ts";

const REPORT_AFTER_MS = 60_000;

/** There is something to report. */
export function scheduleReport(app: HostedApp): void {
  if (findExisting(app) === undefined) return;
  // One that is due may be under way, and have seen too little.
  if ((findDueTask(app.db, "report")?.atMs ?? 0) > app.now()) return;
  listTask(app, "report", app.now() + REPORT_AFTER_MS);
  setNextAlarm(app);
}

/** Tells the directory what the app has come to. */
export async function reportMetrics(app: HostedApp): Promise<void> {
  if (findExisting(app) === undefined) return;
  const metrics = { app: app.name, counts: sumUsage(app.db), ...readStored(app) };
  await app.env.DIRECTORY.getByName("directory").reportMetrics(metrics);
}
