// An environment's data, or that of one of its objects, from SQL that was dumped elsewhere. What was there is replaced: for an app that was
// just made, whose own data is what its constructor made of nothing.
import { putObject } from "../store/objects.ts";
import { pause } from "./arrival.ts";
import { scheduleCrons } from "./cron-schedule.ts";
import { deleteData, deleteObject, hasData } from "./facet-data.ts";
import { findExisting, runtimeOf, type HostedApp } from "./hosted-app.ts";
import { objectFacet, type ObjectAddress } from "./object-address.ts";
import { storedClass } from "./receiver.ts";
import { readStopped } from "./stopped-data.ts";
import { measureStopped } from "./stored-data.ts";

/** What became of it. no-data: nothing is deployed that could have data. failed: SQLite's words, or the source's; the app is to go. */
export type DataImport =
  | { readonly kind: "loaded" | "no-data" }
  | { readonly kind: "failed"; readonly message: string };

/** Which database is filled. */
export interface DataTarget {
  /** The environment. */
  readonly facet: string;
  /** undefined: what is beside the objects, and then all objects go. */
  readonly object: ObjectAddress | undefined;
}

/** What runs there is stopped, and starts again when somebody asks for it. */
export async function replaceData(
  app: HostedApp,
  target: DataTarget,
  source: ReadableStream<Uint8Array>,
): Promise<DataImport> {
  if (findExisting(app) === undefined || !hasData(app, target.facet)) return { kind: "no-data" };
  const runtime = runtimeOf(app, target.facet);
  return pause(app, runtime, async () => {
    try {
      const database = emptyFacet(app, target);
      await readStopped(app, database, (stub) => stub.loadSql(source));
      await measureStopped(app, runtime, database);
      // They went with the data.
      if (runtime.live !== undefined) scheduleCrons(app, runtime.live);
      return { kind: "loaded" };
    } catch (error) {
      return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** The facet to fill, with nothing in it. */
function emptyFacet(app: HostedApp, { facet, object }: DataTarget): string {
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
