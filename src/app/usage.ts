// What an app used, as its owner sees it: counts by day, and what is stored now.
import type { Stored } from "../store/metrics.ts";
import { isMigrated } from "../store/schema.ts";
import { dayOf, listUsage, NO_USAGE, type UsageCounts, type UsageRow } from "../store/usage.ts";
import { takeInRequests } from "./activity.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { readStored } from "./stored-bytes.ts";

/** Counts of the days asked for, oldest first, and what is stored. */
export interface Usage extends Stored {
  readonly rows: readonly UsageRow[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The last `days` days, today included, with what was not written down yet. undefined: the app does not exist. */
export function readUsage(app: HostedApp, days: number): Usage | undefined {
  if (findExisting(app) === undefined || !isMigrated(app.db)) return undefined;
  takeInRequests(app);
  const since = dayOf(app.now() - (days - 1) * DAY_MS);
  return { rows: addUnwritten(listUsage(app.db, since), app.activity.usage.values()), ...readStored(app) };
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
