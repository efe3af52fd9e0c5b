// The app's console inside its own isolate: part of the wrapper (wrapper.ts), so all that is used here is taken from the built-ins before
// the app runs. Each line goes to the supervisor as soon as the code that wrote it pauses, so that what a WebSocket's handler
// says is read while the socket is open; many calls at once wait for each other, so lines that come by the hundred go together. What is
// said at module scope, where nothing can be sent, waits for the next line.
import * as runtime from "cloudflare:workers";
import { MAX_LINE_LENGTH, type LogLevel } from "./log-line.ts";
import { describeThrown } from "./thrown.ts";
import type { TellUncaught } from "./uncaught.ts";

/** One call of the console, or something that was thrown and not caught: then `text` is its name and message. */
export interface ConsoleLine {
  readonly atMs: number;
  readonly level: LogLevel;
  readonly text: string;
  /** V8's stack of what was thrown. */
  readonly stack?: string;
}

/** Sends lines, with how many were left out before them. */
export type SendLines = (lines: readonly ConsoleLine[], droppedCount: number) => Promise<void>;

/** Methods of the console that write a line, with its level. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  log: "info",
  info: "info",
  trace: "info",
  dir: "info",
  table: "info",
  warn: "warn",
  error: "error",
};

/** So many lines go out at once, and as many wait at most. */
const MAX_WAITING = 500;

/** So many calls go out in one window; what comes after them waits for its end. */
const MAX_CALLS = 5;
const WINDOW_MS = 100;

const MAX_DEPTH = 4;
const MAX_ENTRIES = 50;

// oxlint-disable typescript/unbound-method -- as in wrapper.ts: taken from their prototypes while nobody has changed them, and
// applied with Reflect.apply.
const { apply, defineProperty, ownKeys } = Reflect;
const { now } = Date;
const { toISOString } = Date.prototype;
const { isArray } = Array;
const { stringify } = JSON;
const { slice, includes } = String.prototype;
const toText = String;
const schedule = queueMicrotask;
const promise = Promise;
const { then } = Promise.prototype;
const toPromise = Promise.resolve;
const isBuffer = ArrayBuffer.isView;
const wait = scheduler.wait;
const { waitUntil } = runtime;

/** What goes to the log beside the console's own lines. */
export interface Capture {
  /** Sends the lines that wait. Resolves once all are sent that ever will be. */
  readonly flush: () => Promise<void>;
  readonly tellUncaught: TellUncaught;
}

/** Replaces the console's methods. */
export function captureConsole(send: SendLines): Capture {
  let waiting: ConsoleLine[] = [];
  let droppedCount = 0;
  let sent = nothing();
  let isScheduled = false;
  let isWaiting = false;
  let windowMs = 0;
  let callCount = 0;
  const mayCall = (): boolean => {
    if (now() - windowMs >= WINDOW_MS) {
      windowMs = now();
      callCount = 0;
    }
    callCount += 1;
    return callCount <= MAX_CALLS;
  };
  const flushLater = (): void => {
    if (isWaiting) return;
    isWaiting = true;
    const flushed = (): Promise<void> => {
      isWaiting = false;
      return flush();
    };
    sent = apply(then, apply(wait, scheduler, [WINDOW_MS]), [flushed]);
    waitUntil(sent);
  };
  const flush = (): Promise<void> => {
    isScheduled = false;
    if (waiting.length === 0) return sent;
    if (!mayCall()) {
      flushLater();
      return sent;
    }
    isWaiting = false;
    const lines = waiting;
    const dropped = droppedCount;
    waiting = [];
    droppedCount = 0;
    const keep = (): void => {
      // Not sent: there was nothing to send from, as at module scope.
      if (waiting.length + lines.length > MAX_WAITING) droppedCount += lines.length + dropped;
      else {
        droppedCount += dropped;
        waiting = [...lines, ...waiting];
      }
    };
    try {
      // A request of an ordinary Worker may be over before it is sent.
      sent = apply(then, apply(toPromise, promise, [send(lines, dropped)]), [undefined, ignore]);
      waitUntil(sent);
    } catch {
      keep();
    }
    return sent;
  };
  const add = (line: () => ConsoleLine, when?: "later"): void => {
    if (waiting.length >= MAX_WAITING) {
      droppedCount += 1;
      return;
    }
    waiting[waiting.length] = line();
    if (isScheduled || when === "later") return;
    isScheduled = true;
    schedule(() => void flush());
  };
  for (const method of ownKeys(LEVELS)) {
    if (typeof method !== "string") continue;
    const level = LEVELS[method] ?? "info";
    const value = (...values: unknown[]): void => add(() => ({ atMs: now(), level, text: formatLine(values) }));
    defineProperty(console, method, { value, configurable: true, writable: true, enumerable: true });
  }
  const tellUncaught: TellUncaught = (error, when) => {
    const { name, message, stack } = describeThrown(error);
    const text = name === "" ? message : `${name}: ${message}`;
    add(() => ({ atMs: now(), level: "error", text: apply(slice, text, [0, MAX_LINE_LENGTH + 1]), stack }), when);
  };
  return { flush, tellUncaught };
}

async function nothing(): Promise<void> {}

/** A line is said for whoever reads the log: that it could not be sent is nobody's to handle here. */
function ignore(): void {}

/** What a console prints: texts as they are, everything else as one would write it, a space in between. */
function formatLine(values: readonly unknown[]): string {
  let line = "";
  for (let at = 0; at < values.length && line.length < MAX_LINE_LENGTH; at += 1) {
    const value = values[at];
    line += (at === 0 ? "" : " ") + (typeof value === "string" ? value : formatValue(value, 0, []));
  }
  return line.length > MAX_LINE_LENGTH ? apply(slice, line, [0, MAX_LINE_LENGTH + 1]) : line;
}

function formatValue(value: unknown, depth: number, above: readonly object[]): string {
  try {
    if (typeof value === "string") return stringify(value);
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "function") return `[function ${toText(value.name)}]`;
    if (typeof value !== "object" || value === null) return toText(value);
    if (value instanceof Error) return formatError(value, depth, above);
    if (value instanceof Date) return apply(toISOString, value, []);
    for (let at = 0; at < above.length; at += 1) if (above[at] === value) return "[circular]";
    if (depth === MAX_DEPTH) return isArray(value) ? "[…]" : "{…}";
    return formatObject(value, depth + 1, [...above, value]);
  } catch {
    // A getter or a proxy that throws.
    return "[cannot be shown]";
  }
}

function formatError(error: Error, depth: number, above: readonly object[]): string {
  const stack = toText(error.stack);
  const head = `${toText(error.name)}: ${toText(error.message)}`;
  const text = apply(includes, stack, [toText(error.message)]) ? stack : `${head}\n${stack}`;
  return error.cause === undefined || depth >= MAX_DEPTH
    ? text
    : `${text}\ncaused by ${formatValue(error.cause, depth + 1, above)}`;
}

function formatObject(value: object, depth: number, above: readonly object[]): string {
  if (isArray(value)) return formatParts("[", "]", value.length, (at) => formatValue(value[at], depth, above));
  if (isBuffer(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) {
    const entries = Array.from(value);
    return formatParts("Map {", "}", entries.length, (at) => {
      const [key, entry] = entries[at] ?? [];
      return `${formatValue(key, depth, above)} => ${formatValue(entry, depth, above)}`;
    });
  }
  if (value instanceof Set) {
    const values = Array.from(value);
    return formatParts("Set {", "}", values.length, (at) => formatValue(values[at], depth, above));
  }
  const keys = Object.keys(value);
  const kind = value.constructor?.name;
  const head = kind === undefined || kind === "Object" ? "{" : `${toText(kind)} {`;
  return formatParts(head, "}", keys.length, (at) => {
    const key = toText(keys[at]);
    return `${key}: ${formatValue(Reflect.get(value, key), depth, above)}`;
  });
}

function formatParts(open: string, close: string, count: number, part: (at: number) => string): string {
  if (count === 0) return `${open}${close}`;
  let text = open === "[" ? "" : " ";
  for (let at = 0; at < count && at < MAX_ENTRIES; at += 1) text += (at === 0 ? "" : ", ") + part(at);
  if (count > MAX_ENTRIES) text += `, and ${count - MAX_ENTRIES} more`;
  return `${open}${text}${open === "[" ? "" : " "}${close}`;
}
