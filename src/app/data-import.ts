// The databases of an environment, from SQL that was dumped elsewhere: for an app that was just made, whose own data is what its constructor
// made of nothing. From the first database to the last nothing of the environment runs, so that no code ever meets half of its data.
import { RpcTarget } from "cloudflare:workers";
import { putObject } from "../store/objects.ts";
import { replaceAppAlarms, type KeptAlarm } from "./app-alarms.ts";
import { pause } from "./arrival.ts";
import { scheduleCrons } from "./cron-schedule.ts";
import { undoCreation } from "./deletion.ts";
import { deleteData, deleteObject, hasData } from "./facet-data.ts";
import { findExisting, runtimeOf, type FacetRuntime, type HostedApp } from "./hosted-app.ts";
import { objectFacet, type ObjectAddress } from "./object-address.ts";
import { storedClass } from "./receiver.ts";
import { readStopped } from "./stopped-data.ts";
import { measureStopped } from "./stored-data.ts";

/** What became of a database. failed: SQLite's words, or the source's; the app is to go. */
export type DataImport = { readonly kind: "loaded" } | { readonly kind: "failed"; readonly message: string };

/** Stops what runs in the environment until it is filled. undefined: nothing is deployed there that could have data. */
export async function beginFilling(app: HostedApp, facet: string): Promise<Filling | undefined> {
  if (findExisting(app) === undefined || !hasData(app, facet)) return undefined;
  const runtime = runtimeOf(app, facet);
  const stopped = Promise.withResolvers<void>();
  const filled = Promise.withResolvers<void>();
  const started = pause(app, runtime, () => {
    stopped.resolve();
    return filled.promise;
  });
  await Promise.race([stopped.promise, started]);
  const end = (): Promise<void> => {
    filled.resolve();
    return started;
  };
  return new Filling(app, runtime, end);
}

/** The caller's hold on an environment that is filled. Let go before `finish`, also where the caller dies, the app goes. */
export class Filling extends RpcTarget {
  readonly #app: HostedApp;
  readonly #runtime: FacetRuntime;
  readonly #end: () => Promise<void>;
  #isFinished = false;

  constructor(app: HostedApp, runtime: FacetRuntime, end: () => Promise<void>) {
    super();
    this.#app = app;
    this.#runtime = runtime;
    this.#end = end;
  }

  /** Replaces a database. Without an object: what is beside the objects, and then all objects go. */
  async load(object: ObjectAddress | undefined, source: ReadableStream<Uint8Array>): Promise<DataImport> {
    try {
      const database = emptyFacet(this.#app, this.#runtime.facet, object);
      await readStopped(this.#app, database, (stub) => stub.loadSql(source));
      await measureStopped(this.#app, this.#runtime, database);
      return { kind: "loaded" };
    } catch (error) {
      return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The environment has these alarms, of which one whose time is over rings now, and starts on its data. */
  async finish(alarms: readonly KeptAlarm[]): Promise<void> {
    replaceAppAlarms(this.#app, this.#runtime.facet, alarms);
    // They went with the data.
    if (this.#runtime.live !== undefined) scheduleCrons(this.#app, this.#runtime.live);
    this.#isFinished = true;
    await this.#end();
  }

  [Symbol.dispose](): void {
    if (this.#isFinished) return;
    // First, so that nothing starts on what is there.
    this.#app.ctx.waitUntil(undoCreation(this.#app));
    this.#app.ctx.waitUntil(this.#end());
  }
}

/** The facet to fill, with nothing in it. */
function emptyFacet(app: HostedApp, facet: string, object: ObjectAddress | undefined): string {
  if (object === undefined) {
    deleteData(app, facet);
    return facet;
  }
  const { objectId, name } = object;
  const key = { facet, className: storedClass(app, facet, object.className), objectId };
  deleteObject(app, key);
  putObject(app.db, { ...key, name }, app.now());
  return objectFacet(facet, key);
}
