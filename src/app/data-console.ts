// The owner's look at an app's data: SQL, tables, keys and values. Reading is done on a copy, so that it can neither change the data nor
// keep the app from its work; a change is made while the app stands still, after a snapshot, and the app starts again on what it finds.
import {
  changeData,
  copyToRead,
  hasData,
  measureRunning,
  measureRunningObject,
  readCopy,
  type Reader,
} from "./facet-data.ts";
import { pause } from "./arrival.ts";
import { orTooSlow, type TooSlow } from "./copy-too-slow.ts";
import { PRODUCTION_FACET, previewFacet } from "./environment.ts";
import { findExisting, runtimeOf, type HostedApp } from "./hosted-app.ts";
import { idOfName, objectFacet, parseObjectFacet } from "./object-address.ts";
import { findAlarm } from "../store/alarms.ts";
import { findObject } from "../store/objects.ts";
import type { KvPage, KvQuestion } from "./kv-list.ts";
import { storedClass } from "./receiver.ts";
import { keepBeforeSql } from "./snapshots.ts";
import type { SqlAnswer, SqlQuestion } from "./sql-query.ts";
import { measureStopped } from "./stored-data.ts";
import type { DatabaseFacts } from "./table-list.ts";
import { within } from "../store/time-limit.ts";

/** Which database: that of "production" or of the preview with a slug; there, where one is named, that of an object. */
export interface DatabaseChoice {
  readonly environment: string;
  readonly object?: { readonly className: string; readonly idOrName: string } | undefined;
}

/** What came of a question; the first three before it was put. */
export type Asked<T> =
  | { readonly kind: "no-app" | "no-data" | "late" }
  | TooSlow
  | { readonly kind: "answered"; readonly answer: T };

/** SQL, and whether it may change what it finds. */
export interface SqlRequest extends Omit<SqlQuestion, "maxBytes" | "maxMs"> {
  readonly mayWrite: boolean;
}

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Rows that came until then are answered with. */
const ROWS_LIMIT_MS = 8000;
/** Then the database is taken away from under a step that does not end. */
const ANSWER_LIMIT_MS = 12_000;

const STALL_LIMIT_MS = 30_000;

/** So often a database is copied of which the alarm changes meanwhile. */
const MAX_COPIES = 5;

/** `snapshot`: the data of production from just before a change. */
export async function runSql(
  app: HostedApp,
  choice: DatabaseChoice,
  { mayWrite, ...asked }: SqlRequest,
): Promise<Asked<SqlAnswer & { readonly snapshot?: number }>> {
  const question = { ...asked, maxBytes: MAX_ANSWER_BYTES, maxMs: ROWS_LIMIT_MS };
  if (!mayWrite) return ask(app, choice, async (reader) => await reader.askSql(question));
  const found = findDatabase(app, choice);
  if (found.kind !== "found") return found;
  const { facet, database } = found;
  const runtime = runtimeOf(app, facet);
  return pause(app, runtime, async () => {
    const snapshot = facet === PRODUCTION_FACET ? await keepBeforeSql(app) : undefined;
    const answer = await within(
      changeData(app, database, async (reader) => await reader.changeBySql(question)),
      ANSWER_LIMIT_MS,
    );
    if (answer === "late") return { kind: "late" };
    await measureStopped(app, runtime, database);
    return { kind: "answered", answer: snapshot === undefined ? answer : { ...answer, snapshot: snapshot.id } };
  });
}

export function readDatabase(app: HostedApp, choice: DatabaseChoice): Promise<Asked<DatabaseFacts>> {
  return ask(app, choice, async (reader) => await reader.describeDatabase());
}

export function readKv(app: HostedApp, choice: DatabaseChoice, question: KvQuestion): Promise<Asked<KvPage>> {
  return ask(app, choice, async (reader) => await reader.listKv(question));
}

async function ask<T>(app: HostedApp, choice: DatabaseChoice, put: (reader: Reader) => Promise<T>): Promise<Asked<T>> {
  const found = findDatabase(app, choice);
  if (found.kind !== "found") return found;
  const answered = readCopy(app, found.database, async (reader): Promise<Asked<T>> => {
    const answer = await within(put(reader), ANSWER_LIMIT_MS);
    return answer === "late" ? { kind: "late" } : { kind: "answered", answer };
  });
  return orTooSlow(answered);
}

/** The environment's facet, and the one whose database it is. */
interface FoundDatabase {
  readonly facet: string;
  readonly database: string;
}

type Found = { readonly kind: "no-app" | "no-data" } | ({ readonly kind: "found" } & FoundDatabase);

function findDatabase(app: HostedApp, { environment, object }: DatabaseChoice): Found {
  if (findExisting(app) === undefined) return { kind: "no-app" };
  const facet = environment === "production" ? PRODUCTION_FACET : previewFacet(environment);
  if (!hasData(app, facet)) return { kind: "no-data" };
  if (object === undefined) return { kind: "found", facet, database: facet };
  const { idOrName } = object;
  const className = storedClass(app, facet, object.className);
  for (const objectId of [idOrName, idOfName(idOrName)]) {
    const key = { facet, className, objectId };
    if (findObject(app.db, key) !== undefined) return { kind: "found", facet, database: objectFacet(facet, key) };
  }
  return { kind: "no-data" };
}

/** A database as SQL. */
export interface Dump {
  readonly sql: ReadableStream<Uint8Array>;
  /** The pending alarm of whose database it is. */
  readonly alarmAtMs: number | null;
}

/**
 * The whole database, of the moment in which this is called. The copy that is read goes when the reader is at its end, hangs up,
 * or takes nothing for STALL_LIMIT_MS; other questions wait for it.
 */
export async function dumpDatabase(app: HostedApp, choice: DatabaseChoice): Promise<Asked<Dump>> {
  const found = findDatabase(app, choice);
  if (found.kind !== "found") return found;
  return orTooSlow(sendDump(app, found));
}

/** A dump of which is known how long it is. */
export interface MeasuredDump extends Dump {
  readonly sizeBytes: number;
}

/** The same, written twice: once to see how long it becomes. */
export async function measureDump(app: HostedApp, choice: DatabaseChoice): Promise<Asked<MeasuredDump>> {
  const found = findDatabase(app, choice);
  if (found.kind !== "found") return found;
  let sizeBytes = 0;
  const measure = async (reader: Reader): Promise<void> => {
    for await (const piece of await reader.dumpSql()) sizeBytes += piece.byteLength;
  };
  const sent = await orTooSlow(sendDump(app, found, measure));
  return sent.kind === "answered" ? { kind: "answered", answer: { sizeBytes, ...sent.answer } } : sent;
}

/** A copy of a database as SQL, once that is made and `prepare` has read it. */
async function sendDump(
  app: HostedApp,
  found: FoundDatabase,
  prepare: (reader: Reader) => Promise<void> = async () => undefined,
): Promise<{ readonly kind: "answered"; readonly answer: Dump }> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const ready = Promise.withResolvers<void>();
  let alarmAtMs: number | null = null;
  const work = async (reader: Reader): Promise<void> => {
    await prepare(reader);
    ready.resolve();
    await writeDump(reader, writer);
  };
  const sent = readCopy(app, found.database, work, async () => {
    alarmAtMs = await copyWithAlarm(app, found);
  });
  const ended = sent.catch((error: unknown) => {
    ready.reject(error);
    return writer.abort(error).catch(() => undefined);
  });
  app.ctx.waitUntil(ended);
  await ready.promise;
  return { kind: "answered", answer: { sql: readable, alarmAtMs } };
}

/**
 * The alarm that goes with the copy. What an app stores is there a moment before the alarm that it sets along with it, so that this is
 * waited for; an alarm that changed is of the copy, or of what came after it. Rather one too many in the end than one that is lost.
 */
async function copyWithAlarm(app: HostedApp, { facet, database }: FoundDatabase): Promise<number | null> {
  for (let copies = 1; ; copies += 1) {
    // oxlint-disable-next-line no-await-in-loop -- until nothing comes in between
    await copyToRead(app, database);
    const copied = findAlarm(app.db, database)?.atMs;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await settleAlarm(app, { facet, database });
    const settled = findAlarm(app.db, database)?.atMs;
    if (settled === copied || copies === MAX_COPIES) return settled ?? copied ?? null;
  }
}

/** What runs says how large it is once the alarms that it set are on disk. */
async function settleAlarm(app: HostedApp, { facet, database }: FoundDatabase): Promise<void> {
  const address = parseObjectFacet(database);
  if (address === undefined) await measureRunning(app, facet);
  const object = address && findObject(app.db, address);
  if (object !== undefined && runtimeOf(app, facet).objects.has(database)) await measureRunningObject(app, object);
}

async function writeDump(reader: Reader, writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  for await (const piece of await reader.dumpSql()) {
    const outcome = await within(writer.write(piece), STALL_LIMIT_MS);
    if (outcome === "late") throw new Error("The dump is not read.");
  }
  await writer.close();
}
