// When environments beside production end by themselves: a preview after the time that the app's owner set, a deploy on show soon. What
// counts is the last request; it is written down every few minutes only, so that reading a page costs no write.
import { listEnvironments, setUsed, type Environment } from "../store/previews.ts";
import { isMigrated } from "../store/schema.ts";
import { findRepository } from "../store/settings.ts";
import type { FacetRuntime, HostedApp } from "./hosted-app.ts";
import { markEnding, takeAway } from "./preview-removal.ts";
import { listTaskBy, setNextAlarm } from "./schedule.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A deploy on show without a request for so long is taken away. */
const SHOWN_IDLE_MS = 30 * MINUTE_MS;

/** Uses are written down no more often than this. */
const NOTE_EVERY_MS = 5 * MINUTE_MS;

/** A request has come. */
export function noteUse(app: HostedApp, runtime: FacetRuntime): void {
  const nowMs = app.now();
  if (runtime.usedAtMs > nowMs - NOTE_EVERY_MS) return;
  runtime.usedAtMs = nowMs;
  setUsed(app.db, runtime.facet, nowMs);
}

/** Writes down what runs now as used now. */
export function noteUses(app: HostedApp): void {
  for (const runtime of app.environments.values()) {
    if (runtime.inFlightCount > 0) setUsed(app.db, runtime.facet, app.now());
  }
}

/** Has the alarm ring when the first environment expires. */
export function scheduleExpiry(app: HostedApp): void {
  if (!isMigrated(app.db)) return;
  const nextMs = findNextExpiryMs(app);
  if (nextMs === undefined) return;
  listTaskBy(app, "previews", nextMs);
  setNextAlarm(app);
}

/** When an environment ends if no request comes. */
export function expiresAtMs(app: HostedApp, { branch, usedAtMs }: Environment): number {
  if (branch === undefined) return usedAtMs + SHOWN_IDLE_MS;
  return usedAtMs + (findRepository(app.db)?.settings.previewIdleHours ?? 0) * HOUR_MS;
}

function findNextExpiryMs(app: HostedApp): number | undefined {
  const alive = listEnvironments(app.db).filter(({ state }) => state === "alive");
  return alive.length === 0 ? undefined : Math.min(...alive.map((environment) => expiresAtMs(app, environment)));
}

/** Ends what expired, and goes on with ends that were cut short. Returns when to look again. */
export async function expirePreviews(app: HostedApp): Promise<number | undefined> {
  // A deletion that may be undone brings them back as they were.
  if (findRepository(app.db)?.isDeleting === true) return undefined;
  noteUses(app);
  const nowMs = app.now();
  for (const environment of listEnvironments(app.db)) {
    const { facet, branch, state } = environment;
    if (state === "alive" && expiresAtMs(app, environment) <= nowMs) {
      app.db.transaction(() => markEnding(app, facet, branch === undefined ? "removing" : "expiring"));
    }
    // oxlint-disable-next-line no-await-in-loop -- one after the other: there are few
    await takeAway(app, facet);
  }
  return findNextExpiryMs(app);
}
