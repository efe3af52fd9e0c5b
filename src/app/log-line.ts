// A line of an app's log, and the limits of what is kept.

/** How much a line matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Levels, the least first: a filter lets a level and all after it through. */
export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** What a line is of: the app's console, what it threw, a visitor's request, an alarm or cron trigger, or what the host says of the app. */
export type LogKind = "console" | "exception" | "request" | "egress" | "alarm" | "host";

export const LOG_KINDS: readonly LogKind[] = ["console", "exception", "request", "egress", "alarm", "host"];

/** One line. Its text is whatever the app wrote: data, never markup. */
export interface LogLine {
  /** Ascending, without an end: the place in the log. */
  readonly id: number;
  readonly atMs: number;
  /** The environment, as environment.ts has it. */
  readonly facet: string;
  readonly deployNumber: number;
  readonly kind: LogKind;
  readonly level: LogLevel;
  readonly text: string;
}

/** A line before it has a place in the log. */
export type NewLogLine = Omit<LogLine, "id">;

/** Which lines somebody asks for. What is not given lets all through. */
export interface LogFilter {
  readonly facet?: string | undefined;
  readonly deployNumber?: number | undefined;
  readonly kind?: LogKind | undefined;
  /** The least level. */
  readonly level?: LogLevel | undefined;
  /** In the text, whatever its case. */
  readonly text?: string | undefined;
}

/** Longer lines are cut. */
export const MAX_LINE_LENGTH = 8 * 1024;

/** What is kept of an app's log; the oldest lines go first. */
export const KEPT_LOG_BYTES = 1024 * 1024;

/** What an app may log in a second, over ten seconds, beside its quota of lines; the rest is dropped and counted. */
export const BYTES_PER_SECOND = 200 * 1024;
export const BURST_SECONDS = 10;

/** Whether a filter lets a line through. */
export function matchesFilter(line: LogLine, filter: LogFilter): boolean {
  const { facet, deployNumber, kind, level, text } = filter;
  return (
    (facet === undefined || line.facet === facet) &&
    (deployNumber === undefined || line.deployNumber === deployNumber) &&
    (kind === undefined || line.kind === kind) &&
    (level === undefined || LOG_LEVELS.indexOf(line.level) >= LOG_LEVELS.indexOf(level)) &&
    (text === undefined || line.text.toLowerCase().includes(text.toLowerCase()))
  );
}
