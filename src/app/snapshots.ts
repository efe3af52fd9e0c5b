// Snapshots of production's data: one is kept from just before each deploy, while no code runs on the data; others are made by hand.
// What a deploy brings back is restored at the same point; a deploy that does not start takes its changes back. Everything here may be
// cut short by a crash and is then done again: an arrival does not end before its deploy is recorded as started, and until then no
// visitor has written anything.
import {
  findLastStarted,
  findLiveDeploy,
  findRestore,
  findUndoSnapshot,
  getDeploy,
  setUndoSnapshot,
} from "../store/deploys.ts";
import type { Deploy } from "../store/deploys.ts";
import { getRetention } from "../store/retention.ts";
import {
  addSnapshot,
  findSnapshot,
  findSnapshotBefore,
  listNeededSnapshots,
  listSnapshots as listRows,
  nextSnapshotId,
  noteSnapshotSize,
  removeSnapshot,
  type Snapshot,
} from "../store/snapshots.ts";
import { orTooSlow, type TooSlow } from "./copy-too-slow.ts";
import { copyData, copyStoppedData, deleteData, measureData } from "./facet-data.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { scheduleReport } from "./metrics-report.ts";
import { quotasOf } from "./quotas.ts";
import type { StartFailure } from "./start-failure.ts";
import { measureStored } from "./stored-data.ts";

/** Why a snapshot was kept that the SQL console made by itself. */
const BEFORE_SQL = "safety before sql";

/** The facet that holds a snapshot. */
export function snapshotFacet(id: number): string {
  return `snapshot:${id}`;
}

/**
 * Undoes what a deploy that did not start may have changed in the facet's data. Nothing runs on it. Waits until it is on disk that this
 * was done: what a visitor writes from here on must not be undone after a crash.
 */
export async function settleData(app: HostedApp, facet: string): Promise<void> {
  const undoId = findUndoSnapshot(app.db, facet);
  if (undoId === undefined) return;
  await copyStoppedData(app, snapshotFacet(undoId), facet);
  setUndoSnapshot(app.db, facet, undefined);
  await app.ctx.storage.sync();
}

/**
 * Makes the facet's data ready for a deploy that never ran: a snapshot of what is there, then what the deploy brings back. The old
 * version was stopped and the new one not yet started. Returns why the deploy cannot have its data. A snapshot that cannot be taken
 * stops only a deploy that replaces the data.
 */
export async function prepareData(app: HostedApp, facet: string, deploy: Deploy): Promise<StartFailure | undefined> {
  if (facet !== PRODUCTION_FACET) return undefined;
  await settleData(app, facet);
  const ofDeploy = findLastStarted(app.db, facet, deploy.number);
  if (ofDeploy === undefined) {
    // What a first deploy left that did not start.
    if (deploy.previous === undefined) deleteData(app, facet);
    return undefined;
  }
  const restoredId = findRestore(app.db, facet, deploy.number);
  try {
    if (findSnapshotBefore(app.db, deploy.number) === undefined) {
      const reason = restoredId === undefined ? `deploy ${deploy.number}` : "safety before restore";
      await keepSnapshot(app, copyStoppedData, { ofDeploy, beforeDeploy: deploy.number, reason });
    }
    if (restoredId !== undefined) await copyStoppedData(app, snapshotFacet(restoredId), facet);
  } catch (error) {
    console.error(`app ${app.name}: the data cannot be copied for deploy ${deploy.number}`, error);
    if (restoredId !== undefined) return explainRestore(restoredId, error);
  }
  return undefined;
}

/** Part of the transaction that undoes a deploy which did not start: its code may have changed the data before it failed. */
export function undoData(app: HostedApp, facet: string, deployNumber: number): void {
  const snapshot = findSnapshotBefore(app.db, deployNumber);
  if (snapshot !== undefined) setUndoSnapshot(app.db, facet, snapshot.id);
}

function explainRestore(snapshotId: number, error: unknown): StartFailure {
  const text = error instanceof Error ? error.message : String(error);
  const reason = `The data of snapshot ${snapshotId} could not be restored: ${text}`;
  return { code: "restore-failed", phase: "load", reason, frames: [] };
}

async function keepSnapshot(
  app: HostedApp,
  copy: typeof copyData,
  snapshot: Pick<Snapshot, "ofDeploy" | "beforeDeploy" | "reason">,
): Promise<number> {
  const id = Math.max(nextSnapshotId(app.db), ...[...app.snapshotsUnderWay].map((taken) => taken + 1));
  app.snapshotsUnderWay.add(id);
  try {
    await copy(app, PRODUCTION_FACET, snapshotFacet(id));
    addSnapshot(app.db, { ...snapshot, id, takenAtMs: app.now() });
    scheduleReport(app);
  } finally {
    app.snapshotsUnderWay.delete(id);
  }
  return id;
}

/** What a deploy did to data and snapshots, for its report. */
export interface SnapshotReport {
  /** The data from just before it; undefined: there was none. */
  readonly kept?: { readonly id: number; readonly sizeBytes: number };
  /** What it brought back, and which deploy's data that is. */
  readonly restored?: { readonly id: number; readonly ofDeploy: number | undefined };
  /** What had to go. */
  readonly removed: readonly { readonly id: number; readonly sizeBytes: number }[];
  readonly limits: { readonly count: number; readonly bytes: number };
}

/** After a cutover: sees how large the snapshots are, and takes away what is over the limits. */
export async function tidySnapshots(app: HostedApp, deployNumber: number): Promise<SnapshotReport> {
  const deploy = getDeploy(app.db, deployNumber);
  await measureSnapshots(app);
  const kept = findSnapshotBefore(app.db, deploy.number);
  const restored = deploy.restoresSnapshot === undefined ? undefined : findSnapshot(app.db, deploy.restoresSnapshot);
  const { removed, limits } = pruneSnapshots(app);
  return {
    removed: removed.map(({ id, sizeBytes = 0 }) => ({ id, sizeBytes })),
    limits,
    ...(kept === undefined ? {} : { kept: { id: kept.id, sizeBytes: kept.sizeBytes ?? 0 } }),
    ...(deploy.restoresSnapshot === undefined
      ? {}
      : { restored: { id: deploy.restoresSnapshot, ofDeploy: restored?.ofDeploy } }),
  };
}

/** Asked of the copies, and after the cutover, so that no visitor waits for it. */
async function measureSnapshots(app: HostedApp): Promise<void> {
  for (const { id, sizeBytes } of listRows(app.db)) {
    if (sizeBytes !== undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- as a rule there is one
    noteSnapshotSize(app.db, id, await measureData(app, snapshotFacet(id)));
  }
}

/** The oldest go first. Those made by hand stay until they are deleted by hand, and the newest of the others stays whatever its size. */
function pruneSnapshots(app: HostedApp): { removed: Snapshot[]; limits: SnapshotReport["limits"] } {
  const retention = getRetention(app.db);
  const rows = listRows(app.db);
  // Those made by hand take their part of the host's cap.
  const roomBytes = Math.max(0, quotasOf(app).snapshotBytes - sumBytes(rows.filter(isMadeByHand)));
  const limits = { count: retention.keptSnapshots, bytes: Math.min(retention.keptSnapshotBytes, roomBytes) };
  const needed = listNeededSnapshots(app.db);
  const removed: Snapshot[] = [];
  let count = 0;
  let bytes = 0;
  for (const snapshot of rows) {
    if (isMadeByHand(snapshot)) continue;
    count += 1;
    bytes += snapshot.sizeBytes ?? 0;
    const isOver = count > limits.count || (bytes > limits.bytes && count > 1);
    if (!isOver || needed.has(snapshot.id)) continue;
    takeAway(app, snapshot.id);
    removed.push(snapshot);
  }
  return { removed, limits };
}

function isMadeByHand({ beforeDeploy, reason }: Snapshot): boolean {
  return beforeDeploy === undefined && reason !== BEFORE_SQL;
}

function sumBytes(snapshots: readonly Snapshot[]): number {
  return snapshots.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
}

/** The row first: a row without a copy would promise what is not there. */
function takeAway(app: HostedApp, id: number): void {
  removeSnapshot(app.db, id);
  deleteData(app, snapshotFacet(id));
  scheduleReport(app);
}

/** What came of a snapshot by hand. over: with it the app would have so much of what its snapshots may come to. */
export type TakenSnapshot =
  | { readonly kind: "taken"; readonly snapshot: Snapshot }
  | { readonly kind: "not-deployed" }
  | { readonly kind: "over"; readonly usedBytes: number; readonly limitBytes: number }
  | TooSlow;

/** A snapshot by hand, of production as it runs. */
export async function takeSnapshot(app: HostedApp): Promise<TakenSnapshot> {
  if (findExisting(app) === undefined) return { kind: "not-deployed" };
  // Between the versions the data may be neither the one's nor the other's.
  await app.production.arrival;
  const { usedBytes: dataBytes } = await measureStored(app, app.production);
  // Those of deploys make room for it, all but the newest.
  const [newest, ...older] = listRows(app.db);
  const staying = [...(newest === undefined ? [] : [newest]), ...older.filter(isMadeByHand)];
  const usedBytes = sumBytes(staying) + dataBytes;
  const limitBytes = quotasOf(app).snapshotBytes;
  if (usedBytes > limitBytes) return { kind: "over", usedBytes, limitBytes };
  const taken = await orTooSlow(keepPresent(app, copyData, "manual"));
  if (taken === undefined) return { kind: "not-deployed" };
  if ("kind" in taken) return taken;
  pruneSnapshots(app);
  return { kind: "taken", snapshot: taken };
}

/** Production's data before its owner changes it. Nothing runs on it. It goes when it is over the limits, as those of deploys do. */
export async function keepBeforeSql(app: HostedApp): Promise<Snapshot | undefined> {
  const snapshot = await keepPresent(app, copyStoppedData, BEFORE_SQL);
  pruneSnapshots(app);
  return snapshot;
}

async function keepPresent(app: HostedApp, copy: typeof copyData, reason: string): Promise<Snapshot | undefined> {
  const live = findLiveDeploy(app.db, PRODUCTION_FACET)?.deploy;
  if (live === undefined) return undefined;
  const id = await keepSnapshot(app, copy, { ofDeploy: live.number, beforeDeploy: undefined, reason });
  await measureSnapshots(app);
  return findSnapshot(app.db, id);
}

/** Newest first; none if the app does not exist. */
export function listSnapshots(app: HostedApp): readonly Snapshot[] {
  return findExisting(app) === undefined ? [] : listRows(app.db);
}

/** What became of deleting a snapshot. "needed": a deploy that is under way restores it. */
export function deleteSnapshot(app: HostedApp, id: number): "deleted" | "needed" | "not-found" {
  if (findExisting(app) === undefined || findSnapshot(app.db, id) === undefined) return "not-found";
  if (listNeededSnapshots(app.db).has(id)) return "needed";
  takeAway(app, id);
  return "deleted";
}

/** Every copy, with the app. */
export function deleteSnapshots(app: HostedApp): void {
  // One more than there are rows for: a copy that a crash cut short has none.
  deleteData(app, snapshotFacet(nextSnapshotId(app.db)));
  for (const { id } of listRows(app.db)) deleteData(app, snapshotFacet(id));
}
