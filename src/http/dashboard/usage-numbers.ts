// An app's usage as the API gives it, added up.
import type { Context } from "hono";
import type { UsageRowAnswer } from "../api/usage.ts";
import { findApi } from "./api-client.ts";
import type { DashboardEnv } from "./session.ts";

/** What the usage route answers. */
export interface UsageAnswer {
  readonly usage: readonly UsageRowAnswer[];
  readonly storedBytes: Readonly<Record<string, number>>;
}

/** What is counted. */
export type UsageTotals = Omit<UsageRowAnswer, "day" | "environment" | "deploy">;

const NOTHING: UsageTotals = {
  requests: 0,
  errors: 0,
  cpuMs: 0,
  wallMs: 0,
  egressRequests: 0,
  egressSentBytes: 0,
  egressReceivedBytes: 0,
  logLines: 0,
  droppedLogLines: 0,
};

export async function readUsage(c: Context<DashboardEnv>, app: string, days: number): Promise<UsageAnswer | undefined> {
  return findApi<UsageAnswer>(c, `/apps/${app}/usage?days=${days}`);
}

/** All rows together. */
export function totalOf(rows: readonly UsageTotals[]): UsageTotals {
  return rows.reduce<UsageTotals>(
    (sum, row) => ({
      requests: sum.requests + row.requests,
      errors: sum.errors + row.errors,
      cpuMs: sum.cpuMs + row.cpuMs,
      wallMs: sum.wallMs + row.wallMs,
      egressRequests: sum.egressRequests + row.egressRequests,
      egressSentBytes: sum.egressSentBytes + row.egressSentBytes,
      egressReceivedBytes: sum.egressReceivedBytes + row.egressReceivedBytes,
      logLines: sum.logLines + row.logLines,
      droppedLogLines: sum.droppedLogLines + row.droppedLogLines,
    }),
    NOTHING,
  );
}

/** Each of the last `days` days in UTC, oldest first, with what its rows come to. */
export function byDay(
  rows: readonly UsageRowAnswer[],
  days: number,
  nowMs: number,
): readonly (UsageTotals & { readonly day: string })[] {
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(nowMs - (days - 1 - index) * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    return { day, ...totalOf(rows.filter((row) => row.day === day)) };
  });
}
