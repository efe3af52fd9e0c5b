// The databases of an app's facets: copying, reading and deleting them, whatever for. No other file calls facets.clone or facets.delete,
// so that what belongs to an environment's data is said here alone.
import { removeAlarm, removeAlarmsOf } from "../store/alarms.ts";
import { removeCronsOf } from "../store/crons.ts";
import { findLiveDeploy } from "../store/deploys.ts";
import {
  copyObjects,
  countObjects,
  listObjects,
  removeObject,
  removeObjects,
  type NamedObject,
  type ObjectKey,
} from "../store/objects.ts";
import type { DataFacts, DataReader } from "./data-reader.ts";
import { READING_FACET } from "./environment.ts";
import { fillDatabase, readEnvironment } from "./data-copy.ts";
import { getFacet, getObjectFacet, openVersionWorker, type Facet } from "./facet-start.ts";
import { runtimeOf, type HostedApp, type Version } from "./hosted-app.ts";
import { objectFacet } from "./object-address.ts";
import { entryOf, isWorker } from "./receiver.ts";
import { SIZE } from "./start-report.ts";
import { readerCode, readStopped } from "./stopped-data.ts";
import { within } from "../store/time-limit.ts";

/** The copies are made in one turn, in which no visitor is answered. */
const MAX_COPIED_OBJECTS = 1000;

/** An app that is busy is not waited for longer, to hear how large its data is. */
const SIZE_LIMIT_MS = 1000;

const EVERY = { limit: Number.MAX_SAFE_INTEGER } as const;

/**
 * Whether an environment has data of its own: something was deployed there. A facet that nothing was deployed to has no database, and
 * there is no asking the runtime.
 */
export function hasData(app: HostedApp, facet: string): boolean {
  return findLiveDeploy(app.db, facet) !== undefined;
}

/** It is not in the documentation of facets, so it may be missing. Then databases are read out and filled: see data-copy.ts. */
function canClone(app: HostedApp): boolean {
  return typeof app.ctx.facets.clone === "function";
}

/**
 * Replaces the data of one facet and its objects by that of another, which may be running: where the runtime copies databases, all of it
 * is of one moment, else each database is. What runs on the replaced data is stopped; nothing may start on it before this returns. Not
 * for use within an arrival of the facet that is copied: see copyStoppedData.
 * @throws CopyTooSlow where the runtime does not, and an app that runs has too much data to be read out
 */
export async function copyData(app: HostedApp, fromFacet: string, toFacet: string): Promise<void> {
  if (canClone(app)) cloneData(app, fromFacet, toFacet);
  else await readEnvironment(app, fromFacet, (version) => fillData(app, [fromFacet, toFacet], version));
}

/** The same for a facet on which nothing runs, nor can begin to before this returns. */
export async function copyStoppedData(app: HostedApp, fromFacet: string, toFacet: string): Promise<void> {
  if (canClone(app)) cloneData(app, fromFacet, toFacet);
  else await fillData(app, [fromFacet, toFacet], undefined);
}

function cloneData(app: HostedApp, fromFacet: string, toFacet: string): void {
  checkObjectCount(app, fromFacet);
  for (const object of listObjects(app.db, toFacet, EVERY)) app.ctx.facets.delete(objectFacet(toFacet, object));
  app.ctx.facets.clone(fromFacet, toFacet);
  for (const object of listObjects(app.db, fromFacet, EVERY)) {
    app.ctx.facets.clone(objectFacet(fromFacet, object), objectFacet(toFacet, object));
  }
  app.db.transaction(() => {
    removeObjects(app.db, toFacet);
    copyObjects(app.db, fromFacet, toFacet);
  });
}

/** `version`: what runs there, or is started for it. undefined: nothing may run there. All of the data is there afterwards, or none. */
async function fillData(
  app: HostedApp,
  [fromFacet, toFacet]: readonly [string, string],
  version: Version | undefined,
): Promise<void> {
  checkObjectCount(app, fromFacet);
  deleteDatabases(app, toFacet);
  // The rows first: what has no row is deleted by nobody.
  copyObjects(app.db, fromFacet, toFacet);
  try {
    await fillDatabase(app, [fromFacet, toFacet], openOwn(app, version));
    for (const object of listObjects(app.db, toFacet, EVERY)) {
      const facets = [objectFacet(fromFacet, object), objectFacet(toFacet, object)] as const;
      // oxlint-disable-next-line no-await-in-loop -- one database at a time is in memory
      await fillDatabase(app, facets, openObject(app, version, { ...object, facet: fromFacet }));
    }
  } catch (error) {
    deleteDatabases(app, toFacet);
    throw error;
  }
}

/** The class that runs on what an environment has beside its objects. */
function openOwn(app: HostedApp, version: Version | undefined): Facet | undefined {
  if (version === undefined || isWorker(app, version)) return undefined;
  return getFacet(app, version.facet, () => openVersionWorker(app, version));
}

/** undefined: the version has no class for it, so that nothing opens it. */
function openObject(app: HostedApp, version: Version | undefined, object: NamedObject): Facet | undefined {
  if (version === undefined || entryOf(app, version).objects?.classes.includes(object.className) !== true)
    return undefined;
  return getObjectFacet(app, objectFacet(object.facet, object), object, () => openVersionWorker(app, version));
}

function checkObjectCount(app: HostedApp, facet: string): void {
  const count = countObjects(app.db, facet);
  if (count <= MAX_COPIED_OBJECTS) return;
  throw new Error(
    `${facet} has ${count} Durable Objects, and the data of ${MAX_COPIED_OBJECTS} is the most that is copied together.`,
  );
}

/** Copies one object's data to another facet, where it has a row and no data. */
export async function copyObject(
  app: HostedApp,
  object: NamedObject,
  [from, to]: readonly [string, string],
): Promise<void> {
  const facets = [objectFacet(from, object), objectFacet(to, object)] as const;
  if (canClone(app)) app.ctx.facets.clone(...facets);
  else {
    const source = { ...object, facet: from };
    await readEnvironment(app, from, (version) => fillDatabase(app, facets, openObject(app, version, source)));
  }
}

/** Copies what an environment has beside its objects to a facet that has nothing. */
export async function copyOwnData(app: HostedApp, fromFacet: string, toFacet: string): Promise<void> {
  if (canClone(app)) app.ctx.facets.clone(fromFacet, toFacet);
  else {
    await readEnvironment(app, fromFacet, (version) => fillDatabase(app, [fromFacet, toFacet], openOwn(app, version)));
  }
}

/** How large an environment's own data is, if it runs and says so. */
export async function measureRunning(app: HostedApp, facet: string): Promise<number | undefined> {
  return askSize(openOwn(app, runtimeOf(app, facet).running));
}

/** The same for one of its objects. */
export async function measureRunningObject(app: HostedApp, object: NamedObject): Promise<number | undefined> {
  return askSize(openObject(app, runtimeOf(app, object.facet).running, object));
}

async function askSize(open: Facet | undefined): Promise<number | undefined> {
  if (open === undefined) return undefined;
  const ask = async (): Promise<unknown> => await open[SIZE]();
  const answer = await within(ask(), SIZE_LIMIT_MS).catch(() => undefined);
  // An app that forges it fools itself.
  return typeof answer === "number" && answer >= 0 ? answer : undefined;
}

/** Deletes the data of a facet with that of its objects, alarms included, and stops them. Where there is none nothing happens. */
export function deleteData(app: HostedApp, facet: string): void {
  removeAlarmsOf(app.db, facet);
  removeCronsOf(app.db, facet);
  deleteDatabases(app, facet);
}

function deleteDatabases(app: HostedApp, facet: string): void {
  for (const object of listObjects(app.db, facet, EVERY)) app.ctx.facets.delete(objectFacet(facet, object));
  removeObjects(app.db, facet);
  app.ctx.facets.delete(facet);
}

/** Only for readCopy, and who gives it another way to copy. */
export function copyToRead(app: HostedApp, facet: string): Promise<void> {
  deleteData(app, READING_FACET);
  return copyOwnData(app, facet, READING_FACET);
}

/** What a copy of a facet's data, as it is now, says to `work`. The app does not notice. One at a time for each app. */
export function readCopy<T>(
  app: HostedApp,
  facet: string,
  work: (reader: Reader) => Promise<T>,
  copy = copyToRead,
): Promise<T> {
  const turn = app.lastReading.then(async () => {
    try {
      await copy(app, facet);
      return await work(openData(app, READING_FACET));
    } finally {
      deleteData(app, READING_FACET);
    }
  });
  app.lastReading = turn.catch(() => undefined);
  return turn;
}

/** Opens a facet's own database to `work`. The facet must not be running an app, nor begin to before this returns. */
export async function changeData<T>(app: HostedApp, facet: string, work: (reader: Reader) => Promise<T>): Promise<T> {
  const { facets } = app.ctx;
  facets.abort(facet, new Error("This facet's data is changed."));
  try {
    return await work(openData(app, facet));
  } finally {
    facets.abort(facet, new Error("This facet's data was changed."));
  }
}

/** The class as another isolate reaches it. */
export type Reader = Fetcher<DataReader>;

/** An isolate for this call alone, which what the owner asks may bring down. */
function openData(app: HostedApp, facet: string): Reader {
  const worker = app.env.LOADER.load({ ...readerCode(), limits: { cpuMs: 10_000 } });
  return app.ctx.facets.get<DataReader>(facet, () => ({
    class: worker.getDurableObjectClass<DataReader>("DataReader"),
  }));
}

/** Deletes one object for good, and stops it. */
export function deleteObject(app: HostedApp, object: ObjectKey): void {
  app.ctx.facets.delete(objectFacet(object.facet, object));
  removeObject(app.db, object);
  removeAlarm(app.db, objectFacet(object.facet, object));
}

/** What is in a facet's database. The facet must not be running an app, nor begin to before this returns. */
export function readData(app: HostedApp, facet: string): Promise<DataFacts> {
  return readStopped(app, facet, (stub) => stub.readFacts());
}

/** How many objects are opened to see how large they are. */
const MAX_MEASURED_OBJECTS = 20;

/** The size of a facet's data with that of its objects, none of which may run. Of many objects some are measured, for all. */
export async function measureData(app: HostedApp, facet: string): Promise<number> {
  const own = await readData(app, facet);
  const measured = listObjects(app.db, facet, { limit: MAX_MEASURED_OBJECTS });
  let bytes = 0;
  for (const object of measured) {
    // oxlint-disable-next-line no-await-in-loop -- one database open at a time
    bytes += (await readData(app, objectFacet(facet, object))).sizeBytes;
  }
  const share = measured.length === 0 ? 0 : countObjects(app.db, facet) / measured.length;
  return own.sizeBytes + Math.round(bytes * share);
}
