// The named objects of an environment as facets of the supervisor: which of them run, how one is started, and their common end in a
// cutover. They run the code of the environment's version, in its isolate, and never beside that of another version.
import {
  clearObjectSockets,
  countObjects,
  findObject,
  listObjectsUsedSince,
  listObjectsWithSockets,
  putObject,
} from "../store/objects.ts";
import { getObjectFacet, openVersionWorker, type Facet } from "./facet-start.ts";
import type { FacetRuntime, HostedApp, Version } from "./hosted-app.ts";
import { objectFacet, parseObjectFacet, type ObjectAddress } from "./object-address.ts";
import { quotasOf } from "./quotas.ts";
import { entryOf } from "./receiver.ts";
import { GOODBYE } from "./start-report.ts";

/** An object that runs is written down as used no more often than this. */
const USE_INTERVAL_MS = 3_600_000;

/** The object's facet, started if it does not run. Throws a sentence for the app's author where there is no such class, or no room. */
export function openObject(
  app: HostedApp,
  runtime: FacetRuntime,
  {
    classes,
    openWorker,
    address,
  }: {
    readonly classes: readonly string[];
    readonly openWorker: () => WorkerStub;
    readonly address: ObjectAddress;
  },
): Facet {
  const { className } = address;
  if (!classes.includes(className)) {
    throw new Error(`This version of the app has no Durable Object class ${className}.`);
  }
  const facet = objectFacet(runtime.facet, address);
  const { name } = noteUse(app, runtime, { ...address, facet });
  return getObjectFacet(app, facet, { ...address, name }, openWorker);
}

/** Its row, written where it is new or was not used for long. */
function noteUse(
  app: HostedApp,
  runtime: FacetRuntime,
  address: ObjectAddress & { readonly facet: string },
): { readonly name: string | undefined } {
  const running = runtime.objects.get(address.facet);
  const nowMs = app.now();
  if (running !== undefined) running.mayHaveGrown = true;
  if (running !== undefined && running.notedAtMs > nowMs - USE_INTERVAL_MS) return running;
  const key = { ...address, facet: runtime.facet };
  const known = findObject(app.db, key);
  if (known === undefined) checkRoom(app, runtime);
  const name = address.name ?? known?.name;
  putObject(app.db, { ...key, name }, nowMs);
  const noted = {
    name,
    notedAtMs: nowMs,
    hasSockets: running?.hasSockets ?? false,
    mayHaveGrown: true,
    measuredAtMs: running?.measuredAtMs ?? 0,
  };
  runtime.objects.set(address.facet, noted);
  return noted;
}

function checkRoom(app: HostedApp, runtime: FacetRuntime): void {
  const limit = quotasOf(app).objects;
  const count = countObjects(app.db, runtime.facet);
  if (count < limit) return;
  throw new Error(
    `This app has ${count} Durable Objects and may have ${limit}, so no new one was made. Its owner deletes some ` +
      `with DELETE /api/v1/apps/${app.name}/objects/<class>/<id>, or raises the quota "objects".`,
  );
}

/** The last call to every object that runs or has WebSockets which hibernate; in `limitMs` each, all at the same time. */
export async function sayGoodbyeToObjects(
  app: HostedApp,
  runtime: FacetRuntime,
  goodbye: {
    readonly version: Version;
    readonly code: number;
    readonly reason: string;
    readonly limitMs: number;
  },
): Promise<void> {
  const { version, code, reason, limitMs } = goodbye;
  const openWorker = (): WorkerStub => openVersionWorker(app, version);
  const classes = entryOf(app, version).objects?.classes ?? [];
  const hibernating = listObjectsWithSockets(app.db, runtime.facet).map((row) => objectFacet(runtime.facet, row));
  const facets = new Set([...runtime.objects.keys(), ...hibernating]);
  const calls = [...facets].map(async (facet) => {
    const address = parseObjectFacet(facet);
    if (address === undefined || !classes.includes(address.className)) return;
    const { name } = runtime.objects.get(facet) ?? {};
    await getObjectFacet(app, facet, { ...address, name }, openWorker)[GOODBYE](code, reason, limitMs);
  });
  const outcomes = await Promise.allSettled(calls);
  const failed = outcomes.filter(({ status }) => status === "rejected").length;
  if (failed > 0) console.warn(`app ${app.name}: ${failed} objects did not close their WebSockets`);
}

/**
 * Stops whatever runs in an environment: the app's own facet and its objects. Their WebSockets are gone with them. Objects outlive an
 * instance of the supervisor, which then knows of them by their rows alone.
 */
export function stopFacets(app: HostedApp, runtime: FacetRuntime, reason: string): void {
  const error = new Error(reason);
  const used = listObjectsUsedSince(app.db, runtime.facet, app.now() - 2 * USE_INTERVAL_MS);
  const objects = new Set([...runtime.objects.keys(), ...used.map((row) => objectFacet(runtime.facet, row))]);
  app.ctx.facets.abort(runtime.facet, error);
  for (const facet of objects) app.ctx.facets.abort(facet, error);
  runtime.objects.clear();
  clearObjectSockets(app.db, runtime.facet);
}
