// The history of an app as its supervisor keeps it: every attempt to deploy with its log, joined with the deploy that came of it. An attempt's
// number is its deploy's; within one facet numbers are in the order of the commits, or the commit is refused.
import {
  addAttempt,
  appendLog,
  endAttempt,
  findAttempt,
  findLogChunk,
  listAttempts,
  pruneAttempts,
  type Attempt,
  type AttemptEnd,
  type NewAttempt,
} from "../store/attempts.ts";
import { findDeploy, findLiveDeploy, type Deploy } from "../store/deploys.ts";
import { getRetention, writeRetention, type Retention } from "../store/retention.ts";
import { isMigrated } from "../store/schema.ts";
import { findRepository } from "../store/settings.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { schedulePruning } from "./pruning.ts";
import { MAX_PACK_AGE_MS } from "./upkeep-limits.ts";

/**
 * running: under way. interrupted: nothing was heard of it for longer than a push can take. live: answers visitors of production.
 * committed, started, superseded: see DeployState; failed: it made nothing live, for which `attempt.end.failure` has the reason.
 */
export type AttemptState = "running" | "interrupted" | "live" | Deploy["state"];

/** An attempt, and the deploy that it made, if it came to that. */
export interface HistoryEntry {
  readonly attempt: Attempt;
  readonly deploy: Deploy | undefined;
  readonly state: AttemptState;
}

/** A page of the history: from below the number `before`. */
export interface HistoryPage {
  readonly limit: number;
  readonly before?: number | undefined;
}

/** Gives an attempt its number. undefined: the app was deleted meanwhile. */
export function openAttempt(app: HostedApp, attempt: NewAttempt): number | undefined {
  return hasHistory(app) ? addAttempt(app.db, attempt, app.now()) : undefined;
}

/** More of an attempt's log. */
export function logAttempt(app: HostedApp, number: number, text: string): void {
  if (hasHistory(app)) appendLog(app.db, number, text);
}

/** The end of an attempt. What is over the limit goes now, and the code that it leaves unused later. */
export function closeAttempt(app: HostedApp, number: number, end: AttemptEnd): void {
  if (!hasHistory(app)) return;
  endAttempt(app.db, number, end, app.now());
  if (pruneAttempts(app.db, getRetention(app.db).keptDeploys) > 0) schedulePruning(app);
}

/** What is kept from the next deploy on. undefined: the app does not exist. */
export function changeRetention(app: HostedApp, change: Partial<Retention>): Retention | undefined {
  if (findExisting(app) === undefined) return undefined;
  writeRetention(app.db, change);
  return getRetention(app.db);
}

/** Newest first; none if the app does not exist. */
export function listHistory(app: HostedApp, page: HistoryPage): readonly HistoryEntry[] {
  return hasHistory(app) ? listAttempts(app.db, page).map((attempt) => readEntry(app, attempt)) : [];
}

/** undefined: there is no such attempt, or none any more. Also of a first push that did not come to make its app. */
export function findHistoryEntry(app: HostedApp, number: number): HistoryEntry | undefined {
  const attempt = hasHistory(app) ? findAttempt(app.db, number) : undefined;
  return attempt && readEntry(app, attempt);
}

/** The next piece of an attempt's log. */
export function readLog(app: HostedApp, number: number, position: number): ReturnType<typeof findLogChunk> {
  return hasHistory(app) ? findLogChunk(app.db, number, position) : undefined;
}

function hasHistory(app: HostedApp): boolean {
  const repository = isMigrated(app.db) ? findRepository(app.db) : undefined;
  return repository !== undefined && !repository.isDeleting;
}

function readEntry(app: HostedApp, attempt: Attempt): HistoryEntry {
  const deploy = findDeploy(app.db, attempt.number);
  return { attempt, deploy, state: readState(app, attempt, deploy) };
}

function readState(app: HostedApp, { number, end, beganAtMs }: Attempt, deploy: Deploy | undefined): AttemptState {
  if (deploy !== undefined) {
    const isLive = findLiveDeploy(app.db, PRODUCTION_FACET)?.deploy.number === number;
    return isLive && deploy.state === "started" ? "live" : deploy.state;
  }
  if (end !== undefined) return "failed";
  return beganAtMs < app.now() - MAX_PACK_AGE_MS ? "interrupted" : "running";
}
