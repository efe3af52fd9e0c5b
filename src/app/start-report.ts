// What the wrapper inside an app's isolate tells the supervisor. The app shares that isolate and can forge every word of it, so
// the supervisor reads it as it would read a visitor's input.

/** What an export of the entry module is. */
export type ExportKind =
  | "class extends DurableObject"
  | "class extends WorkerEntrypoint"
  | "class"
  | "function"
  | "object with fetch"
  | "object"
  | "value";

/** One export of the entry module. */
export interface ExportFact {
  readonly name: string;
  readonly kind: ExportKind;
}

/** What was thrown, as text. */
export interface ThrownException {
  readonly name: string;
  readonly message: string;
  /** V8's stack, with places in "index.js". */
  readonly stack: string;
}

/** How far an isolate has come. `thrown` and `phase` stand for the first thing that went wrong. */
export interface StartReport {
  readonly exports: readonly ExportFact[];
  readonly phase?: "module scope" | "constructor" | "export";
  readonly thrown?: ThrownException;
}

/** The names that the supervisor calls on the wrapped class. A colon keeps them apart from every method an app would write. */
export const START = "slipway:start";
export const GOODBYE = "slipway:goodbye";
export const PROBE = "slipway:probe";
export const SIZE = "slipway:size";
export const DUMP = "slipway:dump";
export const ALARM = "slipway:alarm";
export const SCHEDULED = "slipway:scheduled";

/** The stubs in `env` that the wrapper takes out before the app is imported. */
export const LOGS_BINDING = "slipway:logs";
export const ALARMS_BINDING = "slipway:alarms";

/** What the app's fetch made of a probe: an answer, with the beginning of its body where it is an error, or what it threw. */
export type ProbeReport =
  | { readonly kind: "answered"; readonly status: number; readonly text: string }
  | { readonly kind: "thrown"; readonly thrown: ThrownException };

const KINDS: Readonly<Record<ExportKind, true>> = {
  "class extends DurableObject": true,
  "class extends WorkerEntrypoint": true,
  class: true,
  function: true,
  "object with fetch": true,
  object: true,
  value: true,
};

const MAX_EXPORTS = 200;
const MAX_NAME_LENGTH = 200;
const MAX_MESSAGE_LENGTH = 2000;
const MAX_STACK_LENGTH = 10_000;

/** The report, cut to bounded lengths; whatever is not of its shape is left out. */
export function readStartReport(value: unknown): StartReport {
  const report: Readonly<Record<string, unknown>> = isRecord(value) ? value : {};
  const exports = Array.isArray(report["exports"]) ? report["exports"].slice(0, MAX_EXPORTS).flatMap(readExport) : [];
  const phase = readPhase(report["phase"]);
  if (phase === undefined) return { exports };
  const thrown = readThrown(report["thrown"]);
  return thrown === undefined ? { exports, phase } : { exports, phase, thrown };
}

/** As readStartReport; undefined: it is not of that shape. */
export function readProbeReport(value: unknown): ProbeReport | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, status, text } = value;
  if (kind === "answered" && typeof status === "number" && typeof text === "string") {
    return { kind, status, text: text.slice(0, MAX_MESSAGE_LENGTH) };
  }
  const thrown = readThrown(value["thrown"]);
  return kind === "thrown" && thrown !== undefined ? { kind, thrown } : undefined;
}

function readExport(value: unknown): ExportFact[] {
  if (!isRecord(value)) return [];
  const { name, kind } = value;
  return typeof name === "string" && isExportKind(kind) ? [{ name: name.slice(0, MAX_NAME_LENGTH), kind }] : [];
}

function readPhase(value: unknown): StartReport["phase"] {
  return value === "module scope" || value === "constructor" || value === "export" ? value : undefined;
}

function readThrown(value: unknown): ThrownException | undefined {
  if (!isRecord(value)) return undefined;
  const { name, message, stack } = value;
  if (typeof name !== "string" || typeof message !== "string" || typeof stack !== "string") return undefined;
  return {
    name: name.slice(0, MAX_NAME_LENGTH),
    message: message.slice(0, MAX_MESSAGE_LENGTH),
    stack: stack.slice(0, MAX_STACK_LENGTH),
  };
}

function isExportKind(value: unknown): value is ExportKind {
  return typeof value === "string" && Object.hasOwn(KINDS, value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
