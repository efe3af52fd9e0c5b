// How much an environment stores, its objects included, against its quota databaseBytes. SQLite's own limit on pages is closed to the code
// in a facet, and nothing else reads a database that runs: so the app's isolate is asked, and one that forges its answers stores more.
import { noteObjectSize, noteOwnSize, sumSizes } from "../store/data-sizes.ts";
import { findObject } from "../store/objects.ts";
import { findEnvironment } from "../store/previews.ts";
import { isMigrated } from "../store/schema.ts";
import { measureRunning, measureRunningObject, readData } from "./facet-data.ts";
import { runtimeOf, type FacetRuntime, type HostedApp, type RunningObject } from "./hosted-app.ts";
import { scheduleReport } from "./metrics-report.ts";
import { parseObjectFacet } from "./object-address.ts";
import { quotasOf } from "./quotas.ts";

/** What an environment stores, and what it may store. */
export interface StoredData {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** Beyond the limit requests still read and delete; beyond this many times the limit nothing runs. */
const STOP_AT = 1.1;

/** Methods that are not meant to add anything. */
const ADDS_NOTHING: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "DELETE"]);

/** So many objects are asked at once; the others the next time. */
const MAX_ASKED_OBJECTS = 100;

/** Who has WebSockets may grow by messages, of which the supervisor hears nothing. Being asked wakes it. */
const ASK_SOCKETS_AFTER_MS = 60_000;

/** As last measured. */
export function storedBy(app: HostedApp, runtime: FacetRuntime): StoredData {
  runtime.storedBytes ??= isMigrated(app.db) ? sumSizes(app.db, runtime.facet) : 0;
  return { usedBytes: runtime.storedBytes, limitBytes: quotasOf(app).databaseBytes };
}

/** Whether a request may go to the app. It reads no database but for the first. */
export function hasRoomFor(app: HostedApp, runtime: FacetRuntime, { method, headers }: Request): boolean {
  if (runtime.live === undefined) return true;
  const { usedBytes, limitBytes } = storedBy(app, runtime);
  if (usedBytes <= limitBytes) return true;
  // What comes over a WebSocket is not seen.
  return usedBytes <= limitBytes * STOP_AT && ADDS_NOTHING.has(method) && !headers.has("upgrade");
}

/** Whether so much is stored that the environment is not to run. A deploy that never ran is started all the same: it may delete. */
export function isTooFull(app: HostedApp, runtime: FacetRuntime): boolean {
  const { usedBytes, limitBytes } = storedBy(app, runtime);
  // What is to start on other data is measured then.
  return usedBytes > limitBytes * STOP_AT && findEnvironment(app.db, runtime.facet)?.pendingData === undefined;
}

/** Where a deploy is live, for its report. */
export function measureFacet(app: HostedApp, facet: string): Promise<StoredData> {
  return measureStored(app, runtimeOf(app, facet));
}

/** Asks what runs. What does not run has not grown. */
export async function measureStored(app: HostedApp, runtime: FacetRuntime): Promise<StoredData> {
  runtime.measuredAtMs = app.now();
  const own = await measureRunning(app, runtime.facet);
  // The app may have been deleted meanwhile.
  if (!isMigrated(app.db)) return storedBy(app, runtime);
  if (own !== undefined) noteOwnSize(app.db, runtime.facet, own);
  const asked = [...runtime.objects].filter(([, object]) => isToBeAsked(app, object)).slice(0, MAX_ASKED_OBJECTS);
  await Promise.all(asked.map(([facet, object]) => measureObject(app, facet, object)));
  runtime.storedBytes = undefined;
  return storedBy(app, runtime);
}

function isToBeAsked(app: HostedApp, { mayHaveGrown, hasSockets, measuredAtMs }: RunningObject): boolean {
  return mayHaveGrown || (hasSockets && app.now() - measuredAtMs > ASK_SOCKETS_AFTER_MS);
}

async function measureObject(app: HostedApp, facet: string, running: RunningObject): Promise<void> {
  running.mayHaveGrown = false;
  running.measuredAtMs = app.now();
  const address = parseObjectFacet(facet);
  const object = address && findObject(app.db, address);
  const sizeBytes = object && (await measureRunningObject(app, object));
  if (object === undefined || sizeBytes === undefined || !isMigrated(app.db)) return;
  noteObjectSize(app.db, object, sizeBytes);
}

/** Of a database that the host changed while nothing ran there. */
export async function measureStopped(app: HostedApp, runtime: FacetRuntime, database: string): Promise<void> {
  const { sizeBytes } = await readData(app, database);
  const object = parseObjectFacet(database);
  if (object === undefined) noteOwnSize(app.db, database, sizeBytes);
  else noteObjectSize(app.db, object, sizeBytes);
  runtime.storedBytes = undefined;
  scheduleReport(app);
}
