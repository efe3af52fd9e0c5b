// An app that its owner deleted, for as long as that can be undone: it answers as one that does not exist, its name is kept, and nothing
// of it is taken away. Then the alarm's task "delete" destroys it (deletion.ts).
import { putDueTask, removeDueTask } from "../store/due.ts";
import { isMigrated } from "../store/schema.ts";
import { findRepository, setDeletedUntil } from "../store/settings.ts";
import { stopServing } from "./deletion.ts";
import { findExisting, readLive, type HostedApp } from "./hosted-app.ts";
import { scheduleReport } from "./metrics-report.ts";
import { scheduleExpiry } from "./preview-expiry.ts";
import { schedulePruning } from "./pruning.ts";
import { listRegistration, registerNewApp } from "./registration.ts";
import { setNextAlarm } from "./schedule.ts";
import { scheduleSweep } from "./sweeping.ts";

/** Deletes the app in a way that can be undone until the time that is returned. undefined: it does not exist. */
export async function deleteUntil(app: HostedApp, untilMs: number): Promise<number | undefined> {
  if (findExisting(app) === undefined) return undefined;
  app.db.transaction(() => {
    setDeletedUntil(app.db, untilMs);
    putDueTask(app.db, { task: "delete", atMs: untilMs, attempts: 0 });
    listRegistration(app, app.now());
  });
  // The isolates stay: one that was ended does not start again under its name.
  await stopServing(app);
  await registerNewApp(app);
  return untilMs;
}

/** Until when the app's deletion can be undone; undefined: it is not deleted, or gone. */
export function findDeletedUntil(app: HostedApp): number | undefined {
  return isMigrated(app.db) ? findRepository(app.db)?.deletedUntilMs : undefined;
}

/** Brings it back as it was. false: there is nothing to bring back. */
export async function undelete(app: HostedApp): Promise<boolean> {
  if (findDeletedUntil(app) === undefined) return false;
  app.db.transaction(() => {
    setDeletedUntil(app.db, undefined);
    removeDueTask(app.db, "delete");
    listRegistration(app, app.now());
  });
  readLive(app, app.production);
  // What is not done for an app that is deleted was taken off the list.
  schedulePruning(app);
  scheduleSweep(app, 0);
  scheduleExpiry(app);
  // The directory has forgotten it.
  scheduleReport(app);
  setNextAlarm(app);
  await registerNewApp(app);
  return true;
}
