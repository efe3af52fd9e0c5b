// The alarms of an app's objects: one row for each object that has one, since facets have no alarm of their own. A row stays until its
// alarm was answered, so that a crash in between rings it again.
import { findFirst, type Database } from "./database.ts";

/** The one alarm of an object. */
export interface Alarm {
  /** The object's whole facet name: the environment's, or "<environment>/<class>/<ID>". */
  readonly object: string;
  /** The environment, which the alarm ends with. */
  readonly facet: string;
  /** What the app set. */
  readonly atMs: number;
  /** When it rings: atMs at first, later after it failed. */
  readonly dueMs: number;
  /** How often it rang and failed. */
  readonly attempts: number;
}

interface AlarmColumns extends Record<string, SqlStorageValue> {
  readonly object: string;
  readonly facet: string;
  readonly at_ms: number;
  readonly due_ms: number;
  readonly attempts: number;
}

/** Which alarms ring. */
export interface RingingAlarms {
  /** Objects whose alarm rings already. */
  readonly except: readonly string[];
  /** The one environment whose alarms ring; undefined: those of all do. */
  readonly onlyFacet: string | undefined;
}

const IS_RINGING = "object NOT IN (SELECT value FROM json_each(?)) AND facet = coalesce(?, facet)";

/** Sets an object's alarm, in place of any that it had. */
export function putAlarm(db: Database, { object, facet, atMs, dueMs, attempts }: Alarm): void {
  db.sql.exec(
    "INSERT OR REPLACE INTO alarms (object, facet, at_ms, due_ms, attempts) VALUES (?, ?, ?, ?, ?)",
    object,
    facet,
    atMs,
    dueMs,
    attempts,
  );
}

export function findAlarm(db: Database, object: string): Alarm | undefined {
  const row = findFirst(db.sql.exec<AlarmColumns>("SELECT * FROM alarms WHERE object = ?", object));
  return row === undefined ? undefined : readAlarm(row);
}

export function removeAlarm(db: Database, object: string): void {
  db.sql.exec("DELETE FROM alarms WHERE object = ?", object);
}

/** Those of the environment and of every object in it. */
export function removeAlarmsOf(db: Database, facet: string): void {
  db.sql.exec("DELETE FROM alarms WHERE facet = ?", facet);
}

/** The alarms whose time has come, the longest overdue first. */
export function listDueAlarms(
  db: Database,
  { except, onlyFacet }: RingingAlarms,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
): Alarm[] {
  const query = `SELECT * FROM alarms WHERE due_ms <= ? AND ${IS_RINGING} ORDER BY due_ms LIMIT ?`;
  const rows = db.sql.exec<AlarmColumns>(query, nowMs, JSON.stringify(except), onlyFacet ?? null, limit);
  return [...rows].map(readAlarm);
}

/** When the next alarm rings; undefined: never. */
export function findNextAlarmMs(db: Database, { except, onlyFacet }: RingingAlarms): number | undefined {
  const query = `SELECT due_ms FROM alarms WHERE ${IS_RINGING} ORDER BY due_ms LIMIT 1`;
  return findFirst(db.sql.exec<{ due_ms: number }>(query, JSON.stringify(except), onlyFacet ?? null))?.due_ms;
}

function readAlarm(row: AlarmColumns): Alarm {
  const { object, facet, at_ms: atMs, due_ms: dueMs, attempts } = row;
  return { object, facet, atMs, dueMs, attempts };
}
