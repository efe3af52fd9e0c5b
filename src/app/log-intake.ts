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
  readonly exceptions: readonly ThrownTrace[];
  readonly cpuMs: number;
  /** Whether a WebSocket that hibernates brought a message. */
  readonly hasMessage: boolean;
}

/** What an app threw, wherever nobody caught it. */
export interface ThrownTrace {
  readonly atMs: number;
  /** Name and message. */
  readonly text: string;
  /** V8's stack, with places in the bundle. */
  readonly stack: string;
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

/**
 * undefined: there is nothing to tell, which is so after nearly every event. `hasUses`: whether messages on WebSockets are to be told, as
 * uses of the environment.
 */
export function readTraces(all: readonly TraceItem[], hasUses: boolean): Traces | undefined {
  const events = all.filter((event) => tellsAnything(event, hasUses) && !isOwnCall(event));
  if (events.length === 0) return undefined;
  const exceptions = events.flatMap((event) =>
    event.exceptions.map(({ timestamp, name, message, stack }) => ({
      atMs: timestamp,
      text: `${name}: ${message}`,
      stack: (stack ?? "").slice(0, MAX_STACK_LENGTH),
    })),
  );
  const ends = events.flatMap((event) => explainEnd(event));
  return {
    exceptions: [...exceptions, ...ends],
    cpuMs: events.reduce((sum, event) => sum + event.cpuTime, 0),
    hasMessage: hasUses && events.some(isMessage),
  };
}

/** Whatever is read of an event is made for it: so what nearly all have in common is asked first. */
function tellsAnything(event: TraceItem, hasUses: boolean): boolean {
  return event.outcome !== "ok" || event.cpuTime > 0 || event.exceptions.length > 0 || (hasUses && isMessage(event));
}

function isMessage({ event }: TraceItem): boolean {
  return event !== null && "getWebSocketEvent" in event && event.getWebSocketEvent.webSocketEventType === "message";
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

function explainEnd({ outcome, eventTimestamp }: TraceItem): ThrownTrace[] {
  const text = ENDS[outcome];
  return text === undefined ? [] : [{ atMs: eventTimestamp ?? Date.now(), text, stack: "" }];
}

function readConsoleLine(value: unknown, nowMs: number): ConsoleLine[] {
  if (typeof value !== "object" || value === null) return [];
  const { atMs, level, text }: { atMs?: unknown; level?: unknown; text?: unknown } = value;
  const known = LOG_LEVELS.find((each) => each === level);
  if (typeof atMs !== "number" || !Number.isFinite(atMs) || known === undefined || typeof text !== "string") return [];
  return [{ atMs: Math.min(nowMs, Math.max(nowMs - MAX_AGE_MS, atMs)), level: known, text }];
}
