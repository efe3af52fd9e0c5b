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
import type { ConsoleLines, ThrownTrace, Traces } from "./log-intake.ts";
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

/** What the app's console was told. */
export function noteConsole(app: HostedApp, from: LogSource, { lines, droppedCount }: ConsoleLines): void {
  if (!isMigrated(app.db)) return;
  app.activity.droppedCount += droppedCount;
  if (droppedCount > 0) noteUsage(app, { ...from, atMs: app.now() }, { droppedLogLines: droppedCount });
  for (const line of lines) noteLine(app, { ...from, ...line, kind: "console" });
}

/** What the runtime tells of events that ended. */
export function noteTraces(app: HostedApp, from: LogSource, { exceptions, cpuMs, hasMessage }: Traces): void {
  if (!isMigrated(app.db)) return;
  if (hasMessage) noteMessage(app, from);
  noteUsage(app, { ...from, atMs: app.now() }, { cpuMs });
  for (const thrown of exceptions) {
    const text = describeThrown(app, from, thrown);
    noteLine(app, { ...from, atMs: thrown.atMs, kind: "exception", level: "error", text });
  }
}

/** A message on a WebSocket is a use of its environment, as a request is. */
export function noteMessage(app: HostedApp, { facet }: LogSource): void {
  const runtime = facet === PRODUCTION_FACET ? undefined : findRuntime(app, facet);
  if (runtime?.live !== undefined) noteUse(app, runtime);
}

/** What was thrown, with its stack as places in the pushed files. */
function describeThrown(app: HostedApp, { deployNumber }: LogSource, { text, stack }: ThrownTrace): string {
  const deploy = findDeploy(app.db, deployNumber);
  if (deploy === undefined || stack === "") return text;
  const frames = mapStack(stack, getSourceMap(app.db, deploy.codeId)).slice(0, MAX_FRAMES);
  const lines = frames.map(({ functionName, path, line, column }) => {
    const place = `${path}:${line}:${column}`;
    return functionName === undefined ? `    at ${place}` : `    at ${functionName} (${place})`;
  });
  return [text, ...lines].join("\n");
}
