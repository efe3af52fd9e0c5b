// An app's log as its owner reads it, and the doors by which lines come into it.
import { listLogBatches } from "../store/logs.ts";
import { isMigrated } from "../store/schema.ts";
import { getSourceMap } from "../store/code.ts";
import { findDeploy } from "../store/deploys.ts";
import { noteLine, noteUsage, takeInRequests } from "./activity.ts";
import type { LogFollower } from "./activity-memory.ts";
import type { LogSource } from "./environment-props.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { findExisting, findRuntime, type HostedApp } from "./hosted-app.ts";
import type { ConsoleLines, Stop, Traces } from "./log-intake.ts";
import { matchesFilter, type LogFilter, type LogLine } from "./log-line.ts";
import { noteUse } from "./preview-expiry.ts";
import { mapStack } from "./source-maps.ts";

/** A page of the log: the newest lines that the filter lets through, between the ids, both excluded. */
export interface LogQuery extends LogFilter {
  readonly limit: number;
  readonly afterId?: number | undefined;
  readonly beforeId?: number | undefined;
}

/** A reader that is slower than the app misses lines: so many wait for it. */
const MAX_WAITING = 1000;

/** A word now and then, so that both ends notice when the other is gone. */
const HEARTBEAT_MS = 15_000;

/** What an isolate throws it tells at once: so long later it told nothing. */
const TOLD_WITHIN_MS = 500;

/** So many things thrown are known again. */
const MAX_REMEMBERED = 20;

/** So much of a stack is shown. */
const MAX_FRAMES = 10;

/** Oldest first. undefined: the app does not exist. */
export function readLogs(app: HostedApp, query: LogQuery): LogLine[] | undefined {
  if (findExisting(app) === undefined) return undefined;
  takeInRequests(app);
  const { limit, afterId = 0, beforeId = Number.MAX_SAFE_INTEGER } = query;
  const found: LogLine[] = [];
  const take = (lines: readonly LogLine[]): void => {
    for (const line of lines.toReversed()) {
      if (found.length === limit) return;
      if (line.id > afterId && line.id < beforeId && matchesFilter(line, query)) found.push(line);
    }
  };
  take(app.activity.lines);
  for (const batch of listLogBatches(app.db, { afterId, beforeId })) {
    if (found.length === limit) break;
    take(JSON.parse(batch.linesJson));
  }
  return found.toReversed();
}

/**
 * The page, then every line as it comes, as JSON lines; an empty line now and then. It ends when the reader goes, or the app does.
 * undefined: the app does not exist.
 */
export function followLogs(app: HostedApp, query: LogQuery): ReadableStream<Uint8Array> | undefined {
  const page = readLogs(app, query);
  if (page === undefined) return undefined;
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let waitingCount = 0;
  let missedCount = 0;
  const write = (text: string): void => {
    waitingCount += 1;
    writer.write(encoder.encode(text)).then(() => (waitingCount -= 1), stop);
  };
  const follower: LogFollower = (line) => {
    if (!matchesFilter(line, query)) return;
    if (waitingCount >= MAX_WAITING) {
      missedCount += 1;
      return;
    }
    if (missedCount > 0) write(`${JSON.stringify({ missed: missedCount })}\n`);
    missedCount = 0;
    write(`${JSON.stringify(line)}\n`);
  };
  const heartbeat = setInterval(() => {
    if (findExisting(app) !== undefined) return write("\n");
    stop();
    return undefined;
  }, HEARTBEAT_MS);
  function stop(): void {
    clearInterval(heartbeat);
    app.activity.followers.delete(follower);
    writer.close().catch(() => undefined);
  }
  app.activity.followers.add(follower);
  writer.closed.catch(stop);
  for (const line of page) write(`${JSON.stringify(line)}\n`);
  return readable;
}

/** What the app's console was told, and what it threw. */
export function noteConsole(app: HostedApp, from: LogSource, { lines, droppedCount }: ConsoleLines): void {
  if (!isMigrated(app.db)) return;
  app.activity.droppedCount += droppedCount;
  if (droppedCount > 0) noteUsage(app, { ...from, atMs: app.now() }, { droppedLogLines: droppedCount });
  for (const { stack, ...line } of lines) {
    if (stack === undefined) {
      noteLine(app, { ...from, ...line, kind: "console" });
      continue;
    }
    rememberThrown(app, line.text);
    noteThrown(app, from, { atMs: line.atMs, text: describeThrown(app, from, line.text, stack) });
  }
}

/** What the runtime tells of events that ended. */
export function noteTraces(app: HostedApp, from: LogSource, { stops, cpuMs }: Traces): void {
  if (!isMigrated(app.db)) return;
  noteUsage(app, { ...from, atMs: app.now() }, { cpuMs });
  for (const stop of stops) noteThrown(app, from, stop);
}

/**
 * A request that failed. What the app threw its isolate tells, with a stack; what it could not tell, a body that breaks or an end
 * by the runtime, is told here, once it is clear that nothing comes.
 */
export async function noteFailure(app: HostedApp, from: LogSource, error: unknown): Promise<void> {
  const atMs = app.now();
  const message = error instanceof Error ? error.message : String(error);
  await scheduler.wait(TOLD_WITHIN_MS);
  if (!isMigrated(app.db) || app.activity.thrown.some((text) => text.endsWith(message))) return;
  noteThrown(app, from, { atMs, text: String(error) });
}

function noteThrown(app: HostedApp, from: LogSource, { atMs, text }: Stop): void {
  noteLine(app, { ...from, atMs, kind: "exception", level: "error", text });
}

function rememberThrown({ activity }: HostedApp, text: string): void {
  activity.thrown.push(text);
  if (activity.thrown.length > MAX_REMEMBERED) activity.thrown.shift();
}

/** A message on a WebSocket is a use of its environment, as a request is. */
export function noteMessage(app: HostedApp, { facet }: LogSource): void {
  const runtime = facet === PRODUCTION_FACET ? undefined : findRuntime(app, facet);
  if (runtime?.live !== undefined) noteUse(app, runtime);
}

/** What was thrown, with its stack as places in the pushed files. */
function describeThrown(app: HostedApp, { deployNumber }: LogSource, text: string, stack: string): string {
  const deploy = findDeploy(app.db, deployNumber);
  if (deploy === undefined || stack === "") return text;
  const frames = mapStack(stack, getSourceMap(app.db, deploy.codeId)).slice(0, MAX_FRAMES);
  const lines = frames.map(({ functionName, path, line, column }) => {
    const place = `${path}:${line}:${column}`;
    return functionName === undefined ? `    at ${place}` : `    at ${functionName} (${place})`;
  });
  return [text, ...lines].join("\n");
}
