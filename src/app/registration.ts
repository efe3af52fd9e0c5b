// The app's entry in the directory. Written down as a task in the transaction that creates the app, so that a directory that cannot be
// reached delays the entry and loses nothing.
import { removeDueTask } from "../store/due.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { listTask, setNextAlarm } from "./schedule.ts";

/** The alarm sees to what the first try does not. */
const RETRY_AFTER_MS = 30_000;

/** Part of the transaction that creates the app, or ends it, or brings it back. */
export function listRegistration(app: HostedApp, nowMs: number): void {
  listTask(app, "register", nowMs + RETRY_AFTER_MS);
}

/** Does it now, so that a list right after an app's creation has it; leaves it to the alarm if that fails. */
export async function registerNewApp(app: HostedApp): Promise<void> {
  try {
    await register(app);
    removeDueTask(app.db, "register");
  } catch (error) {
    console.warn(`app ${app.name}: the directory does not answer; trying again later`, error);
  }
  setNextAlarm(app);
}

/** Idempotent: the directory has the app if it exists. */
export async function register(app: HostedApp): Promise<void> {
  const existing = findExisting(app);
  const directory = app.env.DIRECTORY.getByName("directory");
  if (existing === undefined) await directory.remove(app.name);
  else await directory.register({ name: app.name, createdAtMs: existing.createdAtMs });
}
