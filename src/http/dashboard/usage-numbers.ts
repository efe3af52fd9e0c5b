// An app's usage as the API gives it, added up.
import type { Context } from "hono";
import { sumCounts } from "../../app/usage.ts";
import type { UsageAnswer, UsageRowAnswer } from "../api/usage.ts";
import { findApi } from "./api-client.ts";
import type { DashboardEnv } from "./session.ts";

/** What is counted. */
export type UsageTotals = Omit<UsageRowAnswer, "day" | "environment" | "deploy">;

export async function readUsage(c: Context<DashboardEnv>, app: string, days: number): Promise<UsageAnswer | undefined> {
  return findApi<UsageAnswer>(c, `/apps/${app}/usage?days=${days}`);
}

/** Each of the last `days` days in UTC, oldest first, with what its rows come to. */
export function byDay(
  rows: readonly UsageRowAnswer[],
  days: number,
  nowMs: number,
): readonly (UsageTotals & { readonly day: string })[] {
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(nowMs - (days - 1 - index) * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    return { day, ...sumCounts(rows.filter((row) => row.day === day)) };
  });
}
