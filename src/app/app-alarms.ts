// Setting and reading the alarms of an app's objects. The rows are in store/alarms.ts, since an object's own facet cannot have an alarm;
// alarm-ringing.ts calls the handlers.
import { findAlarm, putAlarm, removeAlarm, removeAlarmsOf } from "../store/alarms.ts";
import type { LogSource } from "./environment-props.ts";
import { findExisting, findRuntime, type HostedApp } from "./hosted-app.ts";
import { objectFacet, type ObjectAddress } from "./object-address.ts";
import { storedClass } from "./receiver.ts";
import { setNextAlarm } from "./schedule.ts";

/** An object sets its alarm, or deletes it. */
export interface AlarmWrite {
  /** The object's place below its environment: "" or "/<class>/<ID>". */
  readonly path: string;
  /** null deletes it. */
  readonly atMs: number | null;
  /** Higher than that of the object's writes before it: they may come in another order. */
  readonly order: number;
}

/** The alarm of an environment's own class, or of one of its named objects, as it goes from one app to another. */
export interface KeptAlarm {
  /** undefined: the environment's own. */
  readonly object: Omit<ObjectAddress, "name"> | undefined;
  readonly atMs: number;
}

/** So many objects' last writes are remembered: what is under way at the same time. */
const MAX_ORDERS = 1000;

/** Throws for a version that was replaced. */
export function setAppAlarm(app: HostedApp, from: LogSource, { path, atMs, order }: AlarmWrite): void {
  const object = from.facet + path;
  if (isOutdated(app, object, order)) return;
  if (isStarting(app, from)) {
    const set = app.alarms.starting.get(from.facet) ?? new Map<string, number | null>();
    app.alarms.starting.set(from.facet, set.set(object, atMs));
    return;
  }
  writeAlarm(app, from.facet, object, atMs);
  setNextAlarm(app);
}

/** null: there is none, or its handler runs just now. */
export function getAppAlarm(app: HostedApp, from: LogSource, path: string): number | null {
  const object = from.facet + path;
  const starting = isStarting(app, from) ? app.alarms.starting.get(from.facet)?.get(object) : undefined;
  if (starting !== undefined) return starting;
  const ringing = app.alarms.ringing.get(object);
  if (ringing?.isCalled === true && !ringing.isReplaced) return null;
  return findAlarm(app.db, object)?.atMs ?? null;
}

/** The environment has these alarms and no others; one whose time is over rings now. */
export function replaceAppAlarms(app: HostedApp, facet: string, alarms: readonly KeptAlarm[]): void {
  if (findExisting(app) === undefined) return;
  app.db.transaction(() => {
    removeAlarmsOf(app.db, facet);
    for (const { object, atMs } of alarms) {
      const className = object && storedClass(app, facet, object.className);
      const stored = object && className !== undefined ? { ...object, className } : undefined;
      writeAlarm(app, facet, stored === undefined ? facet : objectFacet(facet, stored), atMs);
    }
  });
  setNextAlarm(app);
}

/** What a version has set while it started counts from here on. Inside the transaction that says that it has started. */
export function settleAlarms(app: HostedApp, facet: string): void {
  for (const [object, atMs] of app.alarms.starting.get(facet) ?? []) writeAlarm(app, facet, object, atMs);
  app.alarms.starting.delete(facet);
  setNextAlarm(app);
}

/** A version did not start. */
export function dropAlarms(app: HostedApp, facet: string): void {
  app.alarms.starting.delete(facet);
}

function isOutdated(app: HostedApp, object: string, order: number): boolean {
  const { orders } = app.alarms;
  if (order < (orders.get(object) ?? 0)) return true;
  orders.delete(object);
  orders.set(object, order);
  const [oldest] = orders.keys();
  if (orders.size > MAX_ORDERS && oldest !== undefined) orders.delete(oldest);
  return false;
}

function writeAlarm(app: HostedApp, facet: string, object: string, atMs: number | null): void {
  const ringing = app.alarms.ringing.get(object);
  if (ringing !== undefined) ringing.isReplaced = true;
  if (atMs === null) removeAlarm(app.db, object);
  else putAlarm(app.db, { object, facet, atMs, dueMs: atMs, attempts: 0 });
}

/** Whether the version that calls is live and never ran. Throws if it is neither that nor one that runs. */
function isStarting(app: HostedApp, { facet, deployNumber }: LogSource): boolean {
  const { live, running } = findRuntime(app, facet) ?? {};
  if (live?.deploy.number === deployNumber) return !live.hasRun;
  // The last words of one that is replaced count.
  const isRunning = running?.deploy.number === deployNumber;
  if (isRunning || (live?.hasRun === false && live.deploy.previous?.number === deployNumber)) return false;
  throw new Error("This version of the app was replaced, and has no alarm any more.");
}
