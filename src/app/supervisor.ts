// An app's supervisor: one Durable Object for each app, named by the app. It owns the app's refs, pack catalogue, deploys and code in
// its SQLite database, and runs the app as its facet. This class only routes: each method is a line or two that calls a verb.
import { DurableObject } from "cloudflare:workers";
import type { AttemptEnd, NewAttempt } from "../store/attempts.ts";
import { findBuild, type KnownBuild } from "../store/builds.ts";
import type { KnownAssets } from "../store/assets.ts";
import type { Deploy } from "../store/deploys.ts";
import type { RepositorySettings, RepositoryState } from "../store/repository-state.ts";
import type { Retention } from "../store/retention.ts";
import type { ObjectKey } from "../store/objects.ts";
import type { Snapshot } from "../store/snapshots.ts";
import {
  dumpDatabase,
  measureDump,
  readDatabase,
  readKv,
  runSql,
  type Asked,
  type DatabaseChoice,
  type Dump,
  type MeasuredDump,
  type SqlRequest,
} from "./data-console.ts";
import { beginFilling, type Filling } from "./data-import.ts";
import type { KvPage, KvQuestion } from "./kv-list.ts";
import type { SqlAnswer } from "./sql-query.ts";
import type { DatabaseFacts } from "./table-list.ts";
import { runDueTasks } from "./alarm.ts";
import { getAppAlarm, setAppAlarm, type AlarmWrite } from "./app-alarms.ts";
import { fetchAsset } from "./assets.ts";
import { type AssetsQuery, findKnownAssets, type ManifestInput, putAssets } from "./assets-intake.ts";
import { commit, type CommitOutcome, type PushCommit } from "./commit.ts";
import { cutOver, type CutoverOutcome } from "./cutover.ts";
import { destroy, undoCreation } from "./deletion.ts";
import { describeApp, type AppDescription } from "./description.ts";
import type { EgressEvent } from "./egress-event.ts";
import { changeEgress, decideFor, noteEgress, readEgress, type EgressLists, type EgressState } from "./egress-list.ts";
import type { EgressDecision } from "./egress-policy.ts";
import type { LogSource } from "./environment-props.ts";
import { findExisting, openHostedApp, type HostedApp } from "./hosted-app.ts";
import {
  changeRetention,
  closeAttempt,
  findHistoryEntry,
  listHistory,
  logAttempt,
  openAttempt,
  readLog,
  type HistoryEntry,
  type HistoryPage,
} from "./history.ts";
import { OBJECT_HEADER, type ObjectAddress } from "./object-address.ts";
import { callObject, fetchObject, readObject, type Caller } from "./object-calls.ts";
import { describeObjects, eraseObject, type ObjectPage, type ObjectQuery } from "./objects.ts";
import { beginPush, type DeployingPush, type PushTicket } from "./push-turns.ts";
import type { ConsoleLines, Traces } from "./log-intake.ts";
import type { LogLine } from "./log-line.ts";
import { followLogs, noteConsole, noteMessage, noteTraces, readLogs, type LogQuery } from "./logs.ts";
import { deletePreview, forkPreview, listPreviews, type ForkOutcome, type PreviewDescription } from "./previews.ts";
import { registerNewApp } from "./registration.ts";
import { rehearse, type Candidate, type RehearsalOutcome, type RehearsalTarget } from "./rehearsal.ts";
import { changeSettings, createRepository, findTip, openForPush, readRepository, type Creation } from "./repository.ts";
import { chooseData, type DataChoice } from "./restoring.ts";
import type { Quotas } from "./quota-table.ts";
import { changeQuotas, ownQuotas, readQuotas } from "./quotas.ts";
import { serve } from "./serve.ts";
import {
  copyVariables,
  prepareVariables,
  readVariables,
  type CopyChoice,
  type PreparedChange,
  type VariableChange,
  type VariableCopy,
  type VariableList,
} from "./variable-change.ts";
import {
  chooseVariables,
  returnVariables,
  type ReturningVariables,
  type VariableChoice,
  type VariableQuery,
} from "./variable-choice.ts";
import { measureFacet, type StoredData } from "./stored-data.ts";
import { deleteUntil, findDeletedUntil, undelete } from "./undelete.ts";
import { readUsage, type Usage } from "./usage.ts";
import {
  deleteSnapshot,
  listSnapshots,
  takeSnapshot,
  tidySnapshots,
  type SnapshotReport,
  type TakenSnapshot,
} from "./snapshots.ts";

/** Reached by `fetch` for visitors and by the other methods for the host itself; an app has no way to it. */
export class Supervisor extends DurableObject<Env> {
  readonly #app: HostedApp;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#app = openHostedApp(ctx, env);
  }

  /** A visitor's request, or one of the app's own code for one of its objects: only the entrypoint Objects sends that header. */
  override fetch(request: Request): Promise<Response> {
    return request.headers.has(OBJECT_HEADER) ? fetchObject(this.#app, request) : serve(this.#app, request);
  }

  /** A call of the app's own code to one of its objects. */
  callObject(from: Caller, address: ObjectAddress, method: string, args: readonly unknown[]): Promise<unknown> {
    return callObject(this.#app, from, address, { method, args });
  }

  readObject(from: Caller, address: ObjectAddress, property: string): Promise<unknown> {
    return readObject(this.#app, from, address, property);
  }

  /** What env.ASSETS.fetch of the app answers. */
  fetchAsset(assetsId: string, request: Request): Promise<Response> {
    return fetchAsset(this.#app, assetsId, request);
  }

  override alarm(): Promise<void> {
    return runDueTasks(this.#app);
  }

  /** undefined: the app does not exist. */
  readRepository(): RepositoryState | undefined {
    return readRepository(this.#app);
  }

  /** The repository to push to. Where the app does not exist yet: an empty one, whose repositoryId is kept for the commit. */
  openForPush(): Promise<RepositoryState> {
    return openForPush(this.#app);
  }

  /** Idempotent. The settings count only where the repository is created. */
  createRepository(settings: Partial<RepositorySettings>): Promise<Creation> {
    return createRepository(this.#app, settings);
  }

  /** A push's place among those that deploy to its ref; it ends where its stub does. */
  beginPush(push: DeployingPush): PushTicket {
    const { pushes, now } = this.#app;
    return beginPush({ pushes, now, tipOf: (ref) => findTip(this.#app, ref) }, push);
  }

  /** A build of the same tree by the same builder. */
  findBuild(buildKey: string): KnownBuild | undefined {
    return findExisting(this.#app) && findBuild(this.#app.db, buildKey);
  }

  /** What is stored already of a manifest's contents. */
  findAssets(assetsId: string, blobIds: AssetsQuery): KnownAssets {
    return findKnownAssets(this.#app, assetsId, blobIds);
  }

  /** Keeps a manifest for the commit to name. false: what it names has to be written again. */
  putAssets(manifest: ManifestInput): boolean {
    return putAssets(this.#app, manifest);
  }

  /** Stores the candidate's code and tries it on a copy of the app's data. Changes nothing that a visitor can see. */
  rehearse(candidate: Candidate, target?: RehearsalTarget): Promise<RehearsalOutcome> {
    return rehearse(this.#app, candidate, target);
  }

  /** The one commit point of a push. */
  async commit(push: PushCommit): Promise<CommitOutcome> {
    const outcome = commit(this.#app, push);
    if (outcome.isNewApp) await registerNewApp(this.#app);
    return outcome;
  }

  /** Makes the deploy that `commit` recorded the one that answers. */
  cutOver(deployNumber: number): Promise<CutoverOutcome> {
    return cutOver(this.#app, deployNumber);
  }

  /** The snapshot that would bring a commit's or a deploy's data back. */
  chooseData(of: { readonly commitId: Deploy["commitId"] } | { readonly deployNumber: number }): DataChoice {
    return chooseData(this.#app, of);
  }

  /** Once a deploy is live: measures the snapshots and takes away what is over the limits. */
  tidySnapshots(deployNumber: number): Promise<SnapshotReport> {
    return tidySnapshots(this.#app, deployNumber);
  }

  /** What an environment stores now, of what it may store. */
  measureStored(facet: string): Promise<StoredData> {
    return measureFacet(this.#app, facet);
  }

  /** undefined: the app does not exist. */
  listObjects(query: ObjectQuery): ObjectPage | undefined {
    return describeObjects(this.#app, query);
  }

  /** Whether there was one. */
  deleteObject(key: ObjectKey): boolean {
    return eraseObject(this.#app, key);
  }

  /** Newest first. */
  listSnapshots(): readonly Snapshot[] {
    return listSnapshots(this.#app);
  }

  takeSnapshot(): Promise<TakenSnapshot> {
    return takeSnapshot(this.#app);
  }

  deleteSnapshot(id: number): "deleted" | "needed" | "not-found" {
    return deleteSnapshot(this.#app, id);
  }

  /** undefined: the app does not exist. */
  describe(): AppDescription | undefined {
    return describeApp(this.#app);
  }

  /** Gives an attempt to deploy its number. undefined: the app was deleted meanwhile. */
  openAttempt(attempt: NewAttempt): number | undefined {
    return openAttempt(this.#app, attempt);
  }

  logAttempt(number: number, text: string): void {
    logAttempt(this.#app, number, text);
  }

  closeAttempt(number: number, end: AttemptEnd): void {
    closeAttempt(this.#app, number, end);
  }

  /** The limits as they are then; what is not given stays as it is. undefined: the app does not exist. */
  changeRetention(change: Partial<Retention>): Retention | undefined {
    return changeRetention(this.#app, change);
  }

  /** Newest first. */
  listHistory(page: HistoryPage): readonly HistoryEntry[] {
    return listHistory(this.#app, page);
  }

  findHistoryEntry(number: number): HistoryEntry | undefined {
    return findHistoryEntry(this.#app, number);
  }

  /** The next piece of an attempt's log. */
  readLog(number: number, position: number): ReturnType<typeof readLog> {
    return readLog(this.#app, number, position);
  }

  /** undefined: the app does not exist. */
  changeSettings(settings: Partial<RepositorySettings>): RepositoryState | undefined {
    return changeSettings(this.#app, settings);
  }

  /** undefined: the app does not exist. */
  readEgress(): EgressState | undefined {
    return readEgress(this.#app);
  }

  /** false: the app does not exist. */
  changeEgress(lists: Partial<EgressLists>): boolean {
    return changeEgress(this.#app, lists);
  }

  /** undefined: the app does not exist. */
  readVariables(): VariableList | undefined {
    return readVariables(this.#app);
  }

  /** The variables as another app is to have them, where this one's owner gives secrets away too. */
  copyVariables(what: CopyChoice): VariableCopy {
    return copyVariables(this.#app, what);
  }

  /** Keeps a change of variables, for a deploy to make it live. */
  prepareVariables(changes: readonly VariableChange[], actor: string): PreparedChange {
    return prepareVariables(this.#app, changes, actor);
  }

  /** The variables that a push deploys with. */
  chooseVariables(query: VariableQuery): VariableChoice {
    return chooseVariables(this.#app, query);
  }

  /** The variables of a deploy that comes back. */
  returnVariables(deployNumber: number): ReturningVariables {
    return returnVariables(this.#app, deployNumber);
  }

  /** Whether a request of an environment of this app may go out. */
  decideEgress(facet: string, url: string): EgressDecision {
    return decideFor(this.#app, facet, url);
  }

  noteEgress(event: EgressEvent): void {
    noteEgress(this.#app, event);
  }

  setAppAlarm(from: LogSource, write: AlarmWrite): void {
    setAppAlarm(this.#app, from, write);
  }

  getAppAlarm(from: LogSource, path: string): number | null {
    return getAppAlarm(this.#app, from, path);
  }

  noteConsole(from: LogSource, lines: ConsoleLines): void {
    noteConsole(this.#app, from, lines);
  }

  noteTraces(from: LogSource, traces: Traces): void {
    noteTraces(this.#app, from, traces);
  }

  noteMessage(from: LogSource): void {
    noteMessage(this.#app, from);
  }

  /** Oldest first. undefined: the app does not exist. */
  readLogs(query: LogQuery): LogLine[] | undefined {
    return readLogs(this.#app, query);
  }

  /** undefined: the app does not exist. */
  readQuotas(): Quotas | undefined {
    return readQuotas(this.#app);
  }

  /** undefined: the app does not exist. */
  changeQuotas(changes: Parameters<typeof changeQuotas>[1]): Quotas | undefined {
    return changeQuotas(this.#app, changes);
  }

  /** Those that were set for this app alone. */
  readOwnQuotas(): Partial<Quotas> {
    return ownQuotas(this.#app);
  }

  /** Of so many days, today included. undefined: the app does not exist. */
  readUsage(days: number): Usage | undefined {
    return readUsage(this.#app, days);
  }

  /** JSON lines that go on. undefined: the app does not exist. */
  followLogs(query: LogQuery): ReadableStream<Uint8Array> | undefined {
    return followLogs(this.#app, query);
  }

  /** Those used last first. */
  listPreviews(): readonly PreviewDescription[] {
    return listPreviews(this.#app);
  }

  /** Other data for a branch's preview, which comes back with it if it expired. */
  forkPreview(branch: string, data: "fork" | "empty"): Promise<ForkOutcome> {
    return forkPreview(this.#app, branch, data);
  }

  /** Whether there was one. The branch stays. */
  deletePreview(branch: string): Promise<boolean> {
    return deletePreview(this.#app, branch);
  }

  /** One call of the SQL console. */
  runSql(choice: DatabaseChoice, request: SqlRequest): Promise<Asked<SqlAnswer & { readonly snapshot?: number }>> {
    return runSql(this.#app, choice, request);
  }

  /** Tables, columns, indexes. */
  readDatabase(choice: DatabaseChoice): Promise<Asked<DatabaseFacts>> {
    return readDatabase(this.#app, choice);
  }

  /** What the app keeps by key. */
  readKv(choice: DatabaseChoice, question: KvQuestion): Promise<Asked<KvPage>> {
    return readKv(this.#app, choice, question);
  }

  /** SQL that the sqlite3 shell reads. */
  dumpDatabase(choice: DatabaseChoice): Promise<Asked<Dump>> {
    return dumpDatabase(this.#app, choice);
  }

  /** The same, and how long it is. */
  measureDump(choice: DatabaseChoice): Promise<Asked<MeasuredDump>> {
    return measureDump(this.#app, choice);
  }

  /** An environment to fill with what was dumped; it starts again when the stub is done with. undefined: nothing there has data. */
  beginFilling(facet: string): Promise<Filling | undefined> {
    return beginFilling(this.#app, facet);
  }

  /** Deletes the app in a way that can be undone until then. undefined: it does not exist. */
  deleteUntil(untilMs: number): Promise<number | undefined> {
    return deleteUntil(this.#app, untilMs);
  }

  /** undefined: the app is not deleted, or gone. */
  findDeletedUntil(): number | undefined {
    return findDeletedUntil(this.#app);
  }

  /** false: there is nothing to bring back. */
  undelete(): Promise<boolean> {
    return undelete(this.#app);
  }

  /** Data, packs and name; once it returns all are gone. Also of an app that does not exist. */
  destroy(): Promise<void> {
    return destroy(this.#app);
  }

  /** The same, where the app came to nothing while it was made: tokens for its name stay. */
  undoCreation(): Promise<void> {
    return undoCreation(this.#app);
  }
}
