// Which export of an app receives its requests: a class App, else a default export with fetch (an ordinary Worker), else the one class
// that its wrangler configuration binds.
import { type CodeDefinition, exportOf, type ObjectClasses, WORKER_ENTRY } from "../store/code.ts";
import { explainMissingObjectClass, explainNoEntry } from "./entry-export.ts";
import { makeWorkerCode, readReport } from "./loader.ts";
import { MAX_CLASS_NAME_LENGTH } from "./object-address.ts";
import {
  explainExports,
  explainLoadError,
  explainReport,
  explainUnsupportedConfig,
  type StartFailure,
} from "./start-failure.ts";
import type { ExportFact, StartReport } from "./start-report.ts";

/** A bundle as far as its exports matter. */
export interface EntryCandidate extends Omit<CodeDefinition, "className" | "objects"> {
  /** Names of the entry module's exports. */
  readonly exports: readonly string[];
  /** Classes that the wrangler configuration binds, and under which names in `env`. */
  readonly objectBindings: ObjectClasses["bindings"];
  /** Under which names objects are stored, by class, where that is another. */
  readonly storedNames: Readonly<Record<string, string>>;
  readonly sourceMap: string;
}

/** The export and the classes of objects, or why there is none. The notes are lines for the pusher about what is not used. */
export type EntryClass =
  | {
      readonly kind: "found";
      /** WORKER_ENTRY where the default export receives the requests. */
      readonly className: string;
      readonly objects?: ObjectClasses;
      readonly notes: readonly string[];
    }
  | ({ readonly kind: "failed" } & StartFailure);

/** What an inspection is asked for: nothing exports this name, so nothing is started. */
const NO_CLASS = "";

/**
 * Chooses by names where they suffice. Else the code runs up to its exports, in an isolate of its own without network, because
 * only running code knows what a default export is.
 */
export async function chooseEntryClass(bundle: EntryCandidate, loader: WorkerLoader): Promise<EntryClass> {
  const boundClasses = [...new Set(bundle.objectBindings.map(({ className }) => className))];
  const [boundClass, secondBoundClass] = boundClasses;
  const hasDefault = bundle.exports.includes("default");
  if (bundle.exports.includes("App")) return found("App", bundle, []);
  const isTheOneBound =
    boundClass !== undefined && secondBoundClass === undefined && bundle.exports.includes(boundClass);
  if (isTheOneBound && !hasDefault) return found(boundClass, bundle, []);

  const inspection = await inspectExports(bundle, loader);
  if (inspection.kind === "failed") return inspection;
  const { exports } = inspection.report;
  const defaultKind = exports.find((fact) => fact.name === "default")?.kind;
  if (defaultKind === "object with fetch" || defaultKind === "class extends WorkerEntrypoint") {
    // A bound class may be written in the way from before there was a DurableObject to extend.
    const isObjectClass = ({ name, kind }: ExportFact): boolean =>
      kind === "class extends DurableObject" || (kind === "class" && boundClasses.includes(name));
    const classes = exports.filter(isObjectClass).map((fact) => fact.name);
    const missing = boundClasses.find((className) => !classes.includes(className));
    if (missing !== undefined) {
      return { kind: "failed", ...explainExports(explainMissingObjectClass(exports, missing)) };
    }
    return found(WORKER_ENTRY, bundle, classes);
  }
  if (isTheOneBound) {
    const entry = found(boundClass, bundle, []);
    return {
      ...entry,
      notes: [`The default export is not used: ${boundClass} receives the requests.`, ...entry.notes],
    };
  }
  return { kind: "failed", ...explainExports(explainNoEntry(exports, describeBindings(boundClasses, bundle))) };
}

/** The entry with the classes of objects: those that are bound, and more that ctx.exports is to have. */
function found(
  className: string,
  { exports, objectBindings, storedNames }: EntryCandidate,
  moreClasses: readonly string[],
): EntryClass & { readonly kind: "found" } {
  const bindings = objectBindings.filter((binding) => exports.includes(binding.className));
  const bound = bindings.map((binding) => binding.className);
  const classes = [...new Set([...bound, ...moreClasses])].filter((name) => isClassName(name)).toSorted();
  const notes = objectBindings
    .filter((binding) => !classes.includes(binding.className))
    .map(({ name, className: missing }) => `env.${name} is not there: the entry module exports no class ${missing}.`);
  if (classes.length === 0) return { kind: "found", className, notes };
  const usable = bindings.filter((binding) => classes.includes(binding.className));
  return { kind: "found", className, objects: storeAs(storedNames, { classes, bindings: usable }), notes };
}

/** The classes by the names that their objects are stored under. */
function storeAs(storedNames: EntryCandidate["storedNames"], { classes, bindings }: ObjectClasses): ObjectClasses {
  const nameOf = (className: string): string =>
    Object.hasOwn(storedNames, className) ? (storedNames[className] ?? className) : className;
  const renamed = classes.filter((className) => nameOf(className) !== className);
  if (renamed.length === 0) return { classes, bindings };
  return {
    classes: classes.map(nameOf).toSorted(),
    bindings: bindings.map((binding) => ({ ...binding, className: nameOf(binding.className) })),
    exports: Object.fromEntries(renamed.map((className) => [nameOf(className), className])),
  };
}

/** What the app itself calls the classes of its objects. */
export function listExports(objects: ObjectClasses | undefined): readonly string[] {
  return (objects?.classes ?? []).map((className) => exportOf(objects, className)).toSorted();
}

/** Whether an entry is the default export of an ordinary Worker. */
export function isWorkerEntry(className: string): boolean {
  return className === WORKER_ENTRY;
}

/** It becomes part of a program and of a facet's name. */
function isClassName(name: string): boolean {
  return name !== "default" && name.length <= MAX_CLASS_NAME_LENGTH && /^[A-Za-z_$][\w$]*$/.test(name);
}

function describeBindings(boundClasses: readonly string[], { exports }: EntryCandidate): string {
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
