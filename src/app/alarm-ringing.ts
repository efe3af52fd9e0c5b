// The alarms of an app's objects, as Cloudflare rings them: at least once, and after a failure again in 2, 4, 8 … seconds, up to six times.
import { findAlarm, listDueAlarms, putAlarm, removeAlarm, type Alarm } from "../store/alarms.ts";
import { noteLine, noteUsage } from "./activity.ts";
import type { RingingAlarm } from "./alarm-memory.ts";
import { getFacet, openVersionWorker, type Facet } from "./facet-start.ts";
import { callLive, type HandlerCall } from "./handler-call.ts";
import { findExisting, runtimeOf, type HostedApp, type Version } from "./hosted-app.ts";
import { parseObjectFacet } from "./object-address.ts";
import { openObject } from "./object-facets.ts";
import { entryOf, isWorker } from "./receiver.ts";
import { ringingAlarms, setNextAlarm } from "./schedule.ts";
import { ALARM } from "./start-report.ts";

/** Cloudflare's own numbers. */
const MAX_RETRIES = 6;
const FIRST_RETRY_MS = 2000;

/** So many handlers of one app run at once. */
const MAX_RINGING = 50;

/** After a version that did not start for an alarm. */
const START_RETRY_MS = 30_000;

/** Rings every alarm whose time has come. Nobody waits for the handlers: one that takes long keeps no other from ringing. */
export function ringDueAlarms(app: HostedApp): void {
  const { ringing } = app.alarms;
  const page = { nowMs: app.now(), limit: Math.max(0, MAX_RINGING - ringing.size) };
  for (const alarm of listDueAlarms(app.db, ringingAlarms(app), page)) {
    const state = { isCalled: false, isReplaced: false };
    ringing.set(alarm.object, state);
    app.ctx.waitUntil(ring(app, alarm, state));
  }
}

async function ring(app: HostedApp, alarm: Alarm, state: RingingAlarm): Promise<void> {
  const beganMs = app.now();
  let outcome: HandlerCall<boolean> = { kind: "not-started" };
  try {
    outcome = await callLive(app, alarm.facet, (version) => {
      // It may have been set anew or deleted while a version started.
      const current = findAlarm(app.db, alarm.object);
      if (current === undefined || current.dueMs > app.now()) return undefined;
      state.isCalled = true;
      state.isReplaced = false;
      return callHandler(app, alarm, version);
    });
  } catch (error) {
    console.error(`app ${app.name}: an alarm could not be rung and will be tried again`, error);
  }
  app.alarms.ringing.delete(alarm.object);
  // The app may have been deleted meanwhile.
  if (findExisting(app) === undefined) return;
  if (!state.isReplaced) settle(app, alarm, outcome);
  setNextAlarm(app);
  noteRinging(app, alarm, { outcome, tookMs: app.now() - beganMs });
}

// A stub's call is a thenable of the runtime's own; here it becomes a promise.
async function callHandler(app: HostedApp, alarm: Alarm, version: Version): Promise<boolean> {
  const { attempts, atMs } = alarm;
  const facet = findObjectFacet(app, alarm, version);
  if (facet === undefined) return false;
  return await facet[ALARM]({ scheduledTime: atMs, retryCount: attempts, isRetry: attempts > 0 });
}

/** undefined: this version has no such class. */
function findObjectFacet(app: HostedApp, { object, facet }: Alarm, version: Version): Facet | undefined {
  const openWorker = (): WorkerStub => openVersionWorker(app, version);
  const address = parseObjectFacet(object);
  if (address === undefined) return isWorker(app, version) ? undefined : getFacet(app, object, openWorker);
  const classes = entryOf(app, version).objects?.classes ?? [];
  if (!classes.includes(address.className)) return undefined;
  return openObject(app, runtimeOf(app, facet), { classes, openWorker, address });
}

/** The row of an alarm that was neither set anew nor deleted while it rang. */
function settle(app: HostedApp, alarm: Alarm, { kind }: HandlerCall<boolean>): void {
  switch (kind) {
    case "skipped":
    case "interrupted":
      return;
    case "not-started":
      putAlarm(app.db, { ...alarm, dueMs: app.now() + START_RETRY_MS });
      return;
    case "failed":
      retryLater(app, alarm);
      return;
    case "gone":
    case "answered":
      removeAlarm(app.db, alarm.object);
  }
}

function retryLater(app: HostedApp, alarm: Alarm): void {
  const { attempts } = alarm;
  if (attempts >= MAX_RETRIES) return removeAlarm(app.db, alarm.object);
  const dueMs = app.now() + FIRST_RETRY_MS * 2 ** attempts;
  return putAlarm(app.db, { ...alarm, dueMs, attempts: attempts + 1 });
}

/** A line in the app's log, and the time in its usage. */
function noteRinging(
  app: HostedApp,
  { object, facet, atMs, attempts }: Alarm,
  { outcome, tookMs }: { readonly outcome: HandlerCall<boolean>; readonly tookMs: number },
): void {
  if (!("version" in outcome)) return;
  const path = object.slice(facet.length + 1);
  const about = `alarm of ${new Date(atMs).toISOString()}${path === "" ? "" : ` of ${path}`}`;
  const line = { atMs: app.now(), facet, deployNumber: outcome.version.deploy.number, kind: "alarm" } as const;
  noteUsage(app, line, { wallMs: tookMs });
  const retry = attempts === 0 ? "" : ` retry ${attempts}`;
  if (outcome.kind === "interrupted") {
    const text = `${about}:${retry} did not end before a deploy, and rings again`;
    noteLine(app, { ...line, level: "warn", text });
  } else if (outcome.kind === "failed") {
    const then = attempts >= MAX_RETRIES ? "for the last time" : "and is tried again";
    noteLine(app, { ...line, level: "error", text: `${about}:${retry} failed ${then}, ${tookMs} ms` });
  } else if (outcome.kind === "answered" && outcome.answer) {
    noteLine(app, { ...line, level: "info", text: `${about}:${retry} ran, ${tookMs} ms` });
  } else {
    noteLine(app, { ...line, level: "error", text: `${about} was lost: the class of this version has no alarm()` });
  }
}
