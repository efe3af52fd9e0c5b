// The one alarm of a supervisor, shared by its app's own alarms and every task that waits: alarm.ts runs them, this sets when.
import { isMigrated } from "../store/schema.ts";
import { findNextAlarmMs, type RingingAlarms } from "../store/alarms.ts";
import { listCrons } from "../store/crons.ts";
import { findDueTask, findNextDueMs, putDueTask } from "../store/due.ts";
import { findRepository } from "../store/settings.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";

/** What the alarm can be set for. */
export type TaskName = "register" | "delete" | "prune" | "sweep" | "compact" | "previews" | "report";

/** Handlers that are at work go on without anybody who waits for them: should this instance end meanwhile, they are called again. */
const WATCH_MS = 60_000;

/**
 * Puts a task on the list unless it is there already. One that is due may be running and have seen too little, so that it is listed
 * again. Inside a transaction; call setNextAlarm after it.
 */
export function listTask(app: HostedApp, task: TaskName, atMs: number): void {
  const listed = findDueTask(app.db, task);
  if (listed === undefined || listed.atMs <= app.now()) putDueTask(app.db, { task, atMs, attempts: 0 });
}

/** Puts a task on the list for that time, or leaves it there if it is listed for an earlier one. */
export function listTaskBy(app: HostedApp, task: TaskName, atMs: number): void {
  const listed = findDueTask(app.db, task);
  if (listed === undefined || listed.atMs <= app.now() || listed.atMs > atMs) {
    putDueTask(app.db, { task, atMs, attempts: 0 });
  }
}

/** Sets the alarm to what is due first, or to none. In the turn that wrote what is due: then both are on disk, or neither. */
export function setNextAlarm(app: HostedApp): void {
  const nextMs = isMigrated(app.db) ? findNextMs(app) : undefined;
  const { storage } = app.ctx;
  app.ctx.waitUntil(nextMs === undefined ? storage.deleteAlarm() : storage.setAlarm(nextMs));
}

function findNextMs(app: HostedApp): number | undefined {
  const times = [findNextDueMs(app.db)];
  if (findExisting(app) !== undefined) {
    times.push(findNextAlarmMs(app.db, ringingAlarms(app)), ...listCrons(app.db).map(({ nextMs }) => nextMs));
  }
  if (app.alarms.ringing.size > 0) times.push(app.now() + WATCH_MS);
  const set = times.filter((time) => time !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}

/** Which of the app's alarms would ring now. */
export function ringingAlarms(app: HostedApp): RingingAlarms {
  const ringsInPreviews = findRepository(app.db)?.settings.previewAlarms === true;
  return { except: [...app.alarms.ringing.keys()], onlyFacet: ringsInPreviews ? undefined : PRODUCTION_FACET };
}
