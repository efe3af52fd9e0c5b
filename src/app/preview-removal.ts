// The end of an environment beside production: nothing is live, requests are turned away, its data and its isolate go. The decision is a
// row; what follows may be repeated, and the alarm does after a crash.
import { markSuperseded, setLive } from "../store/deploys.ts";
import { clearPending, findEnvironment, removeEnvironment, setState } from "../store/previews.ts";
import { deleteData } from "./facet-data.ts";
import { openVersionWorker } from "./facet-start.ts";
import type { FacetRuntime, HostedApp } from "./hosted-app.ts";
import { endIsolate } from "./loader.ts";
import { stopFacets } from "./object-facets.ts";
import { backupFacet } from "./preview-data.ts";
import { listTaskBy, setNextAlarm } from "./schedule.ts";

/** The alarm goes on with an end that was cut short. */
const RETRY_AFTER_MS = 30_000;

/** Decides it. expiring: the branch's name for it stays. Inside a transaction; call takeAway after that. */
export function markEnding(app: HostedApp, facet: string, state: "expiring" | "removing"): void {
  setLive(app.db, facet, undefined);
  markSuperseded(app.db, facet, Number.MAX_SAFE_INTEGER);
  setState(app.db, facet, state);
  listTaskBy(app, "previews", app.now() + RETRY_AFTER_MS);
}

/** Takes away what markEnding decided to, at once but for a start that is under way. Does nothing where it was pushed again. */
export async function takeAway(app: HostedApp, facet: string): Promise<void> {
  if (!isEnding(app, facet)) return;
  setNextAlarm(app);
  const runtime = app.environments.get(facet);
  if (runtime !== undefined) {
    stop(app, runtime);
    // What is starting is not to be deleted under its own feet.
    await runtime.arrival;
    if (!isEnding(app, facet)) return;
    app.environments.delete(facet);
  }
  deleteData(app, facet);
  deleteData(app, backupFacet(facet));
  if (findEnvironment(app.db, facet)?.state === "removing") removeEnvironment(app.db, facet);
  else {
    clearPending(app.db, facet);
    setState(app.db, facet, "expired");
  }
}

function isEnding(app: HostedApp, facet: string): boolean {
  const state = findEnvironment(app.db, facet)?.state;
  return state === "expiring" || state === "removing";
}

/** Requests that run get 503, and those that come are turned away. */
function stop(app: HostedApp, runtime: FacetRuntime): void {
  const { running } = runtime;
  runtime.live = undefined;
  stopRunning(app, runtime, "This preview came to its end.");
  if (running !== undefined) app.ctx.waitUntil(endIsolate(openVersionWorker(app, running)));
}

/** Stops what runs, requests and streams with it. */
export function stopRunning(app: HostedApp, runtime: FacetRuntime, reason: string): void {
  runtime.running = undefined;
  runtime.failedStart = undefined;
  for (const end of runtime.eventStreams) end();
  stopFacets(app, runtime, reason);
}
