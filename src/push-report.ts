// What a pusher reads: one line a stage as it happens, then the live URL and the line that undoes the deploy; or the failure,
// why, the fix, and what is still live. Plain functions from facts to lines; nothing here decides anything.
import { isWorkerEntry } from "./app/entry-class.ts";
import type { Built, BuildFacts } from "./push-build.ts";
import { printable, shellWord, type PushFailure } from "./push-failure.ts";

/** The version that answers visitors: shown when a push fails. */
export interface LiveVersion {
  readonly number: number;
  readonly commitId: string;
}

/** A deploy that went live, and what was live before it. */
export interface MadeDeploy extends LiveVersion {
  readonly ref: string;
  /** Where it is live. */
  readonly facet: string;
  readonly previous?: LiveVersion;
  /** The snapshot that it brought back. */
  readonly restoresSnapshot?: number | undefined;
}

/** How a line of a stage begins: "received  3 objects". */
export function stageLine(stage: string, text: string): string {
  return `${stage.padEnd(10)}${text}`;
}

/** 7 digits, as git abbreviates. */
export function shortId(commitId: string): string {
  return commitId.slice(0, 7);
}

/** "999 B", "12.3 KB", "4.0 MB"; decimal units, as git's own progress is in binary ones but nobody multiplies by 1,024. */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${sizeBytes} B`;
  const units = ["KB", "MB", "GB"] as const;
  let value = sizeBytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit] ?? "GB"}`;
}

/** "1 object", "3 objects". */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

/** A commit's subject as it may stand in one line of a terminal: no control characters, at most 60 characters. */
function printableSubject(subject: string): string {
  const plain = printable(subject);
  return plain.length > 60 ? `${plain.slice(0, 59)}…` : plain;
}

/** What answers where a branch deploys to, if anything does. */
export interface StillLive {
  readonly live: LiveVersion | undefined;
  readonly url: string;
  /** undefined: production. */
  readonly previewOf: string | undefined;
}

/** The failure as the pusher reads it. The first word makes git highlight the line. */
export function failureLines(failure: PushFailure, { live, url, previewOf }: StillLive): string[] {
  const where = previewOf === undefined ? "Nothing is live yet" : `${printable(previewOf)} has no preview yet`;
  const stillLive =
    live === undefined
      ? `${where}, and this push changed nothing.`
      : `Still live: deploy ${live.number} (${shortId(live.commitId)}) at ${url}`;
  return ["", `error: ${failure.stage} failed (${failure.code})`, ...failure.lines, stillLive];
}

/** The same in two lines, for a branch whose own lines are in its log. The reason begins with the code and the place. */
export function briefFailureLines(
  { stage, reason }: PushFailure,
  branch: string,
  logUrl: string | undefined,
): string[] {
  const log = logUrl === undefined ? "" : `, log ${logUrl}`;
  return [`error: ${printable(branch)}: ${stage} failed${log}`, reason];
}

/** Where a branch answers, in one line. */
export function briefLiveLine(branch: string, { number }: LiveVersion, { url, isPreview }: DeployUrls): string {
  return stageLine(isPreview ? "preview" : "live", `${url} (deploy ${number}, ${printable(branch)})`);
}

/** What an atomic push has gone back to, after a deploy of it did not start. */
export function goneBackLines(
  branches: readonly (StillLive & { readonly branch: string })[],
  stayed: readonly string[],
): string[] {
  const all = "this push is atomic, so that every ref is back where it was";
  const but = stayed.length === 0 ? "" : `, but for ${namesOf(stayed)}, which another push has moved on`;
  return [
    stageLine("undone", all + but),
    ...branches.map(({ branch, live, url }) => {
      const now =
        live === undefined ? "nothing is live" : `deploy ${live.number} (${shortId(live.commitId)}) at ${url}`;
      return stageLine("", `${printable(branch)}: ${now}`);
    }),
  ];
}

/** "hello: main 1a2b3c4 Add a button". */
export function identityLine(app: string, branch: string, commit: { commitId: string; subject: string }): string {
  return stageLine("deploying", `${app}: ${branch} ${shortId(commit.commitId)} ${printableSubject(commit.subject)}`);
}

export function receivedLine(pack: { readonly objectCount: number; readonly receivedBytes: number }): string {
  return stageLine("received", `${count(pack.objectCount, "object")}, ${formatBytes(pack.receivedBytes)}`);
}

/** What was bundled, or that it was before. */
export function builtLine(built: Exclude<Built, { kind: "failed" }>): string {
  if (built.kind === "known") {
    return stageLine("built", `${built.facts.entry}: same code as deploy ${built.deployNumber}, build skipped`);
  }
  const { entry, moduleCount, sourceBytes, bundleBytes } = built.facts;
  if (moduleCount === 0) return stageLine("built", `${entry}, no code`);
  const sizes = `${formatBytes(sourceBytes)} -> ${formatBytes(bundleBytes)}`;
  const modules = count(moduleCount, "module");
  return stageLine("built", `${entry}: ${describeEntry(built.facts)}, ${modules}, ${sizes} in ${built.tookMs} ms`);
}

/** "class App", or "Worker with classes Lobby, Room". */
function describeEntry({ className, objectClasses = [] }: BuildFacts): string {
  if (!isWorkerEntry(className)) return `class ${className}`;
  if (objectClasses.length === 0) return "Worker";
  return `Worker with ${objectClasses.length === 1 ? "class" : "classes"} ${objectClasses.join(", ")}`;
}

/** How many files are served as they are, and what of them was new. */
export function assetLines(built: Exclude<Built, { kind: "failed" }>): string[] {
  const fileCount = built.facts.assetCount ?? 0;
  if (fileCount === 0) return [];
  const files = count(fileCount, "file");
  if (built.kind === "known" || built.assets.newCount === 0) return [stageLine("assets", `${files}, none new`)];
  const { newCount, uploadedBytes } = built.assets;
  return [stageLine("assets", `${files}, ${newCount} new, ${formatBytes(uploadedBytes)} uploaded`)];
}

/** More packages than these are counted. */
const MAX_PACKAGES_NAMED = 4;

/** "packages  hono 4.13.19, zod 4.1.2 and 3 more"; nothing where a bundle has none. */
export function packageLines(built: Exclude<Built, { kind: "failed" }>): string[] {
  const { packages = [] } = built.facts;
  if (packages.length === 0 || built.kind === "known") return [];
  const named = packages.length === MAX_PACKAGES_NAMED + 1 ? packages : packages.slice(0, MAX_PACKAGES_NAMED);
  const left = packages.length - named.length;
  return [stageLine("packages", `${named.join(", ")}${left > 0 ? ` and ${left} more` : ""}`)];
}

/** A push has few lines: more warnings than these are counted. */
const MAX_WARNING_LINES = 3;

/** What was odd but built. */
export function warningLines(warnings: readonly string[]): string[] {
  const left = warnings.length - MAX_WARNING_LINES;
  const shown = warnings.slice(0, MAX_WARNING_LINES).map((line) => stageLine("warning", line));
  return left > 0 ? [...shown, stageLine("", `and ${count(left, "more warning")}`)] : shown;
}

/** A rehearsal that went well. */
interface Rehearsal {
  readonly data: "copy" | "empty" | "none";
  readonly tooLargeBytes?: number;
  readonly probe?: { readonly path: string; readonly status: number; readonly tookMs: number };
  readonly schemaChanges: readonly string[];
  readonly tookMs: number;
}

/** What is kept of it, and told to programs. */
export function rehearsalFacts({ data, tookMs, schemaChanges, probe }: Rehearsal) {
  return { data, tookMs, schemaChanges, ...(probe && { probe }) };
}

export function rehearsedLine(rehearsal: Rehearsal): string {
  const { data, tooLargeBytes, probe } = rehearsal;
  const why = tooLargeBytes === undefined ? "" : `, as the data (${formatBytes(tooLargeBytes)}) is too large to copy`;
  const on = { copy: " on a copy of the data", empty: ` on an empty database${why}`, none: "" }[data];
  const answered =
    probe === undefined ? "" : `, probe ${printable(probe.path)} answered ${probe.status} in ${probe.tookMs} ms`;
  return stageLine("rehearsed", `started${on} in ${rehearsal.tookMs} ms${answered}`);
}

/** More changes than these are counted and not named. */
const MAX_SCHEMA_CHANGES = 8;

/** What the constructor did to the schema of existing data. */
export function schemaLines(rehearsal: Rehearsal): string[] {
  const { data, schemaChanges } = rehearsal;
  if (data !== "copy" || schemaChanges.length === 0) return [];
  const left = schemaChanges.length - MAX_SCHEMA_CHANGES;
  const named = schemaChanges.slice(0, MAX_SCHEMA_CHANGES).map(printable).join(", ");
  return [stageLine("schema", left > 0 ? `${named} and ${left} more` : named)];
}

/** How visitors fared. */
export function cutOverLine(cutover: {
  readonly drainedCount: number;
  readonly droppedCount: number;
  readonly turnedAwayCount: number;
  readonly longestHoldMs: number;
  readonly holdLimitMs: number;
}): string {
  const { drainedCount, droppedCount, turnedAwayCount, longestHoldMs, holdLimitMs } = cutover;
  const held = `longest hold ${longestHoldMs} ms of at most ${holdLimitMs / 1000} s`;
  const dropped = droppedCount === 0 ? [] : [`${count(droppedCount, "request")} cut off with 503`];
  const turnedAway = turnedAwayCount === 0 ? [] : [`${count(turnedAwayCount, "waiting request")} turned away with 503`];
  return stageLine(
    "cut over",
    [`${count(drainedCount, "request")} drained`, held, ...dropped, ...turnedAway].join(", "),
  );
}

export function supersededLine(byDeployNumber: number): string {
  return stageLine("cut over", `deploy ${byDeployNumber} was pushed meanwhile and is live instead`);
}

/** More refs than these are counted and not named. */
const MAX_STORED_NAMED = 3;

/** What moved without being deployed, so that nobody takes it for live. */
export function storedLines(moved: readonly { readonly name: string; readonly newId: string }[]): string[] {
  if (moved.length === 0) return [];
  const names = moved.slice(0, MAX_STORED_NAMED).map(({ name, newId }) => {
    const shown = printable(name.replace(/^refs\/(heads|tags)\//, ""));
    return /^0+$/.test(newId) ? `${shown} deleted` : `${shown} at ${shortId(newId)}`;
  });
  const left = moved.length - names.length;
  return [stageLine("stored", `${names.join(", ")}${left > 0 ? ` and ${left} more` : ""}; not deployed`)];
}

/** Previews that ended with this push: with their branches, or to make place for others. */
export function endedLines(ended: readonly string[], expired: readonly string[]): string[] {
  const deleted = `preview of ${namesOf(ended)} deleted, with its data`;
  const gone = `preview of ${namesOf(expired)}, the least recently used, to make place; the branch stays`;
  return [
    ...(ended.length === 0 ? [] : [stageLine("deleted", deleted)]),
    ...(expired.length === 0 ? [] : [stageLine("expired", gone)]),
  ];
}

function namesOf(branches: readonly string[]): string {
  const left = branches.length - MAX_STORED_NAMED;
  const shown = branches.slice(0, MAX_STORED_NAMED).map(printable).join(", ");
  return left > 0 ? `${shown} and ${left} more` : shown;
}

/** Where a deploy answers. */
export interface DeployUrls {
  /** The app's or the preview's. */
  readonly url: string;
  /** This deploy's own. */
  readonly deployUrl: string;
  readonly isPreview: boolean;
  /** Where the app's resources of the API begin, for what git cannot undo. */
  readonly apiUrl?: string;
}

/** The end of a push that went well: always the same lines. */
export function liveLines(deploy: MadeDeploy, { url, deployUrl, isPreview, apiUrl }: DeployUrls): string[] {
  const undo = undoCommand(deploy, apiUrl);
  const undoLine = undo === undefined ? [] : [stageLine("undo", undo)];
  const live = stageLine(isPreview ? "preview" : "live", `${url} (deploy ${deploy.number})`);
  return ["", live, stageLine("deploy", deployUrl), ...undoLine];
}

/** The line that undoes a deploy, ready to paste into the clone that was pushed from; by the API where the commit is the same. Ten digits stay unique in large histories. */
export function undoCommand(deploy: MadeDeploy, apiUrl?: string): string | undefined {
  const { previous, ref, restoresSnapshot, commitId } = deploy;
  if (previous === undefined) return undefined;
  if (previous.commitId === commitId && apiUrl !== undefined) {
    const body = { deploy: previous.number, ...(restoresSnapshot === undefined ? {} : { data: true }) };
    return `curl -X POST ${apiUrl}/rollback -H "authorization: Bearer $TOKEN" -d '${JSON.stringify(body)}'`;
  }
  // What brought back data replaced data: undoing it brings that back too.
  const option = restoresSnapshot === undefined ? "" : "-o restore-data ";
  const refspec = `${previous.commitId.slice(0, 10)}:${ref.replace("refs/heads/", "")}`;
  return `git push -f ${option}origin ${shellWord(refspec)}`;
}
