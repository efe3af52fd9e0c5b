// The databases of an app's facets: copying and deleting them, whatever for. No other file calls facets.clone or facets.delete, so
// that what belongs to an environment's data is said here alone.
import { findLiveDeploy } from "../store/deploys.ts";
import {
  copyObjects,
  countObjects,
  listObjects,
  removeObject,
  removeObjects,
  type ObjectKey,
} from "../store/objects.ts";
import type { DataFacts, DataReader } from "./data-reader.ts";
import { READING_FACET } from "./environment.ts";
import reader from "./data-reader.generated.json" with { type: "json" };
import type { HostedApp } from "./hosted-app.ts";
import { objectFacet } from "./object-address.ts";

/** The copies are made in one turn, in which no visitor is answered. */
const MAX_COPIED_OBJECTS = 1000;

const EVERY = { limit: Number.MAX_SAFE_INTEGER } as const;

/**
 * Whether an environment has data of its own: something was deployed there. A facet that nothing was deployed to has no database, and
 * there is no asking the runtime.
 */
export function hasData(app: HostedApp, facet: string): boolean {
  return findLiveDeploy(app.db, facet) !== undefined;
}

/** Whether this runtime copies databases by itself. It is not in the documentation of facets, so it may be missing. */
export function canClone(app: HostedApp): boolean {
  return typeof app.ctx.facets.clone === "function";
}

/**
 * Replaces the data of one facet and its objects by that of another, which may be running: the copy is of one moment. A facet that runs on the replaced
 * data is stopped. Where it can clone, the runtime does it in one synchronous call, before this returns.
 */
export async function copyData(app: HostedApp, fromFacet: string, toFacet: string): Promise<void> {
  const count = countObjects(app.db, fromFacet);
  if (count > MAX_COPIED_OBJECTS) {
    throw new Error(
      `${fromFacet} has ${count} Durable Objects, and the data of ${MAX_COPIED_OBJECTS} is the most that is copied together.`,
    );
  }
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

/** Copies one object's data, whose row the caller keeps. */
export function copyObject(
  app: HostedApp,
  object: Omit<ObjectKey, "facet">,
  [from, to]: readonly [string, string],
): void {
  app.ctx.facets.clone(objectFacet(from, object), objectFacet(to, object));
}

/** Copies what an environment has beside its objects. */
export function copyOwnData(app: HostedApp, fromFacet: string, toFacet: string): void {
  app.ctx.facets.clone(fromFacet, toFacet);
}

/** Deletes the data of a facet with that of its objects, and stops them. Where there is none nothing happens. */
export function deleteData(app: HostedApp, facet: string): void {
  for (const object of listObjects(app.db, facet, EVERY)) app.ctx.facets.delete(objectFacet(facet, object));
  removeObjects(app.db, facet);
  app.ctx.facets.delete(facet);
}

/** What a copy of a facet's data, as it is now, says to `work`. The app does not notice. One at a time for each app. */
export function readCopy<T>(app: HostedApp, facet: string, work: (reader: Reader) => Promise<T>): Promise<T> {
  const turn = app.lastReading.then(async () => {
    deleteData(app, READING_FACET);
    copyOwnData(app, facet, READING_FACET);
    try {
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
}

/** What is in a facet's database. The facet must not be running an app, nor begin to before this returns. */
export async function readData(app: HostedApp, facet: string): Promise<DataFacts> {
  const { facets } = app.ctx;
  facets.abort(facet, new Error("This facet's data is read."));
  try {
    return await facets
      .get<DataReader>(facet, () => ({
        class: app.env.LOADER.get(
          `slipway-data-reader/${reader.version}`,
          readerCode,
        ).getDurableObjectClass<DataReader>("DataReader"),
      }))
      .readFacts();
  } finally {
    facets.abort(facet, new Error("This facet's data was read."));
  }
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

/** One isolate reads the facts for all apps: it holds nothing of theirs between two calls. */
function readerCode(): WorkerLoaderWorkerCode {
  return {
    compatibilityDate: "2026-11-02",
    compatibilityFlags: ["nodejs_compat"],
    mainModule: "data-reader.js",
    modules: { "data-reader.js": reader.dataReader },
    globalOutbound: null,
  };
}
