// Production's data, or that of one of its objects, from SQL that was dumped elsewhere. What was there is replaced: for an app that was just
// made, whose own data is what its constructor made of nothing.
import { putObject } from "../store/objects.ts";
import { pause } from "./arrival.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { deleteData, deleteObject, hasData } from "./facet-data.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { objectFacet, type ObjectAddress } from "./object-address.ts";
import { readStopped } from "./stopped-data.ts";
import { measureStopped } from "./stored-data.ts";

/** What became of it. no-data: nothing is deployed that could have data. failed: SQLite's words, or the source's; the app is to go. */
export type DataImport =
  | { readonly kind: "loaded" | "no-data" }
  | { readonly kind: "failed"; readonly message: string };

/** Without `object`: what is beside the objects, and then all objects go. */
export async function replaceData(
  app: HostedApp,
  object: ObjectAddress | undefined,
  source: ReadableStream<Uint8Array>,
): Promise<DataImport> {
  if (findExisting(app) === undefined || !hasData(app, PRODUCTION_FACET)) return { kind: "no-data" };
  return pause(app, app.production, async () => {
    try {
      const database = emptyFacet(app, object);
      await readStopped(app, database, (stub) => stub.loadSql(source));
      await measureStopped(app, app.production, database);
      return { kind: "loaded" };
    } catch (error) {
      return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** The facet to fill, with nothing in it. */
function emptyFacet(app: HostedApp, object: ObjectAddress | undefined): string {
  if (object === undefined) {
    deleteData(app, PRODUCTION_FACET);
    return PRODUCTION_FACET;
  }
  const { className, objectId, name } = object;
  const key = { facet: PRODUCTION_FACET, className, objectId };
  deleteObject(app, key);
  putObject(app.db, { ...key, name }, app.now());
  return objectFacet(PRODUCTION_FACET, object);
}
