// When a repository is compacted, and how what was written becomes its catalogue. The work itself is done outside of the supervisor
// (src/compactor.ts), while pushes go on here; only the swap, one synchronous transaction, is the supervisor's. It is not done where what came
// meanwhile rests on what was left out; a push that was checked against replaced packs is checked once more. Those stay for a day, for
// clones that read them.
import { listKeptCommits } from "../store/deploys.ts";
import { findDueTask, putDueTask } from "../store/due.ts";
import { addPack, countPacks, retirePacks } from "../store/packs.ts";
import type { PackRow, RepositoryState } from "../store/repository-state.ts";
import { packKeys } from "../store/pack-store.ts";
import type { HostedApp } from "./hosted-app.ts";
import { scheduleReport } from "./metrics-report.ts";
import { readRepository } from "./repository.ts";
import { listTask, setNextAlarm } from "./schedule.ts";
import { GRACE_MS, LOOK_AFTER_MS, MAX_COMPACTED_OBJECTS, MAX_PACKS, QUIET_MS } from "./upkeep-limits.ts";

/** Pushes that come between checking a swap and doing it make it be checked again, at most so often. */
const MAX_SWAP_CHECKS = 5;

/** Sees to it that a repository that was just pushed to is compacted in time. */
export function scheduleCompaction(app: HostedApp): void {
  const nowMs = app.now();
  const count = countPacks(app.db);
  const listedMs = findDueTask(app.db, "compact")?.atMs ?? 0;
  const isFull = count > MAX_PACKS;
  const atMs = nowMs + (isFull ? QUIET_MS : LOOK_AFTER_MS);
  // One that is due may be running, and have seen too little.
  const isListed = listedMs > nowMs && listedMs <= atMs;
  if (isListed && (!isFull || count > 2 * MAX_PACKS)) return;
  putDueTask(app.db, { task: "compact", atMs, attempts: 0 });
  setNextAlarm(app);
}

/** Returns when to try again, where pushes kept the catalogue from being swapped; undefined when it is done. */
export async function compact(app: HostedApp): Promise<number | undefined> {
  const state = readRepository(app);
  if (state === undefined) return undefined;
  if (state.packs.reduce((total, pack) => total + pack.objectCount, 0) > MAX_COMPACTED_OBJECTS) return undefined;
  const snapshot = { state, keptIds: listKeptCommits(app.db) };
  const outcome = await app.ctx.exports.Compactor.compact(state, { keptIds: snapshot.keptIds, maxPacks: MAX_PACKS });
  if (outcome.kind === "unchanged") return undefined;
  const isSwapped = await swap(app, snapshot, outcome.pack);
  if (isSwapped) return undefined;
  if (outcome.pack !== undefined) await app.env.BUCKET.delete(packKeys(state, outcome.pack.packId));
  return app.now() + QUIET_MS;
}

/** What the new pack was made of. */
interface Snapshot {
  readonly state: RepositoryState;
  readonly keptIds: readonly string[];
}

/**
 * Replaces the packs of the snapshot by the new one. Packs that were pushed meanwhile stay. They may rest on objects that the new pack
 * left out, and refs may have moved to such an object: then everything stays as it is. So what came after the snapshot is checked, and
 * the swap is done in the same turn in which nothing came after the check.
 */
async function swap(app: HostedApp, snapshot: Snapshot, newPack: PackRow | undefined): Promise<boolean> {
  const replaced = snapshot.state.packs.map(({ packId }) => packId);
  const checked = new Set<string>([...replaced, ...snapshot.keptIds, ...snapshot.state.refs.map(({ id }) => id)]);
  for (let checks = 0; checks <= MAX_SWAP_CHECKS; checks++) {
    const state = readRepository(app);
    if (state?.repositoryId !== snapshot.state.repositoryId) return false;
    const added = state.packs.filter(({ packId }) => !replaced.includes(packId));
    const ids = [...state.refs.map(({ id }) => id), ...listKeptCommits(app.db)].filter((id) => !checked.has(id));
    if (ids.length === 0 && added.every(({ packId }) => checked.has(packId))) {
      replacePacks(app, replaced, newPack);
      return true;
    }
    const packs = newPack === undefined ? added : [newPack, ...added];
    // oxlint-disable-next-line no-await-in-loop -- what comes while it is checked is checked next
    if (!(await app.ctx.exports.Compactor.areClosed({ ...state, refs: [], packs }, ids))) return false;
    for (const name of [...ids, ...added.map(({ packId }) => packId)]) checked.add(name);
  }
  return false;
}

function replacePacks(app: HostedApp, replaced: readonly string[], newPack: PackRow | undefined): void {
  const deleteAfterMs = app.now() + GRACE_MS;
  app.db.transaction(() => {
    retirePacks(app.db, replaced, deleteAfterMs);
    if (newPack !== undefined) addPack(app.db, newPack);
    listTask(app, "sweep", deleteAfterMs);
  });
  scheduleReport(app);
  setNextAlarm(app);
}
