// The rehearsal of a deploy: its code starts on a copy of the app's data, without network, before anything of it is visible. Whatever
// comes of it, copy and isolate are gone afterwards. One at a time for each app.
import { getCodeDefinition, getSourceMap, putCode, touchCode, type Code } from "../store/code.ts";
import { isMigrated } from "../store/schema.ts";
import { makeAssetBindings } from "./assets.ts";
import { canClone, copyData, deleteData, hasData } from "./facet-data.ts";
import { startFacet } from "./facet-start.ts";
import { appEnvironmentJson, PRODUCTION_FACET, REHEARSAL_FACET } from "./environment.ts";
import type { HostedApp } from "./hosted-app.ts";
import { makeWorkerCode } from "./loader.ts";
import { explainUnsupportedConfig, type StartFailure } from "./start-failure.ts";
import { schedulePruning } from "./pruning.ts";
import { snapshotFacet } from "./snapshots.ts";
import type { ExportFact } from "./start-report.ts";

/** Code to try: sent along, or stored by an earlier rehearsal and named by its ID. */
export interface Candidate {
  readonly code: Code | { readonly codeId: string };
  /** A JSON object. */
  readonly varsJson: string;
  /** The snapshot whose data it is to run on, in place of the data of now. */
  readonly restoresSnapshot?: number | undefined;
  /** Its assets, which putAssets stored. */
  readonly assetsId?: string | undefined;
}

/** What the candidate is to become, for it to know what it runs as. */
export interface RehearsalTarget {
  readonly facet: string;
  readonly ref: string;
  readonly commitId: string;
}

const PRODUCTION: RehearsalTarget = { facet: PRODUCTION_FACET, ref: "", commitId: "" };

/** What became of a rehearsal. `data`: it ran on a copy of the app's data, or on an empty database where there is none. */
export type RehearsalOutcome =
  | {
      readonly kind: "started";
      readonly data: "copy" | "empty";
      readonly exports: readonly ExportFact[];
      readonly tookMs: number;
    }
  | ({ readonly kind: "failed"; readonly data: "copy" | "empty" } & StartFailure);

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
  const data = await copyDataFor(app, candidate);
  try {
    const envJson = appEnvironmentJson(app.name, target.facet, { ...target, varsJson: candidate.varsJson });
    const bindings = makeAssetBindings(app, candidate.assetsId, { facet: target.facet, deployNumber: 0 });
    const worker = app.env.LOADER.load(makeWorkerCode({ definition: code, envJson, bindings }));
    const start = await startFacet(app, REHEARSAL_FACET, { openWorker: () => worker, readCode: () => code });
    if (start.kind === "failed") return { kind: "failed", data, ...start.failure };
    return { kind: "started", data, exports: start.report.exports, tookMs: app.now() - startedMs };
  } catch (error) {
    // Only `load` throws here: a compatibility date or flag that this runtime does not have.
    return { kind: "failed", data, ...explainUnsupportedConfig(error) };
  } finally {
    deleteData(app, REHEARSAL_FACET);
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

/** Copies what the candidate would run on. The app goes on running meanwhile. */
async function copyDataFor(app: HostedApp, { restoresSnapshot }: Candidate): Promise<"copy" | "empty"> {
  // One that a crash left behind.
  deleteData(app, REHEARSAL_FACET);
  if (!hasData(app, PRODUCTION_FACET) || !canClone(app)) return "empty";
  const source = restoresSnapshot === undefined ? PRODUCTION_FACET : snapshotFacet(restoresSnapshot);
  await copyData(app, source, REHEARSAL_FACET);
  return "copy";
}
