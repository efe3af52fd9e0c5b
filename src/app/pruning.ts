// Taking away what a push left that never came to its commit: code and manifests of assets that no deploy names, the copy of a rehearsal that a crash cut
// short, and a repository that was reserved and never created.
import { hasUnusedManifests, pruneManifests } from "../store/assets.ts";
import { hasUnusedCode, pruneCode } from "../store/code.ts";
import { findRepository } from "../store/settings.ts";
import { hasUnusedConfigurations, pruneConfigurations } from "../store/variables.ts";
import { eraseStorage } from "./deletion.ts";
import { READING_FACET, REHEARSAL_FACET } from "./environment.ts";
import { deleteData } from "./facet-data.ts";
import type { HostedApp } from "./hosted-app.ts";
import { listTask, setNextAlarm } from "./schedule.ts";
import { PRUNE_AFTER_MS } from "./upkeep-limits.ts";

/** Sees to it that what a push leaves behind is taken away in time. */
export function schedulePruning(app: HostedApp): void {
  listTask(app, "prune", app.now() + PRUNE_AFTER_MS);
  setNextAlarm(app);
}

/** Returns when to look again; undefined if nothing is left to wait for. */
export async function prune(app: HostedApp): Promise<number | undefined> {
  const nowMs = app.now();
  const repository = findRepository(app.db);
  if (repository !== undefined && repository.createdAtMs === undefined) {
    if (repository.reservedAtMs > nowMs - PRUNE_AFTER_MS) return repository.reservedAtMs + PRUNE_AFTER_MS;
    await eraseStorage(app, repository.repositoryId);
    return undefined;
  }
  pruneCode(app.db, nowMs - PRUNE_AFTER_MS);
  pruneConfigurations(app.db, nowMs - PRUNE_AFTER_MS);
  if (pruneManifests(app.db, nowMs - PRUNE_AFTER_MS)) listTask(app, "sweep", nowMs);
  await app.lastRehearsal;
  deleteData(app, REHEARSAL_FACET);
  await app.lastReading;
  deleteData(app, READING_FACET);
  const isLeft = hasUnusedCode(app.db) || hasUnusedManifests(app.db) || hasUnusedConfigurations(app.db);
  return isLeft ? nowMs + PRUNE_AFTER_MS : undefined;
}
