// Taking out of R2 what no row of the catalogue names: packs of pushes that failed, of hosts that died, and those that a compaction
// replaced once their time is over, and assets of deploys that never came to be. The parts of an upload that was never completed are no objects and cannot be listed from here:
// R2 aborts such an upload by itself after 7 days.
import { assetKey, assetKeyPrefix } from "../store/asset-objects.ts";
import { listAssetObjects } from "../store/assets.ts";
import { findDueTask } from "../store/due.ts";
import { forgetRetiredPacks, listPacks, listRetiredPacks } from "../store/packs.ts";
import { packKeyPrefix, packKeys } from "../store/pack-store.ts";
import { findRepository, noteReservation } from "../store/settings.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { listTask, setNextAlarm } from "./schedule.ts";
import { NOTE_EVERY_MS, SWEEP_AFTER_MS } from "./upkeep-limits.ts";

/** R2 lists and deletes at most so many keys at once. */
const PAGE_KEYS = 1000;

/** Sees to it that what a push leaves in R2 is taken away in time. Most pushes come soon after another and cost no write here. */
export function scheduleSweep(app: HostedApp, lastPushMs: number): void {
  const nowMs = app.now();
  const isNoted = lastPushMs > nowMs - NOTE_EVERY_MS;
  if (isNoted && findDueTask(app.db, "sweep") !== undefined) return;
  if (!isNoted) noteReservation(app.db, nowMs);
  listTask(app, "sweep", nowMs + SWEEP_AFTER_MS);
  setNextAlarm(app);
}

/** Returns when to look again; undefined if nothing is left to wait for. */
export async function sweep(app: HostedApp): Promise<number | undefined> {
  const nowMs = app.now();
  const repository = findRepository(app.db);
  if (repository === undefined || repository.isDeleting) return undefined;
  // A repository that is only reserved is pruned as a whole, unless it is created yet.
  if (repository.createdAtMs === undefined) return nowMs + SWEEP_AFTER_MS;
  forgetRetiredPacks(app.db, nowMs);
  const { repositoryId } = repository;
  const oldestMs = nowMs - SWEEP_AFTER_MS;
  const isPackWaiting = await sweepPages(app, { prefix: packKeyPrefix(repositoryId), repositoryId, oldestMs });
  const isAssetWaiting = await sweepPages(app, { prefix: assetKeyPrefix(repositoryId), repositoryId, oldestMs });
  const isWaiting = isPackWaiting || isAssetWaiting;
  // A push that is still under way may write yet what it will not commit.
  const isPushed = repository.reservedAtMs > nowMs - SWEEP_AFTER_MS - NOTE_EVERY_MS;
  const nextMs = isWaiting || isPushed ? nowMs + SWEEP_AFTER_MS : Infinity;
  const soonestMs = Math.min(nextMs, listRetiredPacks(app.db).nextMs ?? Infinity);
  return soonestMs === Infinity ? undefined : soonestMs;
}

/** Deletes what nothing names, but for what is too young; returns whether there is such. */
async function sweepPages(
  app: HostedApp,
  {
    prefix,
    repositoryId,
    oldestMs,
  }: { readonly prefix: string; readonly repositoryId: string; readonly oldestMs: number },
): Promise<boolean> {
  const { BUCKET } = app.env;
  let isWaiting = false;
  let cursor: string | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before ended
    const page = await BUCKET.list({ prefix, limit: PAGE_KEYS, ...(cursor === undefined ? {} : { cursor }) });
    // The catalogue is read after the page: what it names now it named or lacked then, and no name comes back.
    const named = listNamedKeys(app, repositoryId);
    const unnamed = page.objects.filter(({ key }) => !named.has(key));
    const stale = unnamed.filter(({ uploaded }) => uploaded.getTime() <= oldestMs).map(({ key }) => key);
    isWaiting ||= stale.length < unnamed.length;
    // oxlint-disable-next-line no-await-in-loop -- a page at a time
    if (stale.length > 0) await BUCKET.delete(stale);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return isWaiting;
}

function listNamedKeys(app: HostedApp, repositoryId: string): Set<string> {
  if (findExisting(app)?.repositoryId !== repositoryId) return new Set();
  const packIds = [...listPacks(app.db).map(({ packId }) => packId), ...listRetiredPacks(app.db).packIds];
  const assetKeys = listAssetObjects(app.db).map((objectId) => assetKey(repositoryId, objectId));
  return new Set([...packIds.flatMap((packId) => packKeys({ repositoryId }, packId)), ...assetKeys]);
}
