// What a supervisor remembers of an app's doings until it is written down: see activity.ts.
import type { UsageRow } from "../store/usage.ts";
import type { LogLine } from "./log-line.ts";

/** Somebody who reads the log as it grows. */
export type LogFollower = (line: LogLine) => void;

/** What a visitor's request came to. */
export interface ServedRequest {
  /** When it was answered. */
  readonly atMs: number;
  readonly facet: string;
  readonly deployNumber: number;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly tookMs: number;
}

/** In the memory of one supervisor instance. */
export interface Activity {
  /** Neither counted nor logged yet. */
  requests: ServedRequest[];
  /** Not written yet. */
  lines: LogLine[];
  lineBytes: number;
  /** Not written yet, by day, environment and deploy. */
  readonly usage: Map<string, { -readonly [Name in keyof UsageRow]: UsageRow[Name] }>;
  /** undefined: the database was not asked yet. */
  lastId: number | undefined;
  /** Whether a write is to come. */
  isScheduled: boolean;
  /** What may be logged now, in lines and bytes, and as of when. */
  readonly allowance: { lines: number; bytes: number; atMs: number };
  /** Dropped since the log last said so. */
  droppedCount: number;
  readonly followers: Set<LogFollower>;
  /** What the app's isolates told of as thrown, the newest last; bounded. */
  readonly thrown: string[];
}

export function openActivity(): Activity {
  return {
    requests: [],
    lines: [],
    lineBytes: 0,
    usage: new Map(),
    lastId: undefined,
    isScheduled: false,
    allowance: { lines: 0, bytes: 0, atMs: 0 },
    droppedCount: 0,
    followers: new Set(),
    thrown: [],
  };
}
