// The owner's look at an app's data: SQL, tables, keys and values. Reading is done on a copy, so that it can neither change the data nor
// keep the app from its work; a change is made while the app stands still, after a snapshot, and the app starts again on what it finds.
import { hasData, readCopy, changeData, type Reader } from "./facet-data.ts";
import { pause } from "./arrival.ts";
import { PRODUCTION_FACET, previewFacet } from "./environment.ts";
import { findExisting, runtimeOf, type HostedApp } from "./hosted-app.ts";
import type { KvPage, KvQuestion } from "./kv-list.ts";
import { keepBeforeSql } from "./snapshots.ts";
import type { SqlAnswer, SqlQuestion } from "./sql-query.ts";
import type { DatabaseFacts } from "./table-list.ts";
import { within } from "./time-limit.ts";

/** Which database: "production", or a preview's slug. */
export interface DatabaseChoice {
  readonly environment: string;
}

/** What came of a question; the first three before it was put. */
export type Asked<T> =
  | { readonly kind: "no-app" | "no-data" | "late" }
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

/** `snapshot`: the data of production from just before a change. */
export async function runSql(
  app: HostedApp,
  choice: DatabaseChoice,
  { mayWrite, ...asked }: SqlRequest,
): Promise<Asked<SqlAnswer & { readonly snapshot?: number }>> {
  const question = { ...asked, maxBytes: MAX_ANSWER_BYTES, maxMs: ROWS_LIMIT_MS };
  if (!mayWrite) return ask(app, choice, async (reader) => await reader.askSql(question));
  const facet = findFacet(app, choice);
  if (typeof facet !== "string") return facet;
  return pause(app, runtimeOf(app, facet), async () => {
    const snapshot = facet === PRODUCTION_FACET ? await keepBeforeSql(app) : undefined;
    const answer = await within(
      changeData(app, facet, async (reader) => await reader.changeBySql(question)),
      ANSWER_LIMIT_MS,
    );
    if (answer === "late") return { kind: "late" };
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
  const facet = findFacet(app, choice);
  if (typeof facet !== "string") return facet;
  const answer = await readCopy(app, facet, (reader) => within(put(reader), ANSWER_LIMIT_MS));
  return answer === "late" ? { kind: "late" } : { kind: "answered", answer };
}

function findFacet(app: HostedApp, { environment }: DatabaseChoice): string | { readonly kind: "no-app" | "no-data" } {
  if (findExisting(app) === undefined) return { kind: "no-app" };
  const facet = environment === "production" ? PRODUCTION_FACET : previewFacet(environment);
  return hasData(app, facet) ? facet : { kind: "no-data" };
}
