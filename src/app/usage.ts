// What an app used, as its owner sees it: counts by day, and what is stored now.
import { getManifest } from "../store/assets.ts";
import { listSizes } from "../store/data-sizes.ts";
import { findLiveDeploy } from "../store/deploys.ts";
import { countObjects } from "../store/objects.ts";
import type { Stored, StoredBytes } from "../store/metrics.ts";
import { sumPackBytes } from "../store/packs.ts";
import { isMigrated } from "../store/schema.ts";
import { listSnapshots } from "../store/snapshots.ts";
import { dayOf, listUsage, NO_USAGE, type UsageCounts, type UsageRow } from "../store/usage.ts";
import { loadAssets } from "./asset-cache.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";

/** Counts of the days asked for, oldest first, and what is stored. */
export interface Usage extends Stored {
  readonly rows: readonly UsageRow[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The last `days` days, today included, with what was not written down yet. undefined: the app does not exist. */
export function readUsage(app: HostedApp, days: number): Usage | undefined {
  if (findExisting(app) === undefined || !isMigrated(app.db)) return undefined;
  const since = dayOf(app.now() - (days - 1) * DAY_MS);
  return { rows: addUnwritten(listUsage(app.db, since), app.activity.usage.values()), ...readStored(app) };
}

/** Of an app that exists. */
export function readStored(app: HostedApp): Stored {
  const snapshots = listSnapshots(app.db).reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  return {
    storedBytes: { repository: sumPackBytes(app.db), snapshots, assets: sumAssets(app), ...sumData(app) },
    objectCount: countObjects(app.db, PRODUCTION_FACET),
  };
}

function sumAssets({ db, assets }: HostedApp): number {
  const assetsId = findLiveDeploy(db, PRODUCTION_FACET)?.deploy.assetsId;
  if (assetsId === undefined) return 0;
  const { files } = loadAssets(assets, assetsId, () => getManifest(db, assetsId));
  return [...files.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function sumData({ db }: HostedApp): Pick<StoredBytes, "data" | "objects" | "previews"> {
  const sizes = listSizes(db);
  const all = sizes.reduce((sum, { ownBytes, objectBytes }) => sum + ownBytes + objectBytes, 0);
  const production = sizes.find(({ facet }) => facet === PRODUCTION_FACET);
  const { ownBytes: data, objectBytes: objects } = production ?? { ownBytes: 0, objectBytes: 0 };
  return { data, objects, previews: all - data - objects };
}

/** Counts of several rows together. */
export function sumCounts(rows: readonly UsageCounts[]): UsageCounts {
  const sum: { -readonly [Name in keyof UsageCounts]: UsageCounts[Name] } = { ...NO_USAGE };
  let name: keyof UsageCounts;
  for (const row of rows) for (name in NO_USAGE) sum[name] += row[name];
  return sum;
}

function keyOf({ day, facet, deployNumber }: UsageRow): string {
  return `${day} ${facet} ${deployNumber}`;
}

function addUnwritten(written: readonly UsageRow[], unwritten: Iterable<UsageRow>): UsageRow[] {
  const rows = new Map(written.map((row) => [keyOf(row), row]));
  for (const row of unwritten) {
    const before = rows.get(keyOf(row));
    rows.set(keyOf(row), before === undefined ? { ...row } : { ...row, ...sumCounts([before, row]) });
  }
  return [...rows.values()];
}
