// The one alarm of a supervisor, shared by every task that waits: alarm.ts runs them, this sets when.
import { isMigrated } from "../store/schema.ts";
import { findDueTask, findNextDueMs, putDueTask } from "../store/due.ts";
import type { HostedApp } from "./hosted-app.ts";

/** What the alarm can be set for. */
export type TaskName = "register" | "delete" | "prune" | "sweep" | "compact" | "previews" | "report";

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

/** Sets the alarm to the first task that is due, or to none. */
export function setNextAlarm(app: HostedApp): void {
  const nextMs = isMigrated(app.db) ? findNextDueMs(app.db) : undefined;
  const { storage } = app.ctx;
  app.ctx.waitUntil(nextMs === undefined ? storage.deleteAlarm() : storage.setAlarm(nextMs));
}
