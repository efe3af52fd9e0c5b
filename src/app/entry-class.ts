// Which export of an app receives its requests: a class App, else a default export with fetch (an ordinary Worker), else the one class
// that its wrangler configuration binds.
import type { CodeDefinition } from "../store/code.ts";
import { explainNoEntry, explainOrdinaryWorker } from "./entry-export.ts";
import { makeWorkerCode, readReport } from "./loader.ts";
import {
  explainExports,
  explainLoadError,
  explainReport,
  explainUnsupportedConfig,
  type StartFailure,
} from "./start-failure.ts";
import type { StartReport } from "./start-report.ts";

/** A bundle as far as its exports matter. */
export interface EntryCandidate extends Omit<CodeDefinition, "className"> {
  /** Names of the entry module's exports. */
  readonly exports: readonly string[];
  /** Classes that the wrangler configuration binds. */
  readonly boundClasses: readonly string[];
  readonly sourceMap: string;
}

/** The class, or why there is none. The notes are lines for the pusher about what is exported but not used. */
export type EntryClass =
  | { readonly kind: "found"; readonly className: string; readonly notes: readonly string[] }
  | ({ readonly kind: "failed" } & StartFailure);

/** What an inspection is asked for: nothing exports this name, so nothing is started. */
const NO_CLASS = "";

/**
 * Chooses by names where they suffice. Else the code runs up to its exports, in an isolate of its own without network, because
 * only running code knows what a default export is.
 */
export async function chooseEntryClass(bundle: EntryCandidate, loader: WorkerLoader): Promise<EntryClass> {
  const [boundClass, secondBoundClass] = bundle.boundClasses;
  const hasDefault = bundle.exports.includes("default");
  if (bundle.exports.includes("App")) return { kind: "found", className: "App", notes: [] };
  const isTheOneBound =
    boundClass !== undefined && secondBoundClass === undefined && bundle.exports.includes(boundClass);
  if (isTheOneBound && !hasDefault) return { kind: "found", className: boundClass, notes: [] };

  const inspection = await inspectExports(bundle, loader);
  if (inspection.kind === "failed") return inspection;
  const { exports } = inspection.report;
  const defaultKind = exports.find((fact) => fact.name === "default")?.kind;
  if (defaultKind === "object with fetch" || defaultKind === "class extends WorkerEntrypoint") {
    return { kind: "failed", ...explainExports(explainOrdinaryWorker(exports)) };
  }
  if (isTheOneBound) {
    return {
      kind: "found",
      className: boundClass,
      notes: [`The default export is not used: ${boundClass} receives the requests.`],
    };
  }
  return { kind: "failed", ...explainExports(explainNoEntry(exports, describeBindings(bundle))) };
}

function describeBindings({ boundClasses, exports }: EntryCandidate): string {
  if (boundClasses.length > 1)
    return `The wrangler configuration binds ${boundClasses.join(" and ")}, so none is the one that receives requests.`;
  const [boundClass] = boundClasses;
  if (boundClass === undefined || exports.includes(boundClass)) return "No export can receive requests.";
  return `The wrangler configuration binds ${boundClass}, which the entry module does not export.`;
}

async function inspectExports(
  bundle: EntryCandidate,
  loader: WorkerLoader,
): Promise<{ kind: "inspected"; report: StartReport } | ({ kind: "failed" } & StartFailure)> {
  let worker: WorkerStub;
  try {
    worker = loader.load(makeWorkerCode({ definition: { ...bundle, className: NO_CLASS }, envJson: "{}" }));
  } catch (error) {
    return { kind: "failed", ...explainUnsupportedConfig(error) };
  }
  try {
    const report = await readReport(worker);
    if (report.phase !== "module scope") return { kind: "inspected", report };
    const failure = explainReport(report, { className: NO_CLASS, sourceMap: bundle.sourceMap });
    return { kind: "failed", ...(failure ?? explainLoadError("its module scope threw")) };
  } catch (error) {
    return { kind: "failed", ...explainLoadError(error) };
  }
}
