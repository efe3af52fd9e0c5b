// What the supervisor does when its alarm rings: the app's own alarms, and every task whose time has come. A task that fails is tried again, later each time.
import { findDueTask, listDueTasks, putDueTask, removeDueTask, type DueTask } from "../store/due.ts";
import { isMigrated } from "../store/schema.ts";
import { ringDueAlarms } from "./alarm-ringing.ts";
import { compact } from "./compaction.ts";
import { runDueCrons } from "./cron-runs.ts";
import { destroy } from "./deletion.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { expirePreviews } from "./preview-expiry.ts";
import { reportMetrics } from "./metrics-report.ts";
import { prune } from "./pruning.ts";
import { register } from "./registration.ts";
import { setNextAlarm, type TaskName } from "./schedule.ts";
import { sweep } from "./sweeping.ts";

/** A task returns when it wants to run again, or undefined if it is done. */
const TASKS: Readonly<Record<TaskName, (app: HostedApp) => Promise<number | undefined | void>>> = {
  register,
  delete: destroy,
  prune,
  sweep,
  compact,
  report: reportMetrics,
  previews: expirePreviews,
};

/** Alarms of the app are no later than this because of upkeep. */
const RING_EVERY_MS = 1000;

const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 60 * 60 * 1000;

/** Runs what is due and sets the alarm for what is next. Never throws: the runtime's own retries know nothing of the tasks. */
export async function runDueTasks(app: HostedApp): Promise<void> {
  if (!isMigrated(app.db)) return;
  ringOnTime(app);
  // The runtime does not call this again before it returns, and a task may take long.
  const ringing = setInterval(() => ringOnTime(app), RING_EVERY_MS);
  try {
    await runTasks(app);
  } finally {
    clearInterval(ringing);
  }
  setNextAlarm(app);
}

/** Nothing of an app that is deleted rings, and its alarms are there if it comes back. */
function ringOnTime(app: HostedApp): void {
  if (findExisting(app) === undefined) return;
  ringDueAlarms(app);
  runDueCrons(app);
}

async function runTasks(app: HostedApp): Promise<void> {
  for (const due of listDueTasks(app.db, app.now())) {
    const nextMs = await runTask(app, due);
    // A deletion takes the list of tasks with it.
    if (!isMigrated(app.db)) return;
    // Listed for another time, or taken off, while it ran: that stands.
    if (findDueTask(app.db, due.task)?.atMs !== due.atMs) continue;
    if (nextMs === undefined) removeDueTask(app.db, due.task);
    else putDueTask(app.db, { task: due.task, atMs: nextMs.atMs, attempts: nextMs.attempts });
  }
}

async function runTask(app: HostedApp, due: DueTask): Promise<Pick<DueTask, "atMs" | "attempts"> | undefined> {
  if (!isTaskName(due.task)) return undefined;
  try {
    const atMs = await TASKS[due.task](app);
    return typeof atMs === "number" ? { atMs, attempts: 0 } : undefined;
  } catch (error) {
    console.error(`app ${app.name}: the task ${due.task} failed and will be tried again`, error);
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** due.attempts);
    return { atMs: app.now() + waitMs, attempts: due.attempts + 1 };
  }
}

function isTaskName(task: string): task is TaskName {
  return Object.hasOwn(TASKS, task);
}
