// What an app does, noted in memory as it happens and written down in one transaction a second: lines for its log, counts for its
// usage. Nothing here is on the way of a request, which is put on a list, and whoever loses a second of it by a crash has lost no
// data. An app that says too much loses lines, which are counted, and slows nobody else.
import { addLogBatch, findLastLogId } from "../store/logs.ts";
import { isMigrated } from "../store/schema.ts";
import { addUsage, dayOf, NO_USAGE, pruneUsage, type UsageCounts } from "../store/usage.ts";
import type { Activity, ServedRequest } from "./activity-memory.ts";
import { scheduleReport } from "./metrics-report.ts";
import { quotasOf } from "./quotas.ts";
import type { HostedApp } from "./hosted-app.ts";
import { BURST_SECONDS, BYTES_PER_SECOND, KEPT_LOG_BYTES, MAX_LINE_LENGTH, type NewLogLine } from "./log-line.ts";
import { watchStored } from "./stored-watch.ts";
import { maskSecretsOf } from "./variables.ts";

/** How long a line may be in memory only. */
const WRITE_AFTER_MS = 1000;

/** So many requests are noted at most before they are counted and logged. */
const MAX_REQUESTS = 1000;

/** Rows of SQLite stay below 2 MB: a batch that has grown to this is written at once. */
const MAX_BATCH_BYTES = 512 * 1024;

/** A visitor's request that was answered, by the app or for it. Counted always; a line of the log if there is room for one. */
export function noteRequest(app: HostedApp, request: ServedRequest): void {
  const { requests, followers } = app.activity;
  requests.push(request);
  if (followers.size > 0 || requests.length >= MAX_REQUESTS) takeInRequests(app);
  else scheduleWrite(app);
}

/** Counts and logs the requests that were noted. Before anything else is logged, so that the log is in order, and before either is read. */
export function takeInRequests(app: HostedApp): void {
  const { activity } = app;
  const { requests } = activity;
  if (requests.length === 0) return;
  activity.requests = [];
  // An app that was deleted meanwhile has nothing to remember.
  if (!isMigrated(app.db)) return;
  for (const { atMs, facet, deployNumber, method, url, status, tookMs } of requests) {
    const from = { atMs, facet, deployNumber };
    noteUsage(app, from, { requests: 1, errors: status >= 500 ? 1 : 0, wallMs: tookMs });
    const level = status >= 500 ? "error" : status >= 400 ? "warn" : "info";
    takeLine(app, {
      ...from,
      kind: "request",
      level,
      text: `${method} ${new URL(url).pathname} ${status} ${tookMs} ms`,
    });
  }
}

/** Takes a line into the log, unless the app has said too much. */
export function noteLine(app: HostedApp, line: NewLogLine): void {
  takeInRequests(app);
  takeLine(app, line);
}

function takeLine(app: HostedApp, line: NewLogLine): void {
  const { activity } = app;
  const masked = maskSecretsOf(app, line, line.text);
  const text = masked.length > MAX_LINE_LENGTH ? `${masked.slice(0, MAX_LINE_LENGTH)} …` : masked;
  if (!isAllowed(activity, text.length, { nowMs: app.now(), linesPerSecond: quotasOf(app).logLinesPerSecond })) {
    activity.droppedCount += 1;
    noteUsage(app, line, { droppedLogLines: 1 });
    return;
  }
  if (activity.droppedCount > 0) {
    const dropped = `${activity.droppedCount} lines were dropped: the app said more than it may in a second.`;
    activity.droppedCount = 0;
    addLine(app, { ...line, kind: "host", level: "warn", text: dropped });
  }
  addLine(app, { ...line, text });
  noteUsage(app, line, { logLines: 1 });
}

/** Adds to what the app used. */
export function noteUsage(
  app: HostedApp,
  { atMs, facet, deployNumber }: Pick<NewLogLine, "atMs" | "facet" | "deployNumber">,
  counts: Partial<UsageCounts>,
): void {
  const day = dayOf(atMs);
  const key = `${day} ${deployNumber} ${facet}`;
  const { usage } = app.activity;
  const sum = usage.get(key) ?? { ...NO_USAGE, day, facet, deployNumber };
  usage.set(key, sum);
  let name: keyof UsageCounts;
  for (name in counts) sum[name] += counts[name] ?? 0;
  scheduleWrite(app);
}

/** Writes down what was noted. In one transaction: a crash leaves it out or takes it in whole. */
function writeActivity(app: HostedApp): void {
  const { activity } = app;
  const { lines, usage } = activity;
  const [first] = lines;
  const last = lines.at(-1);
  const rows = [...usage.values()];
  activity.lines = [];
  activity.lineBytes = 0;
  usage.clear();
  // An app that was deleted meanwhile has nothing to remember.
  if (!isMigrated(app.db)) return;
  app.db.transaction(() => {
    if (first !== undefined && last !== undefined) {
      const linesJson = JSON.stringify(lines);
      addLogBatch(app.db, { firstId: first.id, lastId: last.id, linesJson }, KEPT_LOG_BYTES);
    }
    for (const row of rows) addUsage(app.db, row);
    if (rows.length > 0) scheduleReport(app);
    pruneUsage(app.db, app.now());
  });
  for (const { facet, deployNumber } of rows) {
    watchStored(app, facet, (text) =>
      noteLine(app, { atMs: app.now(), facet, deployNumber, kind: "host", level: "warn", text }),
    );
  }
}

function addLine(app: HostedApp, line: NewLogLine): void {
  const { activity } = app;
  activity.lastId = (activity.lastId ?? (isMigrated(app.db) ? findLastLogId(app.db) : 0)) + 1;
  const placed = { id: activity.lastId, ...line };
  activity.lines.push(placed);
  activity.lineBytes += line.text.length;
  for (const follower of activity.followers) follower(placed);
  if (activity.lineBytes > MAX_BATCH_BYTES) writeActivity(app);
  else scheduleWrite(app);
}

function scheduleWrite(app: HostedApp): void {
  if (app.activity.isScheduled) return;
  app.activity.isScheduled = true;
  setTimeout(() => {
    try {
      // Before another write may be scheduled: this one has what they come to.
      takeInRequests(app);
    } finally {
      app.activity.isScheduled = false;
      writeActivity(app);
    }
  }, WRITE_AFTER_MS);
}

/** A bucket of lines and one of bytes, filled again as time goes by. */
function isAllowed(
  { allowance }: Activity,
  bytes: number,
  { nowMs, linesPerSecond }: { readonly nowMs: number; readonly linesPerSecond: number },
): boolean {
  const seconds = Math.max(0, nowMs - allowance.atMs) / 1000;
  allowance.lines = Math.min(linesPerSecond * BURST_SECONDS, allowance.lines + seconds * linesPerSecond);
  allowance.bytes = Math.min(BYTES_PER_SECOND * BURST_SECONDS, allowance.bytes + seconds * BYTES_PER_SECOND);
  allowance.atMs = nowMs;
  if (allowance.lines < 1 || allowance.bytes < bytes) return false;
  allowance.lines -= 1;
  allowance.bytes -= bytes;
  return true;
}
