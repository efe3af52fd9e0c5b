// What data an environment beside production starts on: a copy of production's at first, its own from then on, and another copy where one
// was asked for. What is to be done is in the environment's row from the commit until a start succeeded, so that a crash in between
// repeats it; what was there before is kept as long, so that a start that fails loses nothing.
import { removeAlarmsOf } from "../store/alarms.ts";
import { mayGoBack } from "../store/atomic-pushes.ts";
import {
  clearPending,
  findEnvironment,
  keepBackup,
  listEnvironments,
  setBackupMade,
  setPending,
  type Environment,
  type PendingData,
} from "../store/previews.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { copyData, copyStoppedData, deleteData, hasData } from "./facet-data.ts";
import type { HostedApp } from "./hosted-app.ts";

/** Where an environment's data waits while it is not sure that what replaced it starts. */
export function backupFacet(facet: string): string {
  return `before:${facet}`;
}

/** Gives the environment the data that its row asks for. Call it before every start. */
export async function prepareFork(app: HostedApp, facet: string): Promise<void> {
  if (facet === PRODUCTION_FACET) return;
  const environment = findEnvironment(app.db, facet);
  const pending = environment?.pendingData;
  if (environment === undefined || pending === undefined) return;
  if (environment.backup === "wanted") {
    await copyStoppedData(app, facet, backupFacet(facet));
    setBackupMade(app.db, facet);
  }
  await fill(app, environment, pending);
}

async function fill(app: HostedApp, { facet, backup }: Environment, pending: PendingData): Promise<void> {
  switch (pending) {
    case "keep":
      // A start before a crash may have changed what it was to keep.
      if (backup === "made") return copyData(app, backupFacet(facet), facet);
      return;
    case "restore":
      return copyData(app, backupFacet(facet), facet);
    case "empty":
      return deleteData(app, facet);
    case "fork":
      if (!hasData(app, PRODUCTION_FACET)) return deleteData(app, facet);
      // Production's own alarms ring there alone.
      removeAlarmsOf(app.db, facet);
      return copyData(app, PRODUCTION_FACET, facet);
  }
}

/** A start on that data succeeded: it is the environment's own from here on. */
export function settleFork(app: HostedApp, facet: string): void {
  if (facet === PRODUCTION_FACET) return;
  const environment = findEnvironment(app.db, facet);
  if (environment?.pendingData === undefined) return;
  const { pendingData, backup } = environment;
  const isReplaced = pendingData === "fork" || pendingData === "empty";
  if (isReplaced && backup === "made" && mayGoBack(app.db, facet)) keepBackup(app.db, facet);
  else dropBackup(app, environment);
}

/** What was kept for deploys that cannot go back any more. */
export function settleBackups(app: HostedApp): void {
  for (const environment of listEnvironments(app.db)) {
    const { facet, pendingData, backup } = environment;
    if (pendingData === undefined && backup !== undefined && !mayGoBack(app.db, facet)) dropBackup(app, environment);
  }
}

function dropBackup(app: HostedApp, { facet, backup }: Environment): void {
  clearPending(app.db, facet);
  if (backup !== undefined) deleteData(app, backupFacet(facet));
}

/** A start on that data failed, or one of its atomic push, and the version before it is to start on what it had. Inside a transaction. */
export function undoFork(app: HostedApp, facet: string): void {
  const environment = findEnvironment(app.db, facet);
  // Without a backup there was no data before it, and the version before it starts on the same.
  if (environment?.backup === undefined) return;
  if (environment.backup === "wanted") clearPending(app.db, facet);
  else setPending(app.db, facet, "restore");
}
