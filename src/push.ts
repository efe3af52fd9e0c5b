// A push, top to bottom: receive, ingest, build, rehearse, commit, cut over, report. Each stage returns a plain value and
// this file hands it on; stages never call stages. Until `commit` nothing is visible: a push that fails before it leaves
// refs, code and data as they were, and what it wrote to R2 is named by nothing and swept.
import { HostingError, type ErrorCode } from "./errors.ts";
import type { AppName } from "./app/app-name.ts";
import type { CommitOutcome, PushCommit } from "./app/commit.ts";
import { PRODUCTION_FACET } from "./app/environment.ts";
import type { Supervisor } from "./app/supervisor.ts";
import { ZERO_ID, type ObjectId } from "./git/object-id.ts";
import { PktLineReader } from "./git/pkt-line.ts";
import { parseRefName } from "./git/ref-name.ts";
import type { PushReport } from "./git/report-status.ts";
import { readUpdateRequest, type UpdateCommand, type UpdateRequest } from "./git/update-request.ts";
import { answerPush, type Narrator } from "./push-answer.ts";
import { buildTree, type Built } from "./push-build.ts";
import { chooseData, snapshotLines } from "./push-data.ts";
import { describeStartFailure, type PushFailure } from "./push-failure.ts";
import type { Host } from "./push-host.ts";
import { branchName, planPush, type PushPlan } from "./push-plan.ts";
import { recordAttempt } from "./push-history.ts";
import * as lines from "./push-report.ts";
import { takeTurn, type Ticket } from "./push-turn.ts";
import { arePacksClosed } from "./repo/compaction.ts";
import { receivePackBytes, resolvePack, type IngestOutcome, type ReceivedPack } from "./repo/pack-ingest.ts";
import { checkCommands, checkForwards, checkTips } from "./repo/receive-pack.ts";
import { openRepository, withPack, type Repository } from "./repo/repository.ts";
import { openSourceTree, type CommitTree } from "./repo/source-tree.ts";

/** A push whose sender may push: http/ has seen to that. */
export interface PushRequest {
  readonly app: AppName;
  /** The name of the token that pushes; "owner" for the owner's own. */
  readonly actor: string;
  /** The update request and the pack, uncompressed. */
  readonly body: ReadableStream<Uint8Array>;
  /** Where the app answers, and where its resources of the API begin, for the report. */
  readonly appUrl: string;
  readonly apiUrl: string;
  readonly now: () => number;
  readonly context: Pick<ExecutionContext, "waitUntil">;
  /** What became of the push, once it is over. */
  readonly onReport?: (report: PushReport) => void;
}

/** A push that was made here: what it asks for, and its objects as a pack, where it has any. */
export interface MadePush {
  readonly update: UpdateRequest;
  readonly pack: ReadableStream<Uint8Array> | undefined;
}

/**
 * Takes a push in and returns the body of the answer, which goes on while the push is built and deployed.
 * The pack is received to its end first: an answer before the request's end breaks the connection's next request.
 * @throws HostingError "protocol-error", "push-too-large" for a request that cannot be answered in git's protocol
 */
export async function push(request: PushRequest, host: Host): Promise<ReadableStream<Uint8Array>> {
  const reader = new PktLineReader(request.body);
  const update = await readUpdateRequest(reader);
  if (update.isProbe) return new Blob([]).stream();
  // A push that only deletes sends no pack (gitprotocol-pack(5), "Packfile data").
  const sendsPack = update.commands.some((command) => command.newId !== ZERO_ID);
  const received = await receive(request, host, { update, pack: sendsPack ? reader.rest() : undefined });
  const answer = answerPush({ update, now: request.now }, async (narrator) => {
    const outcome = await record({ ...received, narrator });
    request.onReport?.(outcome);
    return outcome;
  });
  request.context.waitUntil(answer.finished);
  return answer.body;
}

/**
 * The same stages for a push that no git client sent. Returns once it is over.
 * @throws HostingError "push-too-large"
 */
export async function pushMade(
  request: Stages["request"],
  host: Host,
  made: MadePush,
  narrator: Narrator,
): Promise<PushReport> {
  return record({ ...(await receive(request, host, made)), narrator });
}

async function receive(
  request: Stages["request"],
  host: Host,
  made: MadePush,
): Promise<Omit<Stages, "narrator" | "plan" | "deployNumber">> {
  const supervisor = host.env.SUPERVISOR.getByName(request.app);
  const repository = openRepository(host.packs, await supervisor.openForPush());
  const pack = made.pack === undefined ? undefined : await receivePackBytes(made.pack, repository.store);
  if (pack?.kind === "refused" && pack.code === "push-too-large") throw new HostingError(pack.code, pack.reason);
  return { request, host, supervisor, repository, update: made.update, pack };
}

/** What the stages share. */
interface Stages {
  readonly request: Pick<PushRequest, "app" | "actor" | "appUrl" | "apiUrl" | "now">;
  readonly host: Host;
  readonly supervisor: DurableObjectStub<Supervisor>;
  readonly repository: Repository;
  readonly update: UpdateRequest;
  /** undefined: none was to be sent. */
  readonly pack: ReceivedPack | undefined;
  readonly narrator: Narrator;
  readonly plan: PushPlan;
  /** The number that a deploy of this push has; undefined: it deploys nothing. */
  readonly deployNumber: number | undefined;
}

/** Why a ref is refused. The reason is one line without the code. */
interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** By ref name. */
type Refusals = ReadonlyMap<string, Refusal>;

/** The refs that may move as far as git is concerned, and the one of them that deploys. */
interface CheckedRefs {
  readonly refusals: Refusals;
  readonly deployed: UpdateCommand | undefined;
  /** What annotated tags name in the end, by ref name. */
  readonly peeledIds: ReadonlyMap<string, ObjectId>;
}

/** What would go live. */
type Prepared =
  | { readonly kind: "nothing" }
  | {
      readonly kind: "ready";
      readonly command: UpdateCommand;
      readonly tree: CommitTree;
      readonly built: ReadyBuild;
      readonly restoresSnapshot: number | undefined;
    }
  | { readonly kind: "failed"; readonly command: UpdateCommand; readonly failure: PushFailure };

/** What the transaction left to be done. */
interface Committed {
  readonly refusals: Refusals;
  readonly deploy: CommitOutcome["deploy"];
}

type StoredPack = Extract<IngestOutcome, { kind: "stored" }>;
type ReadyBuild = Exclude<Built, { kind: "failed" }>;

/** Sees to it that a push which is to deploy is in the history before anything of it can fail. */
async function record(begun: Omit<Stages, "plan" | "deployNumber">): Promise<PushReport> {
  const { request, supervisor, update, narrator } = begun;
  const { settings, head } = begun.repository.state;
  const { commands, pushOptions } = update;
  const plan = planPush({ deploys: settings.deploy, head, commands, pushOptions });
  const ref = plan.deployed && parseRefName(plan.deployed.name);
  if (plan.deployed === undefined || ref === undefined) return runStages({ ...begun, plan, deployNumber: undefined });
  const { apiUrl, actor, now } = request;
  const attempt = { kind: "push" as const, ref, commitId: plan.deployed.newId, actor };
  return recordAttempt({ narrator, supervisor, attempt, apiUrl, now }, (recording, deployNumber) =>
    runStages({ ...begun, plan, deployNumber, narrator: recording }),
  );
}

/** The stages after the pack was received, in their order. Whatever refuses a ref before the commit leaves it as it is. */
async function runStages(stages: Stages): Promise<PushReport> {
  const { narrator } = stages;
  narrator.note({ app: stages.request.app });
  const ingested = await narrator.time("ingest", () => ingest(stages));
  if (ingested.kind === "refused") return refuseUnpacked(stages, ingested);
  const checked = await narrator.time("check", () => checkRefs(stages, ingested));
  using ticket = await begin(stages, checked);
  const built = await narrator.time("build", () => build(stages, checked, ingested));
  const turned = ticket === undefined ? built : await narrator.time("wait", () => wait(stages, built, ticket));
  const rehearsed = await narrator.time("rehearse", () => rehearse(stages, turned));
  const committed = await narrator.time("commit", () => commit(stages, { checked, rehearsed, ingested }));
  const refusals = await narrator.time("cutOver", () => cutOver(stages, committed));
  return report(stages, refusals);
}

/** Pack, index and edge file are in R2 afterwards, and every object that the pack names is in it or stored. */
async function ingest({ pack, repository, update, request }: Stages): Promise<IngestOutcome> {
  if (pack === undefined) return { kind: "stored", pack: undefined, objectCount: 0, receivedBytes: 0 };
  return resolvePack(pack, {
    packs: repository.state.packs,
    shallowIds: update.shallowIds,
    nowMs: request.now(),
  });
}

/** What git itself would refuse, then what would make nothing live. */
async function checkRefs(stages: Stages, ingested: StoredPack): Promise<CheckedRefs> {
  const { update, repository, plan } = stages;
  const { state } = repository;
  const tips = await checkTips(repository, update.commands, ingested.pack);
  const stale = checkCommands(state, update.commands);
  const candidates = update.commands.filter(({ name }) => !stale.has(name) && !tips.refusals.has(name));
  const backwards = await checkForwards(repository, candidates, ingested.pack);
  const refusals: Refusals = new Map([...plan.refusals, ...tips.refusals, ...stale, ...backwards]);
  for (const [name, refusal] of plan.refusals) {
    if (refusals.get(name) === refusal) for (const line of refusal.lines) stages.narrator.say(line);
  }
  const isRefused = plan.deployed === undefined || refusals.has(plan.deployed.name);
  return { refusals, deployed: isRefused ? undefined : plan.deployed, peeledIds: tips.peeledIds };
}

/** Lists a push that deploys where other pushes to the ref see it, until the stub that comes back is let go. */
async function begin({ request, supervisor, update }: Stages, { deployed, refusals }: CheckedRefs) {
  if (deployed === undefined || (isAtomic(update) && refusals.size > 0)) return undefined;
  const { name: ref, newId: commitId } = deployed;
  return supervisor.beginPush({ ref, commitId, actor: request.actor, startedMs: request.now() });
}

/** The commit that would go live, as code. */
async function build(stages: Stages, checked: CheckedRefs, ingested: StoredPack): Promise<Prepared> {
  const { request, repository, supervisor, host, narrator, update } = stages;
  const { deployed: command, refusals } = checked;
  narrator.note({ received: { objects: ingested.objectCount, bytes: ingested.receivedBytes } });
  if (command === undefined || (isAtomic(update) && refusals.size > 0)) {
    if (!isSilent(stages)) narrator.say(lines.receivedLine(ingested));
    return { kind: "nothing" };
  }
  const tree = await openSourceTree(repository, command.newId, ingested.pack);
  narrator.say(lines.identityLine(request.app, branchName(command.name) ?? command.name, tree));
  narrator.say(lines.receivedLine(ingested));
  narrator.note({ commit: tree.commitId, branch: branchName(command.name), subject: tree.subject });
  const data = await chooseData(update.pushOptions, command, supervisor);
  if (data.kind === "failed") return { kind: "failed", command, failure: data.failure };
  const built = await buildTree({ request, tree, repository, supervisor, now: request.now }, host);
  if (built.kind === "failed") return { kind: "failed", command, failure: built.failure };
  narrator.say(lines.builtLine(built));
  for (const line of lines.packageLines(built)) narrator.say(line);
  for (const line of lines.assetLines(built)) narrator.say(line);
  if (built.kind === "built") for (const line of lines.warningLines(built.warnings)) narrator.say(line);
  if (built.kind === "built") for (const warning of built.warnings) narrator.detail(`warning   ${warning}`);
  narrator.detail(`code      ${built.candidate.code.codeId}, from tree ${tree.treeId}`);
  const sameAs = built.kind === "known" ? built.deployNumber : undefined;
  narrator.note({ build: { ...built.facts, codeId: built.candidate.code.codeId, sameAs } });
  if (built.kind === "built") narrator.note({ assets: built.assets });
  const restoresSnapshot = data.kind === "restored" ? data.snapshotId : undefined;
  return { kind: "ready", command, tree, built, restoresSnapshot };
}

/** After every push to the ref that was built before. One at a time to each ref from here on. */
async function wait({ narrator, request }: Stages, built: Prepared, ticket: Ticket): Promise<Prepared> {
  if (built.kind !== "ready") return built;
  const failure = await takeTurn(ticket, { narrator, now: request.now });
  return failure === undefined ? built : { kind: "failed", command: built.command, failure };
}

/** Starts the code on a copy of the app's data, where nobody can see it fail. */
async function rehearse({ supervisor, narrator }: Stages, prepared: Prepared): Promise<Prepared> {
  if (prepared.kind !== "ready") return prepared;
  const { command, tree, built, restoresSnapshot } = prepared;
  const target = { facet: PRODUCTION_FACET, ref: command.name, commitId: tree.commitId };
  const outcome = await supervisor.rehearse({ ...built.candidate, restoresSnapshot }, target);
  if (outcome.kind === "failed") {
    return { kind: "failed", command: prepared.command, failure: describeStartFailure("rehearse", outcome) };
  }
  narrator.say(lines.rehearsedLine(outcome));
  for (const line of lines.schemaLines(outcome)) narrator.say(line);
  narrator.detail(`exports   ${outcome.exports.map(({ name, kind }) => `${name} (${kind})`).join(", ")}`);
  const { data, tookMs, schemaChanges } = outcome;
  narrator.note({ rehearsal: { data, tookMs, schemaChanges } });
  return prepared;
}

/** The one transaction that makes the push visible: refs, pack, deploy and live pointer together. */
async function commit(
  stages: Stages,
  ready: { readonly checked: CheckedRefs; readonly rehearsed: Prepared; readonly ingested: StoredPack },
): Promise<Committed> {
  const { update, repository, request } = stages;
  const { checked, rehearsed, ingested } = ready;
  const refusals = new Map(checked.refusals);
  if (rehearsed.kind === "failed") {
    await explainFailure(stages, rehearsed.failure);
    refusals.set(rehearsed.command.name, rehearsed.failure);
  }
  const commands = update.commands.flatMap(({ name, oldId, newId }) => {
    const refName = refusals.has(name) ? undefined : parseRefName(name);
    return refName === undefined ? [] : [{ name: refName, oldId, newId, peeledId: checked.peeledIds.get(name) }];
  });
  if (commands.length === 0 || (isAtomic(update) && refusals.size > 0)) return { refusals, deploy: undefined };
  const outcome = await commitChecked(stages, {
    repositoryId: repository.state.repositoryId,
    commands,
    atomic: isAtomic(update),
    pack: ingested.pack,
    checkedPackIds: packIdsOf(repository),
    ...(rehearsed.kind === "ready" ? newDeploy(stages, rehearsed) : {}),
    nowMs: request.now(),
  });
  for (const result of outcome.results) if (result.kind === "refused") refusals.set(result.name, result);
  const stored = commands.filter(({ name }) => name !== outcome.deploy?.ref && !refusals.has(name));
  if (!isSilent(stages)) for (const line of lines.storedLines(stored)) stages.narrator.say(line);
  return { refusals, deploy: outcome.deploy };
}

/** Where the repository was compacted since the push was checked against it, the push is checked once more, and committed if it may. */
async function commitChecked({ supervisor, host }: Stages, checked: PushCommit): Promise<CommitOutcome> {
  const outcome = await supervisor.commit(checked);
  if (outcome.mustCheckAgain !== true) return outcome;
  const repository = openRepository(host.packs, await supervisor.openForPush());
  const newIds = checked.commands.map(({ newId }) => newId).filter((id) => id !== ZERO_ID);
  const isComplete = await arePacksClosed(withPack(repository, checked.pack), newIds);
  return isComplete ? supervisor.commit({ ...checked, checkedPackIds: packIdsOf(repository) }) : outcome;
}

function packIdsOf({ state }: Repository): string[] {
  return state.packs.map(({ packId }) => packId);
}

function newDeploy(
  { request, deployNumber: number }: Stages,
  ready: Prepared & { kind: "ready" },
): Pick<PushCommit, "deploy" | "build"> {
  const { command, tree, built, restoresSnapshot } = ready;
  const ref = parseRefName(command.name);
  if (ref === undefined) throw new Error(`${command.name} was to be deployed, and is no valid ref name.`);
  const { candidate, buildKey, facts } = built;
  const { commitId, treeId, subject } = tree;
  const { code, varsJson, assetsId } = candidate;
  const { actor } = request;
  const place = { number, ref, commitId, treeId, subject, actor };
  const deploy = { ...place, codeId: code.codeId, varsJson, assetsId, restoresSnapshot };
  return { deploy, build: { buildKey, facts } };
}

/** Sees the deploy live, or undone after all. */
async function cutOver(stages: Stages, { refusals, deploy }: Committed): Promise<Refusals> {
  const { supervisor, narrator, request } = stages;
  if (deploy === undefined) return refusals;
  const outcome = await supervisor.cutOver(deploy.number);
  if (outcome.kind === "reverted") {
    const failure = describeStartFailure("cut over", outcome.failure);
    await explainFailure(stages, failure);
    return new Map([...refusals, [deploy.ref, failure]]);
  }
  if (outcome.kind === "superseded") {
    narrator.say(lines.supersededLine(outcome.byDeployNumber));
    narrator.note({ supersededBy: outcome.byDeployNumber });
    return refusals;
  }
  narrator.say(lines.cutOverLine(outcome));
  const data = await supervisor.tidySnapshots(deploy.number);
  for (const line of snapshotLines(data)) narrator.say(line);
  for (const line of lines.liveLines(deploy, request.appUrl)) narrator.say(line);
  narrator.note({
    deploy: deploy.number,
    url: request.appUrl,
    undo: lines.undoCommand(deploy),
    cutover: outcome,
    data,
  });
  return refusals;
}

/** What git is told of each ref, and the pusher of refs that were only stored. */
function report({ update, narrator, plan }: Stages, refusals: Refusals): PushReport {
  const isUndone = isAtomic(update) && refusals.size > 0;
  const refs = update.commands.map(({ name }) => {
    const refusal = refusals.get(name) ?? (isUndone ? ATOMIC : undefined);
    if (refusal === undefined) return { kind: "ok" as const, name };
    return { kind: "refused" as const, name, reason: reasonOf(refusal), code: refusal.code };
  });
  narrator.note({ ok: refs.every((ref) => ref.kind === "ok"), refs });
  const refusal = plan.deployed && (refusals.get(plan.deployed.name) ?? (isUndone ? ATOMIC : undefined));
  if (refusal !== undefined) narrator.note({ failure: describeRefusal(refusal) });
  return { refs };
}

/** A stage's failure says which stage; git's own refusals come before the build. */
function describeRefusal(refusal: Refusal | PushFailure) {
  return { stage: "stage" in refusal ? refusal.stage : "ingest", code: refusal.code, reason: refusal.reason };
}

/** What is said of a ref that had nothing wrong with it. */
const ATOMIC: Refusal = { code: "ref-refused", reason: "atomic push failure: another ref was refused" };

/** A pack that cannot be stored refuses every ref. */
function refuseUnpacked({ update, narrator }: Stages, { code, reason }: Refusal): PushReport {
  narrator.say(`error: ${reason}`);
  // A shallow client's history that is cut off here too: nothing is wrong with the pack, and git says so of the refs.
  const isUnpacked = code === "ref-refused";
  const refReason = reasonOf({ code, reason: isUnpacked ? reason : `unpacker error: ${reason}` });
  const refs = update.commands.map(({ name }) => ({ kind: "refused" as const, name, reason: refReason, code }));
  narrator.note({ ok: false, refs, failure: { stage: "ingest", code, reason } });
  return isUnpacked ? { refs } : { unpackError: reasonOf({ code, reason }), refs };
}

async function explainFailure({ supervisor, narrator, request }: Stages, failure: PushFailure): Promise<void> {
  const live = (await supervisor.describe())?.live;
  for (const line of lines.failureLines(failure, live, request.appUrl)) narrator.say(line);
}

/** Where nothing deploys, a push that asks for quiet gets it, as from any git server. */
function isSilent({ repository, update }: Stages): boolean {
  return !repository.state.settings.deploy && update.capabilities.has("quiet");
}

function isAtomic(update: UpdateRequest): boolean {
  return update.capabilities.has("atomic");
}

function reasonOf({ code, reason }: Refusal): string {
  return reason.startsWith(code) ? reason : `${code}: ${reason}`;
}
