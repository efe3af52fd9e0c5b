// The app's repository as pushes and fetches see it, and what its owner sets.
import { listPacks } from "../store/packs.ts";
import { findRef, listRefs } from "../store/refs.ts";
import type { RepositorySettings, RepositoryState } from "../store/repository-state.ts";
import { migrate, SUPERVISOR_MIGRATIONS } from "../store/schema.ts";
import { findRepository, markCreated, reserveRepository, writeSettings, type Repository } from "../store/settings.ts";
import { rescheduleCrons } from "./cron-schedule.ts";
import { destroy } from "./deletion.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { scheduleExpiry } from "./preview-expiry.ts";
import { schedulePruning } from "./pruning.ts";
import { listRegistration, registerNewApp } from "./registration.ts";
import { setNextAlarm } from "./schedule.ts";
import { scheduleSweep } from "./sweeping.ts";

/** Whether createRepository made the repository or found it. */
export interface Creation {
  readonly kind: "created" | "exists";
  readonly state: RepositoryState;
}

/** undefined: the app does not exist. */
export function readRepository(app: HostedApp): RepositoryState | undefined {
  const repository = findExisting(app);
  return repository === undefined ? undefined : readState(app, repository);
}

/** Where a ref is. undefined: there is no such ref, or no app. */
export function findTip(app: HostedApp, ref: string): string | undefined {
  return findExisting(app) && findRef(app.db, ref);
}

/** The repository to push to. Where the app does not exist yet: an empty one, whose repositoryId is kept for the commit. */
export async function openForPush(app: HostedApp): Promise<RepositoryState> {
  return readState(app, await reserve(app));
}

/** Idempotent. The settings count only where the repository is created; those that are not given are as in a first push. */
export async function createRepository(app: HostedApp, settings: Partial<RepositorySettings>): Promise<Creation> {
  const reserved = await reserve(app);
  if (reserved.createdAtMs !== undefined) return { kind: "exists", state: readState(app, reserved) };
  app.db.transaction(() => {
    writeSettings(app.db, settings);
    markCreated(app.db, app.now());
    listRegistration(app, app.now());
  });
  const state = readState(app, getRow(app));
  await registerNewApp(app);
  return { kind: "created", state };
}

/** What is not given stays as it is. undefined: the app does not exist. */
export function changeSettings(app: HostedApp, settings: Partial<RepositorySettings>): RepositoryState | undefined {
  if (findExisting(app) === undefined) return undefined;
  writeSettings(app.db, settings);
  scheduleExpiry(app);
  rescheduleCrons(app);
  setNextAlarm(app);
  return readState(app, getRow(app));
}

/** The row, made if it is not there. A deletion that is under way is seen to its end first: the name begins anew after it. */
async function reserve(app: HostedApp): Promise<Repository> {
  if (app.deletion !== undefined) await destroy(app);
  migrate(app.db, SUPERVISOR_MIGRATIONS);
  const before = findRepository(app.db);
  if (before?.isDeleting === true && before.deletedUntilMs === undefined) {
    await destroy(app);
    migrate(app.db, SUPERVISOR_MIGRATIONS);
  }
  const kept = findRepository(app.db);
  if (kept?.deletedUntilMs !== undefined) return kept;
  const existing = findExisting(app);
  if (existing !== undefined) {
    scheduleSweep(app, existing.reservedAtMs);
    return existing;
  }
  const repositoryId = crypto.randomUUID().replaceAll("-", "");
  reserveRepository(app.db, { repositoryId, appName: app.name, nowMs: app.now() });
  schedulePruning(app);
  scheduleSweep(app, app.now());
  return getRow(app);
}

function getRow(app: HostedApp): Repository {
  const row = findRepository(app.db);
  if (row === undefined) throw new Error(`The repository of ${app.name} is not reserved.`);
  return row;
}

function readState(app: HostedApp, repository: Repository): RepositoryState {
  const { repositoryId, head, settings, deletedUntilMs } = repository;
  const state = { repositoryId, head, settings, refs: listRefs(app.db), packs: listPacks(app.db) };
  return deletedUntilMs === undefined ? state : { ...state, deletedUntilMs };
}
