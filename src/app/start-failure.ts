// Why an app's code does not start: the exception as the app threw it, and where in the pusher's own files.

/** A place in a pushed file, through the source map. */
export interface SourceFrame {
  /** The function that was running, where the stack names one. */
  readonly functionName?: string;
  /** Below the root of the repository. */
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** The text of that line, for the first frames only. */
  readonly lineText?: string;
}

/** What was running when the start failed. */
export type StartPhase = "load" | "module scope" | "constructor" | "export";

/** A start that failed, whether rehearsed or live. */
export interface StartFailure {
  readonly code: "start-failed" | "start-timeout" | "export-missing" | "export-wrong-kind" | "worker-unsupported";
  readonly phase: StartPhase;
  /** A full sentence: what was expected, what came, and the fix where one is known. */
  readonly reason: string;
  /** What the app threw; absent where nothing was thrown. */
  readonly exception?: { readonly name: string; readonly message: string };
  /** The stack through the source map, innermost first; frames outside of the pushed files are left out. */
  readonly frames: readonly SourceFrame[];
}
