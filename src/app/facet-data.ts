// The databases of an app's facets: copying and deleting them, whatever for. No other file calls facets.clone or facets.delete, so
// that what belongs to an environment's data is said here alone.
import { findLiveDeploy } from "../store/deploys.ts";
import type { DataFacts, DataReader } from "./data-reader.ts";
import { READING_FACET } from "./environment.ts";
import reader from "./data-reader.generated.json" with { type: "json" };
import type { HostedApp } from "./hosted-app.ts";

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
 * Replaces the data of one facet by that of another, which may be running: the copy is of one moment. A facet that runs on the replaced
 * data is stopped. Where it can clone, the runtime does it in one synchronous call, before this returns.
 */
export async function copyData(app: HostedApp, fromFacet: string, toFacet: string): Promise<void> {
  app.ctx.facets.clone(fromFacet, toFacet);
}

/** Deletes the data of a facet and stops it. Where there is none nothing happens. */
export function deleteData(app: HostedApp, facet: string): void {
  app.ctx.facets.delete(facet);
}

/** What a copy of a facet's data, as it is now, says to `work`. The app does not notice. One at a time for each app. */
export function readCopy<T>(app: HostedApp, facet: string, work: (reader: Reader) => Promise<T>): Promise<T> {
  const turn = app.lastReading.then(async () => {
    deleteData(app, READING_FACET);
    await copyData(app, facet, READING_FACET);
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
