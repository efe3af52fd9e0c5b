// Cron triggers of the compatibility suite's Worker: what the call came to, and what its handler wrote down.
import { CRONS, noterOf } from "./scheduled.ts";
import { POLL_MS, SILENCE_MS, type RunCron, type Side } from "./side.ts";

/** What a visitor of a Worker with cron triggers does, and what comes of it. */
type CronVisit = (side: Side, runCron: RunCron) => Promise<unknown>;

export const CRON_VISITS: Readonly<Record<string, CronVisit>> = Object.fromEntries(
  Object.entries(CRONS).map(([plan, cron]): [string, CronVisit] => [
    `scheduled.${plan}`,
    (side, runCron) => visit(side, runCron, { cron, noteCount: plan === "waits" ? 2 : 1 }),
  ]),
);

async function visit(
  side: Side,
  runCron: RunCron,
  { cron, noteCount }: { readonly cron: string; readonly noteCount: number },
): Promise<unknown> {
  const atMs = Date.now();
  const outcome = await runCron(cron, atMs);
  const path = `/noted?by=${encodeURIComponent(noterOf(cron))}`;
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    // oxlint-disable-next-line no-await-in-loop -- a poll
    const noted: unknown[] = await (await side.fetch(path)).json();
    if (noted.length >= noteCount || waitedMs > SILENCE_MS) {
      return { outcome, noted: JSON.stringify(noted).replaceAll(String(atMs), "its time") };
    }
    // oxlint-disable-next-line no-await-in-loop -- a poll
    await scheduler.wait(POLL_MS);
  }
}
