// The rehearsal of a deploy: its code starts on a copy of the app's data, without network, before anything of it is visible. Whatever
// comes of it, copy and isolate are gone afterwards. One at a time for each app.
import { getCodeDefinition, getSourceMap, putCode, touchCode, WORKER_ENTRY, type Code } from "../store/code.ts";
import { findNewestObject, putObject } from "../store/objects.ts";
import { getRetention } from "../store/retention.ts";
import { isMigrated } from "../store/schema.ts";
import { findSnapshot, listSnapshots } from "../store/snapshots.ts";
import { makeAssetBindings } from "./assets.ts";
import { CopyTooSlow } from "./copy-too-slow.ts";
import { copyObject, copyOwnData, deleteData, hasData, measureRunning } from "./facet-data.ts";
import {
  appEnvironmentJson,
  environmentLabel,
  isEnvironment,
  PRODUCTION_FACET,
  REHEARSAL_FACET,
} from "./environment.ts";
import type { HostedApp } from "./hosted-app.ts";
import { makeWorkerCode } from "./loader.ts";
import { branchOf, facetOfBranch, type DataChoice } from "./preview-commit.ts";
import { explainUnsupportedConfig, type StartFailure } from "./start-failure.ts";
import type { ProbeFact } from "./probe.ts";
import { startRehearsed } from "./rehearsed-start.ts";
import { schedulePruning } from "./pruning.ts";
import { snapshotFacet } from "./snapshots.ts";
import type { ExportFact } from "./start-report.ts";
import { findUnreadable, openVariables } from "./variables.ts";

/** Code to try: sent along, or stored by an earlier rehearsal and named by its ID. */
export interface Candidate {
  readonly code: Code | { readonly codeId: string };
  /** A JSON object. */
  readonly varsJson: string;
  /** The snapshot whose data it is to run on, in place of the data of now. */
  readonly restoresSnapshot?: number | undefined;
  /** Its assets, which putAssets stored. */
  readonly assetsId?: string | undefined;
  /** The configuration that it is to run with. */
  readonly envId?: string | undefined;
  /** The path that it has to answer. */
  readonly probe?: string | undefined;
}

/** What the candidate is to become, for it to know what it runs as. */
export interface RehearsalTarget {
  readonly ref: string;
  readonly commitId: string;
  /** The branch's preview, on that data. undefined: production. */
  readonly preview?: { readonly data?: DataChoice | undefined } | undefined;
}

const PRODUCTION: RehearsalTarget = { ref: "", commitId: "" };

/** A copy of the app's data, or an empty database where there is none. none: a Worker without any. */
type RehearsedData = "copy" | "empty" | "none";

/** What became of a rehearsal. */
export type RehearsalOutcome =
  | {
      readonly kind: "started";
      readonly data: RehearsedData;
      readonly exports: readonly ExportFact[];
      readonly probe?: ProbeFact;
      /** What constructor and probe changed in the schema, a few words each; see schema-change.ts. */
      readonly schemaChanges: readonly string[];
      /** Set where the data was too large to be copied. */
      readonly tooLargeBytes?: number;
      readonly tookMs: number;
    }
  | ({ readonly kind: "failed"; readonly data: RehearsedData } & StartFailure);

/** Stores the candidate's code, for the commit to name, and tries it. */
export function rehearse(
  app: HostedApp,
  candidate: Candidate,
  target: RehearsalTarget = PRODUCTION,
): Promise<RehearsalOutcome> {
  const turn = app.lastRehearsal.then(() => tryCandidate(app, candidate, target));
  app.lastRehearsal = turn.catch(() => undefined);
  return turn;
}

async function tryCandidate(app: HostedApp, candidate: Candidate, target: RehearsalTarget): Promise<RehearsalOutcome> {
  const startedMs = app.now();
  const code = storeCode(app, candidate);
  const facet = target.preview === undefined ? PRODUCTION_FACET : facetOfBranch(app, branchOf(target.ref) ?? "");
  const source = sourceOf(app, facet, { candidate, target });
  const { data, tooLargeBytes } = await copyDataFrom(app, source, { candidate, code });
  try {
    const worker = loadCandidate(app, { code, candidate, target, facet });
    if (worker.kind === "failed") return { ...worker, data };
    app.rehearsed = { worker: worker.stub, classes: code.objects?.classes ?? [] };
    const origin = `http://${environmentLabel(app.name, facet)}.${app.env.HOST}`;
    const probe = candidate.probe === undefined ? undefined : { origin, path: candidate.probe };
    const { stub, secrets } = worker;
    const start = await startRehearsed(app, { code, worker: stub, secrets, isCopy: data === "copy", probe });
    if (start.kind === "failed") return { kind: "failed", data, ...start.failure };
    const limits = tooLargeBytes === undefined ? {} : { tooLargeBytes };
    return { ...start, data, tookMs: app.now() - startedMs, ...limits };
  } finally {
    app.rehearsed = undefined;
    deleteData(app, REHEARSAL_FACET);
  }
}

/** An isolate that nobody else gets. It throws only for a compatibility date or flag that this runtime does not have. */
function loadCandidate(
  app: HostedApp,
  tried: {
    readonly code: Code;
    readonly candidate: Candidate;
    readonly target: RehearsalTarget;
    readonly facet: string;
  },
):
  | { readonly kind: "loaded"; readonly stub: WorkerStub; readonly secrets: readonly string[] }
  | ({ readonly kind: "failed" } & StartFailure) {
  const { code, candidate, target, facet } = tried;
  const envJson = appEnvironmentJson(app.name, facet, { ...target, varsJson: candidate.varsJson });
  const bindings = makeAssetBindings(app, candidate.assetsId, { facet, deployNumber: 0 });
  const unreadable = findUnreadable(app, candidate.envId, facet);
  if (unreadable !== undefined) return { kind: "failed", ...unreadable };
  const { values: variables, secrets } = openVariables(app, candidate.envId, facet);
  try {
    const props = { app: app.name, facet: REHEARSAL_FACET, deployNumber: 0 };
    const objects = code.objects === undefined ? {} : { objects: app.ctx.exports.Objects({ props }) };
    const parts = { definition: code, envJson, variables, bindings, ...objects };
    return { kind: "loaded", stub: app.env.LOADER.load(makeWorkerCode(parts)), secrets };
  } catch (error) {
    return { kind: "failed", ...explainUnsupportedConfig(error) };
  }
}

/** The code, whole and stored. Used now, so it is not pruned before the commit. */
function storeCode(app: HostedApp, { code }: Candidate): Code {
  if (!isMigrated(app.db)) throw new Error(`${app.name} was deleted while a push to it was under way.`);
  schedulePruning(app);
  if ("modules" in code) {
    putCode(app.db, code, app.now());
    return code;
  }
  const { codeId } = code;
  touchCode(app.db, codeId, app.now());
  return { ...getCodeDefinition(app.db, codeId), codeId, sourceMap: getSourceMap(app.db, codeId) };
}

/** The facet whose data the candidate would run on, if any. A preview without data of its own begins with production's. */
function sourceOf(
  app: HostedApp,
  facet: string,
  { candidate, target }: { readonly candidate: Candidate; readonly target: RehearsalTarget },
): string | undefined {
  const choice = target.preview?.data ?? "keep";
  if (choice === "empty") return undefined;
  if (choice === "keep" && facet !== PRODUCTION_FACET && hasData(app, facet)) return facet;
  if (!hasData(app, PRODUCTION_FACET)) return undefined;
  return candidate.restoresSnapshot === undefined ? PRODUCTION_FACET : snapshotFacet(candidate.restoresSnapshot);
}

/** Copies what the candidate would run on. The app goes on running meanwhile: data that is too large would keep visitors waiting. */
async function copyDataFrom(
  app: HostedApp,
  source: string | undefined,
  { candidate: { restoresSnapshot }, code }: { readonly candidate: Candidate; readonly code: Code },
): Promise<{ readonly data: RehearsedData; readonly tooLargeBytes?: number }> {
  // One that a crash left behind.
  deleteData(app, REHEARSAL_FACET);
  const isWorker = code.className === WORKER_ENTRY;
  const classes = code.objects?.classes ?? [];
  if (isWorker && classes.length === 0) return { data: "none" };
  if (source === undefined) return { data: "empty" };
  const sizeBytes = await measureSource(app, source, restoresSnapshot);
  if (sizeBytes > getRetention(app.db).rehearsedBytes) return { data: "empty", tooLargeBytes: sizeBytes };
  const objects = classes.flatMap((className) => findNewestObject(app.db, source, className) ?? []);
  try {
    if (!isWorker) await copyOwnData(app, source, REHEARSAL_FACET);
    for (const object of objects) {
      putObject(app.db, { ...object, facet: REHEARSAL_FACET }, app.now());
      // oxlint-disable-next-line no-await-in-loop -- one for each class
      await copyObject(app, object, [source, REHEARSAL_FACET]);
    }
  } catch (error) {
    deleteData(app, REHEARSAL_FACET);
    if (!(error instanceof CopyTooSlow)) throw error;
    return { data: "empty", tooLargeBytes: error.sizeBytes };
  }
  return { data: isWorker && objects.length === 0 ? "empty" : "copy" };
}

/** What does not run cannot say how large its data is; then it was about as large at production's last snapshot. */
async function measureSource(app: HostedApp, source: string, restoresSnapshot: number | undefined): Promise<number> {
  if (restoresSnapshot !== undefined) return findSnapshot(app.db, restoresSnapshot)?.sizeBytes ?? 0;
  const [newest] = listSnapshots(app.db);
  // The objects' part is known from the snapshot only.
  const running = isEnvironment(source) ? ((await measureRunning(app, source)) ?? 0) : 0;
  return Math.max(running, newest?.sizeBytes ?? 0);
}
