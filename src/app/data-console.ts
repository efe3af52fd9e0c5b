// The owner's look at an app's data: SQL, tables, keys and values. Reading is done on a copy, so that it can neither change the data nor
// keep the app from its work; a change is made while the app stands still, after a snapshot, and the app starts again on what it finds.
import { hasData, readCopy, changeData, type Reader } from "./facet-data.ts";
import { pause } from "./arrival.ts";
import { orTooSlow, type TooSlow } from "./copy-too-slow.ts";
import { PRODUCTION_FACET, previewFacet } from "./environment.ts";
import { findExisting, runtimeOf, type HostedApp } from "./hosted-app.ts";
import { idOfName, objectFacet } from "./object-address.ts";
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

type Found =
  | { readonly kind: "no-app" | "no-data" }
  /** The environment's facet, and the one whose database it is. */
  | { readonly kind: "found"; readonly facet: string; readonly database: string };

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

/**
 * The whole database as SQL, of the moment in which this is called. The copy that is read goes when the reader is at its end, hangs up,
 * or takes nothing for STALL_LIMIT_MS; other questions wait for it.
 */
export async function dumpDatabase(app: HostedApp, choice: DatabaseChoice): Promise<Asked<ReadableStream<Uint8Array>>> {
  const found = findDatabase(app, choice);
  if (found.kind !== "found") return found;
  return orTooSlow(sendCopy(app, found.database, sendDump));
}

/** A dump of which is known how long it is. */
export interface MeasuredDump {
  readonly sizeBytes: number;
  readonly sql: ReadableStream<Uint8Array>;
}

/** The same, written twice: once to see how long it becomes. */
export async function measureDump(app: HostedApp, choice: DatabaseChoice): Promise<Asked<MeasuredDump>> {
  const found = findDatabase(app, choice);
  if (found.kind !== "found") return found;
  let sizeBytes = 0;
  const measure = async (reader: Reader): Promise<void> => {
    for await (const piece of await reader.dumpSql()) sizeBytes += piece.byteLength;
  };
  const sent = await orTooSlow(sendCopy(app, found.database, sendDump, measure));
  return sent.kind === "answered" ? { kind: "answered", answer: { sizeBytes, sql: sent.answer } } : sent;
}

/** What `send` writes of a copy of a database, once that is made and `prepare` has read it. */
async function sendCopy(
  app: HostedApp,
  database: string,
  send: (reader: Reader, writer: WritableStreamDefaultWriter<Uint8Array>) => Promise<void>,
  prepare: (reader: Reader) => Promise<void> = async () => undefined,
): Promise<{ readonly kind: "answered"; readonly answer: ReadableStream<Uint8Array> }> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const ready = Promise.withResolvers<void>();
  const sent = readCopy(app, database, async (reader) => {
    await prepare(reader);
    ready.resolve();
    await send(reader, writer);
  });
  const ended = sent.catch((error: unknown) => {
    ready.reject(error);
    return writer.abort(error).catch(() => undefined);
  });
  app.ctx.waitUntil(ended);
  await ready.promise;
  return { kind: "answered", answer: readable };
}

async function sendDump(reader: Reader, writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  for await (const piece of await reader.dumpSql()) {
    const outcome = await within(writer.write(piece), STALL_LIMIT_MS);
    if (outcome === "late") throw new Error("The dump is not read.");
  }
  await writer.close();
}
