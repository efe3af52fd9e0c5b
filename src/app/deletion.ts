// Deleting an app: data, packs and name. The decision is one row; the rest is taken away step by step, each of which may be repeated,
// so that a crash in between is made good by the alarm. Meanwhile the app answers as one that does not exist.
import { assetKeyPrefix } from "../store/asset-objects.ts";
import { findDueTask, putDueTask } from "../store/due.ts";
import { isMigrated } from "../store/schema.ts";
import { packKeyPrefix } from "../store/pack-store.ts";
import { listEnvironments } from "../store/previews.ts";
import { findRepository, markDeleting } from "../store/settings.ts";
import { deleteData } from "./facet-data.ts";
import { openVersionWorker } from "./facet-start.ts";
import { PRODUCTION_FACET, READING_FACET, REHEARSAL_FACET } from "./environment.ts";
import { openFacetRuntime, type HostedApp, type Version } from "./hosted-app.ts";
import { endIsolate } from "./loader.ts";
import { stopFacets } from "./object-facets.ts";
import { backupFacet } from "./preview-data.ts";
import { setNextAlarm } from "./schedule.ts";
import { deleteSnapshots } from "./snapshots.ts";

/** The alarm goes on with a deletion that did not come to its end. */
const RETRY_AFTER_MS = 30_000;

/** Data, packs and name; once it returns all are gone. Also of an app that does not exist. Callers at the same time join. */
export function destroy(app: HostedApp): Promise<void> {
  // Whoever makes an app of this name next is somebody else.
  return takeAwayOnce(app, () => app.env.DIRECTORY.getByName("directory").revokeAppTokens(app.name));
}

/**
 * The same for an app that came to nothing while it was made: tokens for its name were there before it and stay, so that whoever has one
 * may try again. Where it is cut short, what ends it later is `destroy`.
 */
export function undoCreation(app: HostedApp): Promise<void> {
  return takeAwayOnce(app, () => Promise.resolve());
}

function takeAwayOnce(app: HostedApp, endTokens: () => Promise<void>): Promise<void> {
  app.deletion ??= takeAway(app, endTokens).finally(() => {
    app.deletion = undefined;
  });
  return app.deletion;
}

async function takeAway(app: HostedApp, endTokens: () => Promise<void>): Promise<void> {
  const repository = isMigrated(app.db) ? findRepository(app.db) : undefined;
  if (repository === undefined) return;
  app.db.transaction(() => {
    markDeleting(app.db);
    const due = findDueTask(app.db, "delete");
    if (due === undefined || due.atMs > app.now() + RETRY_AFTER_MS) {
      putDueTask(app.db, { task: "delete", atMs: app.now() + RETRY_AFTER_MS, attempts: 0 });
    }
  });
  setNextAlarm(app);
  for (const version of await stopServing(app)) app.ctx.waitUntil(endIsolate(openVersionWorker(app, version)));
  await endTokens();
  await eraseStorage(app, repository.repositoryId);
}

/** No request gets to the app from here on, and nothing starts it again. Returns what was stopped; the isolates are still there. */
export async function stopServing(app: HostedApp): Promise<readonly Version[]> {
  const runtimes = [app.production, ...app.environments.values()];
  const running = runtimes.flatMap((runtime) => runtime.running ?? []);
  for (const runtime of runtimes) {
    runtime.live = undefined;
    runtime.running = undefined;
  }
  app.production = openFacetRuntime(PRODUCTION_FACET);
  app.environments.clear();
  // What is starting is not to be deleted under its own feet.
  await Promise.all(runtimes.flatMap(({ arrival }) => arrival ?? []));
  await app.lastRehearsal;
  await app.lastReading;
  for (const runtime of runtimes) {
    for (const end of runtime.eventStreams) end();
    stopFacets(app, runtime, "This app was deleted.");
  }
  return running;
}

/** Every trace of the app: its databases, its files in R2, its name in the directory, and last what says that it is to be erased. */
export async function eraseStorage(app: HostedApp, repositoryId: string): Promise<void> {
  deleteData(app, REHEARSAL_FACET);
  deleteData(app, READING_FACET);
  deleteSnapshots(app);
  deleteData(app, PRODUCTION_FACET);
  for (const { facet } of listEnvironments(app.db)) {
    deleteData(app, facet);
    deleteData(app, backupFacet(facet));
  }
  await deletePrefix(app.env.BUCKET, packKeyPrefix(repositoryId));
  await deletePrefix(app.env.BUCKET, assetKeyPrefix(repositoryId));
  await app.env.DIRECTORY.getByName("directory").remove(app.name);
  await app.ctx.storage.deleteAlarm();
  await app.ctx.storage.deleteAll();
}

/** A page at a time: R2 lists and deletes at most 1,000 keys at once. */
async function deletePrefix(bucket: R2Bucket, prefix: string): Promise<void> {
  for (;;) {
    const page = await bucket.list({ prefix, limit: 1000 });
    if (page.objects.length > 0) await bucket.delete(page.objects.map((object) => object.key));
    if (!page.truncated) return;
  }
}
