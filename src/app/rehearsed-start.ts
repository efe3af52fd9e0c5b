// What starts in a rehearsal: the class or the Worker that receives the requests, and one object of each other class, on whatever data the
// rehearsal's facets have. Then the probe, if the app names one.
import { exportOf, WORKER_ENTRY, type Code } from "../store/code.ts";
import { findObject, listObjects, putObject } from "../store/objects.ts";
import { REHEARSAL_FACET } from "./environment.ts";
import { readData } from "./facet-data.ts";
import { getFacet, startFacet, startWorker, type Start } from "./facet-start.ts";
import type { HostedApp } from "./hosted-app.ts";
import { getProbed } from "./loader.ts";
import { idOfName, objectFacet, type ObjectAddress } from "./object-address.ts";
import { probe, type ProbeFact, type ProbeOutcome } from "./probe.ts";
import { describeSchemaChanges } from "./schema-change.ts";
import { maskFailure } from "./secret-mask.ts";
import type { FailedCode, StartFailure } from "./start-failure.ts";
import { PROBE, type ExportFact } from "./start-report.ts";

/** Code in an isolate of its own, ready to start. */
export interface Rehearsed {
  readonly code: Code;
  readonly worker: WorkerStub;
  readonly secrets: readonly string[];
  /** Whether its facets have a copy of data. */
  readonly isCopy: boolean;
  readonly probe: { readonly origin: string; readonly path: string } | undefined;
}

/** What the start came to. */
export type RehearsedStart =
  | {
      readonly kind: "started";
      readonly exports: readonly ExportFact[];
      readonly schemaChanges: readonly string[];
      readonly probe?: ProbeFact;
    }
  | { readonly kind: "failed"; readonly failure: StartFailure };

/** Starts all of it, one after the other: they share an isolate, whose report says why one failed. */
export async function startRehearsed(app: HostedApp, rehearsed: Rehearsed): Promise<RehearsedStart> {
  const { code } = rehearsed;
  if (code.className !== WORKER_ENTRY) {
    const entry = await startClass(app, rehearsed, { className: code.className, isProbed: true });
    if (entry.kind === "failed") return entry;
    const objects = await startObjects(app, rehearsed);
    if (objects.kind === "failed") return objects;
    return { ...entry, schemaChanges: [...entry.schemaChanges, ...objects.schemaChanges] };
  }
  const { worker, secrets } = rehearsed;
  const start = await startWorker({ openWorker: () => worker, readCode: readCode(code, WORKER_ENTRY), secrets });
  if (start.kind === "failed") return start;
  const objects = await startObjects(app, rehearsed);
  if (objects.kind === "failed") return objects;
  const probed = await probeIt(app, rehearsed, (url) => getProbed(worker)[PROBE](url));
  if (probed?.kind === "failed") return { kind: "failed", failure: maskFailure(probed.failure, secrets) };
  return { ...objects, exports: start.report.exports, ...(probed && { probe: probed.fact }) };
}

async function startObjects(app: HostedApp, rehearsed: Rehearsed): Promise<RehearsedStart> {
  const { code } = rehearsed;
  const schemaChanges: string[] = [];
  for (const className of code.objects?.classes ?? []) {
    if (exportOf(code.objects, className) === code.className) continue;
    const [copied] = listObjects(app.db, REHEARSAL_FACET, { className, limit: 1 });
    const address = copied ?? { className, objectId: idOfName(EXAMPLE_NAME), name: EXAMPLE_NAME };
    // oxlint-disable-next-line no-await-in-loop -- see startRehearsed
    const start = await startClass(app, rehearsed, { className, address, isProbed: false });
    if (start.kind === "failed") return start;
    schemaChanges.push(...start.schemaChanges);
  }
  return { kind: "started", exports: [], schemaChanges };
}

/** What an object is called that is made for the rehearsal, of a class that has none yet. */
const EXAMPLE_NAME = "rehearsal";

async function startClass(
  app: HostedApp,
  rehearsed: Rehearsed,
  of: { readonly className: string; readonly address?: ObjectAddress; readonly isProbed: boolean },
): Promise<RehearsedStart> {
  const { code, worker, secrets, isCopy } = rehearsed;
  const { className, address } = of;
  const facet = address === undefined ? REHEARSAL_FACET : objectFacet(REHEARSAL_FACET, address);
  const key = address && { ...address, name: address.name, facet: REHEARSAL_FACET };
  const hasCopy = isCopy && (key === undefined || findObject(app.db, key) !== undefined);
  const before = hasCopy ? (await readData(app, facet)).schema : [];
  if (key !== undefined) putObject(app.db, key, app.now());
  const openWorker = (): WorkerStub => worker;
  const input = { openWorker, readCode: readCode(code, exportOf(code.objects, className)), secrets, address };
  const start: Start = await startFacet(app, facet, input);
  if (start.kind === "failed") return start;
  const ask = (url: string): Promise<unknown> => getFacet(app, facet, openWorker)[PROBE](url);
  const probed = of.isProbed ? await probeIt(app, rehearsed, ask) : undefined;
  if (probed?.kind === "failed") return { kind: "failed", failure: maskFailure(probed.failure, secrets) };
  // The app's code is stopped for it: what it says of its own schema is not what is there.
  const after = hasCopy ? (await readData(app, facet)).schema : [];
  const schemaChanges = describeSchemaChanges(before, after);
  return { kind: "started", exports: start.report.exports, schemaChanges, ...(probed && { probe: probed.fact }) };
}

function readCode(code: Code, className: string): () => FailedCode {
  return () => ({ className, sourceMap: code.sourceMap });
}

async function probeIt(
  app: HostedApp,
  { code, probe: asked }: Rehearsed,
  ask: (url: string) => Promise<unknown>,
): Promise<ProbeOutcome | undefined> {
  if (asked === undefined) return undefined;
  return probe({ ...asked, ask, readCode: readCode(code, code.className), now: app.now });
}
