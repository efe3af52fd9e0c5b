// Why an app's code does not start: the exception as the app threw it, and where in the pusher's own files.
import type { ErrorCode } from "../errors.ts";
import { CopyTooSlow } from "./copy-too-slow.ts";
import { explainMissingClass, type ExportProblem } from "./entry-export.ts";
import { mapStack, type SourceFrame } from "./source-maps.ts";
import type { StartReport } from "./start-report.ts";

/** What was running when the start failed; "load" is before anything of the app ran, "probe" a request after it started. */
export type StartPhase = "load" | "module scope" | "constructor" | "export" | "probe";

/** A start that failed, whether rehearsed or live. */
export interface StartFailure {
  readonly code:
    | ExportProblem["code"]
    | Extract<
        ErrorCode,
        | "start-failed"
        | "start-timeout"
        | "config-unsupported"
        | "restore-failed"
        | "copy-too-slow"
        | "probe-failed"
        | "secrets-unavailable"
        | "storage-full"
      >;
  readonly phase: StartPhase;
  /** Sentences: what was expected, what came, and the fix where one is known. */
  readonly reason: string;
  /** What the app threw; absent where nothing was thrown. */
  readonly exception?: { readonly name: string; readonly message: string };
  /** The stack through the source map, innermost first; frames outside of the pushed files are left out. */
  readonly frames: readonly SourceFrame[];
}

/** The code whose start failed. */
export interface FailedCode {
  readonly className: string;
  readonly sourceMap: string;
}

/** The failure in a wrapper's report; undefined if the report tells of none. */
export function explainReport(report: StartReport, code: FailedCode): StartFailure | undefined {
  if (report.phase === undefined) return undefined;
  if (report.phase === "export") return explainExports(explainMissingClass(report.exports, code.className));
  const place = report.phase === "constructor" ? `The constructor of ${code.className}` : "The module scope";
  if (report.thrown === undefined) {
    return { code: "start-failed", phase: report.phase, reason: `${place} threw.`, frames: [] };
  }
  const { name, message, stack } = report.thrown;
  return {
    code: "start-failed",
    phase: report.phase,
    reason: `${place} threw ${name === "" ? message : `${name}: ${message}`}`,
    exception: { name, message },
    frames: mapStack(stack, code.sourceMap),
  };
}

/** Exports among which there is no class to start. */
export function explainExports(problem: ExportProblem): StartFailure {
  return { ...problem, phase: "export", frames: [] };
}

/** A start that took longer than it may. */
export function explainTimeout(className: string, limitMs: number): StartFailure {
  const reason =
    `${className} did not start within ${limitMs / 1000} s. ` +
    `Its constructor, with what it waits for in blockConcurrencyWhile, must end by then.`;
  return { code: "start-timeout", phase: "constructor", reason, frames: [] };
}

/** Code that the runtime does not take: before its first line ran. */
export function explainLoadError(error: unknown): StartFailure {
  const text = error instanceof Error ? error.message : String(error);
  return { code: "start-failed", phase: "load", reason: `The runtime does not load this code: ${text}`, frames: [] };
}

/** Data that the code was to start on and that could not be copied for it. */
export function explainCopyError(error: unknown): StartFailure {
  if (error instanceof CopyTooSlow) return { code: error.code, phase: "load", reason: error.message, frames: [] };
  const text = error instanceof Error ? error.message : String(error);
  return { code: "restore-failed", phase: "load", reason: `The data could not be copied: ${text}`, frames: [] };
}

/** More data than anything may run on. */
export function explainTooFull({
  usedBytes,
  limitBytes,
}: {
  readonly usedBytes: number;
  readonly limitBytes: number;
}): StartFailure {
  const reason = `The data has ${usedBytes} bytes of the ${limitBytes} that it may have, so nothing runs on it.`;
  return { code: "storage-full", phase: "load", reason, frames: [] };
}

/** A compatibility date or flag that the runtime does not have. */
export function explainUnsupportedConfig(error: unknown): StartFailure {
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: "config-unsupported",
    phase: "load",
    reason: `The runtime does not take this configuration: ${text}`,
    frames: [],
  };
}
