// From the version that runs to the one that the live pointer names. For a deploy that never ran: let running requests end, end
// event streams, say goodbye to WebSockets, stop the old version, start the new one; if it does not start, undo the deploy, its ref with it, and
// start the one before. New requests wait meanwhile (serve.ts). The old code never runs beside the new on the same database.
import { dropAlarms, settleAlarms } from "./app-alarms.ts";
import { findWaitingFacet } from "../store/atomic-pushes.ts";
import { findDeploy, getDeploy, markSuperseded, recordCutover, setHasSockets } from "../store/deploys.ts";
import type { Deploy } from "../store/deploys.ts";
import { settleAtomicPushes } from "./atomic-pushes.ts";
import { scheduleCrons } from "./cron-schedule.ts";
import {
  getFacet,
  openVersionWorker,
  readStoredCode,
  startFacet,
  startWorker,
  type Start,
  type StartInput,
} from "./facet-start.ts";
import {
  openVersion,
  readLive,
  runtimeOf,
  type Arrival,
  type FacetRuntime,
  type HostedApp,
  type Version,
} from "./hosted-app.ts";
import { endIsolate, settleIsolate } from "./loader.ts";
import { sayGoodbyeToObjects, stopFacets } from "./object-facets.ts";
import { prepareFork, settleFork } from "./preview-data.ts";
import { takeAway } from "./preview-removal.ts";
import { isWorker } from "./receiver.ts";
import { explainCopyError, explainTooFull, type StartFailure } from "./start-failure.ts";
import { isTooFull, measureStored, storedBy } from "./stored-data.ts";
import { prepareData, settleData, undoData } from "./snapshots.ts";
import { GOODBYE } from "./start-report.ts";
import { within } from "../store/time-limit.ts";
import { undoDeploy } from "./undoing.ts";
import { findUnreadable, maskSecretsOf, openVariables } from "./variables.ts";

/** What running requests get to end, streams of their answers included. */
export const DRAIN_LIMIT_MS = 5000;

/** A request waits no longer than this for a deploy. */
export const HOLD_LIMIT_MS = 10_000;

/** What the old version gets for its onRedeploy and what it has in waitUntil, and then to close its WebSockets. */
const GOODBYE_LIMIT_MS = 1000;
const CLOSING_LIMIT_MS = 500;

/** After a start that failed the next one waits so long, and twice as long each time, up to the limit. */
const RETRY_WAIT_MS = 500;
const MAX_RETRY_WAIT_MS = 15_000;

const TAKEN_BACK = "This version of the app was taken back.";

/** WebSocket close code 1012, "service restart": clients connect again. */
const SERVICE_RESTART = 1012;

/** What is kept of a cutover that succeeded. */
export interface CutoverFacts {
  /** Requests that the old version finished while new ones were held. */
  readonly drainedCount: number;
  /** Requests that it did not finish in time; they were answered 503, or their streams broke. */
  readonly droppedCount: number;
  /** New ones that it kept waiting for longer than they may; they were answered 503. */
  readonly turnedAwayCount: number;
  /** How long the request that waited longest waited. */
  readonly longestHoldMs: number;
  /** What no request waits longer than. */
  readonly holdLimitMs: number;
  readonly tookMs: number;
}

/** Brings the facet to its live version, however often the pointer moves meanwhile. One arrival at a time: the rest join it. */
export function arrive(app: HostedApp, runtime: FacetRuntime): Promise<Arrival> {
  return runtime.arrival ?? begin(runtime, approach(app, runtime));
}

/** What requests wait for; how long they did is counted anew after it. */
function begin(runtime: FacetRuntime, arrival: Promise<Arrival>): Promise<Arrival> {
  runtime.arrival = arrival.finally(() => {
    runtime.arrival = undefined;
    runtime.heldSinceMs = undefined;
    runtime.turnedAwayCount = 0;
  });
  return runtime.arrival;
}

/**
 * Runs `work` while no code runs on the facet's data: what runs is stopped as for a deploy, requests wait, and the live version starts
 * again after it, whatever came of the work.
 */
export async function pause<T>(app: HostedApp, runtime: FacetRuntime, work: () => Promise<T>): Promise<T> {
  do {
    // oxlint-disable-next-line no-await-in-loop -- another may begin in between
    await arrive(app, runtime);
  } while (runtime.arrival !== undefined);
  const paused = stopRunningVersion(app, runtime, "The data of this app is changed.").then(work);
  runtime.failedStart = undefined;
  const arriving = paused.catch(() => undefined).then(() => approach(app, runtime));
  await begin(runtime, arriving);
  return paused;
}

/** Before the first await nothing runs any more by what serve.ts sees: who comes from here on waits for the arrival. */
async function stopRunningVersion(app: HostedApp, runtime: FacetRuntime, reason: string): Promise<void> {
  const old = runtime.running ?? (runtime.hasSockets ? runtime.live : undefined);
  runtime.running = undefined;
  await drain(runtime);
  for (const end of runtime.eventStreams) end();
  if (old !== undefined) await sayGoodbye(app, runtime, old);
  stopFacets(app, runtime, reason);
  if (!runtime.hasSockets) return;
  runtime.hasSockets = false;
  setHasSockets(app.db, runtime.facet, false);
}

async function approach(app: HostedApp, runtime: FacetRuntime): Promise<Arrival> {
  await runtime.reading;
  runtime.storedBytes = undefined;
  for (let version = runtime.live; version !== runtime.running; version = runtime.live) {
    if (runtime.running !== undefined && version?.hasRun !== false) {
      // It was taken back after it had started.
      const old = runtime.running;
      await stopRunningVersion(app, runtime, TAKEN_BACK);
      retire(app, old);
    } else if (version?.hasRun === true) {
      if (isTooFull(app, runtime)) return { kind: "failed", failure: explainTooFull(storedBy(app, runtime)) };
      const failure = await resume(app, runtime, version);
      if (failure !== undefined) return { kind: "failed", failure };
    } else if (version !== undefined) {
      await replace(app, runtime, version);
    }
    if (runtime.live === runtime.running) startWaiting(app);
  }
  return { kind: "ready" };
}

/** What waits of an atomic push is started as soon as anything is: whether all of it stays must not be open until somebody asks for it. */
function startWaiting(app: HostedApp): void {
  const facet = findWaitingFacet(app.db);
  if (facet !== undefined) app.ctx.waitUntil(arrive(app, runtimeOf(app, facet)));
}

/**
 * Starts a version that was live before: after the supervisor was idle, or after the deploy that followed it was undone. Tried
 * twice, under another isolate name: the runtime remembers a failure, but what failed may have been a matter of the moment. If it lasts,
 * requests have it tried again, more and more seldom.
 */
async function resume(app: HostedApp, runtime: FacetRuntime, version: Version): Promise<StartFailure | undefined> {
  const last = runtime.failedStart?.version === version ? runtime.failedStart : undefined;
  if (last !== undefined && app.now() < last.retryAtMs) return last.failure;
  await settleData(app, runtime.facet);
  let start = await startVersion(app, runtime, version);
  // Its end may have been decided while it started. A copy that takes too long would keep visitors waiting again.
  if (start.kind === "failed" && start.failure.code !== "copy-too-slow" && runtime.live === version) {
    start = await startVersion(app, runtime, version);
  }
  runtime.failedStart = undefined;
  if (start.kind === "started") {
    runtime.running = version;
    app.ctx.waitUntil(measureStored(app, runtime));
    return undefined;
  }
  if (runtime.live !== version) return undefined;
  const count = (last?.count ?? 0) + 1;
  const waitMs = Math.min(MAX_RETRY_WAIT_MS, RETRY_WAIT_MS * 2 ** (count - 1));
  runtime.failedStart = { version, failure: start.failure, count, retryAtMs: app.now() + waitMs };
  console.error(`app ${app.name}: deploy ${version.deploy.number} does not start: ${start.failure.reason}`);
  return start.failure;
}

/** Cuts over to a version that never ran. */
async function replace(app: HostedApp, runtime: FacetRuntime, version: Version): Promise<void> {
  const startedMs = app.now();
  const old = runtime.running ?? findPrevious(app, version);
  const inFlightCount = runtime.inFlightCount;
  await drain(runtime);
  // A later deploy, or the app's deletion, makes this one pointless.
  if (runtime.live !== version) return;
  for (const end of runtime.eventStreams) end();
  // One that does not run has nothing to end but sockets that hibernate.
  if (old !== undefined && (runtime.running === old || runtime.hasSockets)) await sayGoodbye(app, runtime, old);
  const droppedCount = runtime.inFlightCount;
  runtime.running = undefined;
  stopFacets(app, runtime, "A new version of this app was deployed.");

  dropAlarms(app, runtime.facet);
  const failure = await prepareData(app, runtime.facet, version.deploy);
  const start: Start = failure === undefined ? await startVersion(app, runtime, version) : { kind: "failed", failure };
  if (start.kind === "failed") {
    undo(app, runtime, { deploy: version.deploy, failure: start.failure });
    return;
  }
  const endedMs = app.now();
  const facts: CutoverFacts = {
    drainedCount: Math.max(0, inFlightCount - droppedCount),
    droppedCount,
    turnedAwayCount: runtime.turnedAwayCount,
    longestHoldMs: runtime.heldSinceMs === undefined ? 0 : Math.min(endedMs - runtime.heldSinceMs, HOLD_LIMIT_MS),
    holdLimitMs: HOLD_LIMIT_MS,
    tookMs: endedMs - startedMs,
  };
  const isLive = app.db.transaction(() => recordStart(app, version, facts));
  version.hasRun = isLive;
  runtime.hasSockets = false;
  runtime.running = version;
  app.ctx.waitUntil(measureStored(app, runtime));
  if (old !== undefined) retire(app, old);
  if (isLive) for (const facet of settleAtomicPushes(app)) app.ctx.waitUntil(takeAway(app, facet));
}

/** false: its push was taken back while it started, or its environment was deleted. */
function recordStart(app: HostedApp, { deploy, facet }: Version, facts: CutoverFacts): boolean {
  setHasSockets(app.db, facet, false);
  const { state } = getDeploy(app.db, deploy.number);
  if (state === "superseded") return false;
  if (state === "failed") {
    dropAlarms(app, facet);
    undoData(app, facet, deploy.number);
    return false;
  }
  recordCutover(app.db, deploy.number, "started", JSON.stringify(facts));
  markSuperseded(app.db, facet, deploy.number);
  settleAlarms(app, facet);
  return true;
}

async function startVersion(app: HostedApp, runtime: FacetRuntime, version: Version): Promise<Start> {
  try {
    await prepareFork(app, runtime.facet);
  } catch (error) {
    console.error(`app ${app.name}: the data of ${runtime.facet} cannot be copied`, error);
    return { kind: "failed", failure: explainCopyError(error) };
  }
  const { envId, codeId } = version.deploy;
  const unreadable = findUnreadable(app, envId, runtime.facet);
  if (unreadable !== undefined) return { kind: "failed", failure: unreadable };
  const input: StartInput = {
    openWorker: () => openVersionWorker(app, version),
    readCode: () => readStoredCode(app.db, codeId),
    secrets: openVariables(app, envId, runtime.facet).secrets,
  };
  const start = isWorker(app, version) ? await startWorker(input) : await startFacet(app, runtime.facet, input);
  if (start.kind === "failed") {
    retire(app, { ...version });
    version.failedStarts += 1;
    delete version.worker;
  } else if (runtime.live === version) {
    // A later deploy may have asked for other data meanwhile.
    settleFork(app, runtime.facet);
    scheduleCrons(app, version);
  }
  return start;
}

/** The version before this one: it may have hibernating WebSockets although this instance never started it. */
function findPrevious(app: HostedApp, version: Version): Version | undefined {
  const previous = version.deploy.previous && findDeploy(app.db, version.deploy.previous.number);
  return previous?.state === "started" ? openVersion(previous, version.facet) : undefined;
}

async function drain(runtime: FacetRuntime): Promise<void> {
  if (runtime.inFlightCount === 0 && runtime.objectCallCount === 0) return;
  const idle = new Promise<void>((resolve) => {
    runtime.onIdle = resolve;
  });
  await within(idle, DRAIN_LIMIT_MS);
  runtime.onIdle = undefined;
}

/** Sockets would drop with 1006, those that hibernate too. Only code inside the facet can close them. */
async function sayGoodbye(app: HostedApp, runtime: FacetRuntime, old: Version): Promise<void> {
  const reason = "a new version was deployed";
  const toReceiver = async (): Promise<void> => {
    if (isWorker(app, old)) {
      return settleIsolate(openVersionWorker(app, old), { code: SERVICE_RESTART, reason }, GOODBYE_LIMIT_MS);
    }
    const facet = getFacet(app, runtime.facet, () => openVersionWorker(app, old));
    await facet[GOODBYE](SERVICE_RESTART, reason, GOODBYE_LIMIT_MS);
  };
  const toObjects = { version: old, code: SERVICE_RESTART, reason, limitMs: GOODBYE_LIMIT_MS };
  const close = async (): Promise<void> => {
    await Promise.all([toReceiver(), sayGoodbyeToObjects(app, runtime, toObjects)]);
  };
  try {
    await within(close(), GOODBYE_LIMIT_MS + CLOSING_LIMIT_MS);
  } catch (error) {
    // The old version is broken, and its sockets drop when it is stopped.
    const from = { deployNumber: old.deploy.number, facet: runtime.facet };
    const why = maskSecretsOf(app, from, String(error));
    console.warn(`app ${app.name}: deploy ${old.deploy.number} did not close its WebSockets: ${why}`);
  }
}

/** See undoing.ts. What goes back with it in other environments is brought there too, whether or not somebody asks. */
function undo(
  app: HostedApp,
  runtime: FacetRuntime,
  { deploy, failure }: { readonly deploy: Deploy; readonly failure: StartFailure },
): void {
  for (const facet of undoDeploy(app, deploy, failure)) {
    const undone = runtimeOf(app, facet);
    readLive(app, undone);
    app.ctx.waitUntil(takeAway(app, facet));
    if (undone === runtime) continue;
    // What an earlier instance of the supervisor started may still run.
    if (undone.running === undefined && undone.arrival === undefined) stopFacets(app, undone, TAKEN_BACK);
    app.ctx.waitUntil(arrive(app, undone));
  }
}

/** Ends the isolate of a version that is not needed any more, so that a host with many deploys does not grow. */
function retire(app: HostedApp, version: Version): void {
  app.ctx.waitUntil(endIsolate(openVersionWorker(app, version)));
}
