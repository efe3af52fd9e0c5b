// What comes from an app's isolate, read as a visitor's input is: the app shares the isolate with the wrapper that sends it.
import type { ConsoleLine } from "./console-capture.ts";
import { LOG_LEVELS } from "./log-line.ts";
import { SIZE } from "./start-report.ts";

/** Lines of the console, and how many were left out before them. */
export interface ConsoleLines {
  readonly lines: readonly ConsoleLine[];
  readonly droppedCount: number;
}

/** What the runtime tells of some events together. */
export interface Traces {
  readonly cpuMs: number;
  readonly stops: readonly Stop[];
}

/** The runtime ended an event of the app. */
export interface Stop {
  readonly atMs: number;
  readonly text: string;
}

/** What the wrapper exports for the host beside the app: see wrapper.ts. */
const CONTROL_ENTRYPOINT = "Control";

const MAX_LINES = 600;

/** No line waits longer than this to be sent; what claims to be older, or of the future, is of then and of now. */
const MAX_AGE_MS = 24 * 60 * 60 * 1000;
const MAX_STACK_LENGTH = 10_000;

/** What is not of the shape is left out. */
export function readConsoleLines(lines: unknown, droppedCount: unknown, nowMs: number): ConsoleLines {
  const shown = Array.isArray(lines) ? lines.slice(0, MAX_LINES) : [];
  const read = shown.flatMap((line) => readConsoleLine(line, nowMs));
  const dropped = typeof droppedCount === "number" && droppedCount > 0 && droppedCount < 1e9 ? droppedCount : 0;
  return { lines: read, droppedCount: Math.floor(dropped) };
}

/** undefined: there is nothing to tell. What the app threw is not read here: its isolate tells more of it (uncaught.ts). */
export function readTraces(all: readonly TraceItem[]): Traces | undefined {
  const events = all.filter((event) => (event.cpuTime > 0 || ENDS[event.outcome] !== undefined) && !isOwnCall(event));
  if (events.length === 0) return undefined;
  return {
    cpuMs: events.reduce((sum, event) => sum + event.cpuTime, 0),
    stops: events.flatMap((event) => explainEnd(event)),
  };
}

/**
 * The end of an isolate is the host's doing, and the runtime takes it for a call that hangs. A question for the size would ask for the
 * next one.
 */
function isOwnCall({ entrypoint, event, outcome }: TraceItem): boolean {
  if (entrypoint === CONTROL_ENTRYPOINT) return true;
  return outcome === "ok" && event !== null && "rpcMethod" in event && event.rpcMethod === SIZE;
}

/** Ends that are no exceptions of the app's code: the runtime stopped it. */
const ENDS: Readonly<Record<string, string>> = {
  exceededCpu: "The runtime stopped this request: it took more CPU time than it may.",
  exceededMemory: "The runtime stopped the app: it used more memory than it may.",
};

function explainEnd({ outcome, eventTimestamp }: TraceItem): Stop[] {
  const text = ENDS[outcome];
  return text === undefined ? [] : [{ atMs: eventTimestamp ?? Date.now(), text }];
}

function readConsoleLine(value: unknown, nowMs: number): ConsoleLine[] {
  if (typeof value !== "object" || value === null) return [];
  const { atMs, level, text, stack }: Partial<Record<keyof ConsoleLine, unknown>> = value;
  const known = LOG_LEVELS.find((each) => each === level);
  if (typeof atMs !== "number" || !Number.isFinite(atMs) || known === undefined || typeof text !== "string") return [];
  const line = { atMs: Math.min(nowMs, Math.max(nowMs - MAX_AGE_MS, atMs)), level: known, text };
  return [typeof stack === "string" ? { ...line, stack: stack.slice(0, MAX_STACK_LENGTH) } : line];
}
