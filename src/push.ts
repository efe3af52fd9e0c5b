// A push, top to bottom: receive, ingest, build, rehearse, commit, cut over, report. Each stage returns a plain value and
// this file hands it on; stages never call stages. Until `commit` nothing is visible: a push that fails before it leaves
// refs, code and data as they were, and what it wrote to R2 is named by nothing and swept.
import { HostingError, type ErrorCode } from "./errors.ts";
import type { AppName } from "./app/app-name.ts";
import type { CommitOutcome, PushCommit } from "./app/commit.ts";
import type { Supervisor } from "./app/supervisor.ts";
import { ZERO_ID, type ObjectId } from "./git/object-id.ts";
import { PktLineReader } from "./git/pkt-line.ts";
import { parseRefName } from "./git/ref-name.ts";
import type { PushReport } from "./git/report-status.ts";
import { readUpdateRequest, type UpdateRequest } from "./git/update-request.ts";
import { answerPush, type Narrator } from "./push-answer.ts";
import { deletedApp } from "./push-deleted.ts";
import { buildTree } from "./push-build.ts";
import { cutOverAll } from "./push-cutover.ts";
import { chooseData } from "./push-data.ts";
import { deploysOf, recordDeployments, type Deployment, type Prepared } from "./push-deployment.ts";
import { explainFailure } from "./push-explain.ts";
import { describeStartFailure, failureFacts } from "./push-failure.ts";
import type { Host } from "./push-host.ts";
import { planPush, type PushPlan } from "./push-plan.ts";
import * as lines from "./push-report.ts";
import { checkTypes } from "./push-typecheck.ts";
import { takeTurn, type Ticket } from "./push-turn.ts";
import { pickVariables } from "./push-variable-lines.ts";
import type { MadeDeploy } from "./push-report.ts";
import { arePacksClosed } from "./repo/compaction.ts";
import { receivePackBytes, resolvePack, type IngestOutcome, type ReceivedPack } from "./repo/pack-ingest.ts";
import { checkCommands, checkForwards, checkTips } from "./repo/receive-pack.ts";
import { openRepository, withPack, type Repository } from "./repo/repository.ts";
import { openSourceTree } from "./repo/source-tree.ts";

/** A push whose sender may push: http/ has seen to that. */
export interface PushRequest {
  readonly app: AppName;
  /** The name of the token that pushes; "owner" for the owner's own. */
  readonly actor: string;
  /** The update request and the pack, uncompressed. */
  readonly body: ReadableStream<Uint8Array>;
  /** The URL of what stands before HOST in a name of the app's, for the report. */
  readonly urlOf: (label: string) => string;
  /** Where the app's resources of the API begin. */
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
): Promise<Omit<Stages, "narrator" | "plan" | "deployments">> {
  const supervisor = host.env.SUPERVISOR.getByName(request.app);
  const state = await supervisor.openForPush();
  if (state.deletedUntilMs !== undefined) throw deletedApp(request, state.deletedUntilMs);
  const repository = openRepository(host.packs, state);
  const pack = made.pack === undefined ? undefined : await receivePackBytes(made.pack, repository.store);
  if (pack?.kind === "refused" && pack.code === "push-too-large") throw new HostingError(pack.code, pack.reason);
  return { request, host, supervisor, repository, update: made.update, pack };
}

/** What the stages share. */
interface Stages {
  readonly request: Pick<PushRequest, "app" | "actor" | "urlOf" | "apiUrl" | "now">;
  readonly host: Host;
  readonly supervisor: DurableObjectStub<Supervisor>;
  readonly repository: Repository;
  readonly update: UpdateRequest;
  /** undefined: none was to be sent. */
  readonly pack: ReceivedPack | undefined;
  /** Of the first deployment, if the push has any: its log is the push's. */
  readonly narrator: Narrator;
  readonly plan: PushPlan;
  readonly deployments: readonly Deployment[];
}

/** Why a ref is refused. The reason is one line without the code. */
interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** By ref name. */
type Refusals = ReadonlyMap<string, Refusal>;

/** The refs that may move as far as git is concerned, and those of them that deploy. */
interface CheckedRefs {
  readonly refusals: Refusals;
  readonly deployments: readonly Deployment[];
  /** The production branch, if the push has it, whatever became of it. */
  readonly production: string | undefined;
  /** What annotated tags name in the end, by ref name. */
  readonly peeledIds: ReadonlyMap<string, ObjectId>;
}

/** What the transaction left to be done, and the refs that it moved. */
interface Committed {
  readonly refusals: Refusals;
  readonly outcome: CommitOutcome | undefined;
}

type StoredPack = Extract<IngestOutcome, { kind: "stored" }>;

/** Sees to it that a push which is to deploy is in the history before anything of it can fail. */
async function record(begun: Omit<Stages, "plan" | "deployments">): Promise<PushReport> {
  const { request, supervisor, update, narrator } = begun;
  const { settings, head } = begun.repository.state;
  const { commands, pushOptions } = update;
  const { deploy: deploys, maxPreviews } = settings;
  const plan = planPush({ deploys, maxPreviews, head, commands, pushOptions });
  const { apiUrl, actor, now } = request;
  return recordDeployments(plan.deployments, { narrator, supervisor, apiUrl, actor, now }, (deployments) =>
    runStages({ ...begun, plan, deployments, narrator: deployments[0]?.narrator ?? narrator }),
  );
}

/** The stages after the pack was received, in their order. Whatever refuses a ref before the commit leaves it as it is. */
async function runStages(stages: Stages): Promise<PushReport> {
  const { narrator } = stages;
  narrator.note({ app: stages.request.app });
  const ingested = await narrator.time("ingest", () => ingest(stages));
  if (ingested.kind === "refused") return refuseUnpacked(stages, ingested);
  const checked = await narrator.time("check", () => checkRefs(stages, ingested));
  // Turns that this push takes are given back at its end, however it ends.
  using turns = new DisposableStack();
  const rehearsed = await prepare(stages, { checked, ingested, turns });
  const committed = await narrator.time("commit", () => commit(stages, { checked, rehearsed, ingested }));
  const refusals = await narrator.time("cutOver", () => cutOver(stages, checked, committed));
  return report(stages, { ...committed, refusals });
}

/** Builds and rehearses branch by branch, so that what is said of each is together. */
async function prepare(
  stages: Stages,
  {
    checked,
    ingested,
    turns,
  }: { readonly checked: CheckedRefs; readonly ingested: StoredPack; readonly turns: DisposableStack },
): Promise<readonly Prepared[]> {
  const { deployments, refusals } = checked;
  const { update } = stages;
  stages.narrator.note({ received: { objects: ingested.objectCount, bytes: ingested.receivedBytes } });
  if (!isSilent(stages)) stages.narrator.say(lines.receivedLine(ingested));
  if (isAtomic(update) && refusals.size > 0) return [];
  const prepared: Prepared[] = [];
  for (const deployment of deployments) {
    // oxlint-disable no-await-in-loop -- one builder, one rehearsal at a time, and turns in the one order that all pushes take them in
    const { narrator } = deployment;
    const ticket = turns.use(await begin(stages, deployment));
    const built = await narrator.time("build", () => build(stages, deployment, ingested));
    const turned = await narrator.time("wait", () => wait(stages, built, ticket));
    prepared.push(await narrator.time("rehearse", () => rehearse(stages, turned)));
    // oxlint-enable no-await-in-loop
  }
  return prepared;
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
    if (refusals.get(name) !== refusal) continue;
    for (const line of refusal.lines) stages.narrator.say(line);
    stages.narrator.note({ explained: refusal.lines });
  }
  const deployments = stages.deployments.filter(({ command }) => !refusals.has(command.name));
  const production = plan.deployments.find(({ preview }) => preview === undefined)?.command.name;
  return { refusals, deployments, production, peeledIds: tips.peeledIds };
}

/** Lists a branch that deploys where other pushes to it see it, until the stub that comes back is let go. */
async function begin({ request, supervisor }: Stages, { command }: Deployment) {
  const { name: ref, newId: commitId } = command;
  return supervisor.beginPush({ ref, commitId, actor: request.actor, startedMs: request.now() });
}

/** A commit that would go live, as code. */
async function build(stages: Stages, deployment: Deployment, ingested: StoredPack): Promise<Prepared> {
  const { request, repository, supervisor, host, update } = stages;
  const { command, branch, preview, narrator } = deployment;
  const tree = await openSourceTree(repository, command.newId, ingested.pack);
  const identity = lines.identityLine(request.app, branch, tree);
  narrator.say(identity);
  narrator.brief(identity);
  narrator.note({ commit: tree.commitId, branch, subject: tree.subject });
  const data = preview === undefined ? await chooseData(update.pushOptions, command, supervisor) : undefined;
  if (data?.kind === "failed") return { kind: "failed", deployment, failure: data.failure };
  const built = await buildTree({ request, tree, repository, supervisor, now: request.now }, host);
  if (built.kind === "failed") return { kind: "failed", deployment, failure: built.failure };
  narrator.say(lines.builtLine(built));
  const { settings } = repository.state;
  const typecheckInput = { pushOptions: update.pushOptions, setting: settings.typecheck, tree, narrator };
  const untyped = await checkTypes({ ...typecheckInput, entry: built.facts.entry, loader: host.env.LOADER });
  if (untyped !== undefined) return { kind: "failed", deployment, failure: untyped };
  for (const line of lines.packageLines(built)) narrator.say(line);
  for (const line of lines.assetLines(built)) narrator.say(line);
  if (built.kind === "built") for (const line of lines.warningLines(built.warnings)) narrator.say(line);
  if (built.kind === "built") for (const warning of built.warnings) narrator.detail(`warning   ${warning}`);
  narrator.detail(`code      ${built.candidate.code.codeId}, from tree ${tree.treeId}`);
  const sameAs = built.kind === "known" ? built.deployNumber : undefined;
  narrator.note({ build: { ...built.facts, codeId: built.candidate.code.codeId, sameAs } });
  if (built.kind === "built") narrator.note({ assets: built.assets });
  const restoresSnapshot = data?.kind === "restored" ? data.snapshotId : undefined;
  return { kind: "ready", deployment, tree, built, restoresSnapshot };
}

/** After every push to the ref that was built before. One at a time to each ref from here on. */
async function wait({ request }: Stages, built: Prepared, ticket: Ticket): Promise<Prepared> {
  if (built.kind !== "ready") return built;
  const { deployment } = built;
  const failure = await takeTurn(ticket, { narrator: deployment.narrator, now: request.now });
  return failure === undefined ? built : { kind: "failed", deployment, failure };
}

/** Starts the code on a copy of the data, where nobody can see it fail. */
async function rehearse({ supervisor }: Stages, prepared: Prepared): Promise<Prepared> {
  if (prepared.kind !== "ready") return prepared;
  const { deployment, tree, built, restoresSnapshot } = prepared;
  const target = { ref: deployment.command.name, commitId: tree.commitId, preview: deployment.preview };
  const configuration = await pickVariables(supervisor, deployment, built.candidate);
  const { envId } = configuration;
  const outcome = await supervisor.rehearse({ ...built.candidate, restoresSnapshot, envId }, target);
  if (outcome.kind === "failed") {
    return { kind: "failed", deployment, failure: describeStartFailure("rehearse", outcome) };
  }
  const { narrator } = deployment;
  narrator.say(lines.rehearsedLine(outcome));
  for (const line of lines.schemaLines(outcome)) narrator.say(line);
  narrator.detail(`exports   ${outcome.exports.map(({ name, kind }) => `${name} (${kind})`).join(", ")}`);
  narrator.note({ rehearsal: lines.rehearsalFacts(outcome) });
  return { ...prepared, configuration };
}

/** The one transaction that makes the push visible: refs, pack, deploy and live pointer together. */
async function commit(
  stages: Stages,
  ready: { readonly checked: CheckedRefs; readonly rehearsed: readonly Prepared[]; readonly ingested: StoredPack },
): Promise<Committed> {
  const { update, repository, request } = stages;
  const { checked, rehearsed, ingested } = ready;
  const refusals = new Map(checked.refusals);
  for (const one of rehearsed) {
    if (one.kind !== "failed") continue;
    // oxlint-disable-next-line no-await-in-loop -- line after line
    await explainFailure(stages, one.deployment, one.failure);
    refusals.set(one.deployment.command.name, one.failure);
  }
  if (repository.state.head === undefined && refusals.has(checked.production ?? "")) {
    for (const { deployment } of rehearsed) {
      if (!refusals.has(deployment.command.name)) refusals.set(deployment.command.name, NO_PRODUCTION);
    }
  }
  const commands = update.commands.flatMap(({ name, oldId, newId }) => {
    const refName = refusals.has(name) ? undefined : parseRefName(name);
    return refName === undefined ? [] : [{ name: refName, oldId, newId, peeledId: checked.peeledIds.get(name) }];
  });
  if (commands.length === 0 || (isAtomic(update) && refusals.size > 0)) return { refusals, outcome: undefined };
  const outcome = await commitChecked(stages, {
    repositoryId: repository.state.repositoryId,
    commands,
    atomic: isAtomic(update),
    pack: ingested.pack,
    checkedPackIds: packIdsOf(repository),
    ...deploysOf(
      rehearsed.filter(({ deployment }) => !refusals.has(deployment.command.name)),
      request.actor,
    ),
    nowMs: request.now(),
  });
  for (const result of outcome.results) if (result.kind === "refused") refusals.set(result.name, result);
  return { refusals, outcome };
}

/** What moved without being deployed, and what ended with it. */
function sayMoved(stages: Stages, { refusals, outcome }: Committed): void {
  if (outcome === undefined) return;
  const deployed = new Set(deploysIn(outcome).map(({ ref }) => ref));
  const stored = stages.update.commands.filter(({ name }) => !deployed.has(name) && !refusals.has(name));
  if (!isSilent(stages)) for (const line of lines.storedLines(stored)) stages.narrator.say(line);
  for (const line of lines.endedLines(outcome.ended, outcome.expired)) stages.narrator.say(line);
}

/** Sees each deploy live, or undone after all. */
async function cutOver(stages: Stages, checked: CheckedRefs, { refusals, outcome }: Committed): Promise<Refusals> {
  const made = outcome === undefined ? [] : deploysIn(outcome);
  const { deployments } = checked;
  const moved = (): void => sayMoved(stages, { refusals, outcome });
  const input = { ...stages, deployments, isAtomic: isAtomic(stages.update), sayMoved: moved };
  return new Map([...refusals, ...(await cutOverAll(input, made))]);
}

/** Production's comes first. */
function deploysIn({ deploy, previews }: CommitOutcome): readonly MadeDeploy[] {
  return deploy === undefined ? previews : [deploy, ...previews];
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

/** What git is told of each ref, and the pusher of refs that were only stored. */
function report({ update, narrator, deployments }: Stages, { refusals }: Committed): PushReport {
  const isUndone = isAtomic(update) && refusals.size > 0;
  const refs = update.commands.map(({ name }) => {
    const refusal = refusals.get(name) ?? (isUndone ? ATOMIC : undefined);
    if (refusal === undefined) return { kind: "ok" as const, name };
    return { kind: "refused" as const, name, reason: reasonOf(refusal), code: refusal.code };
  });
  narrator.note({ ok: refs.every((ref) => ref.kind === "ok"), refs });
  for (const deployment of deployments) {
    const refusal = refusals.get(deployment.command.name) ?? (isUndone ? ATOMIC : undefined);
    if (refusal !== undefined) deployment.narrator.note({ failure: failureFacts(refusal) });
  }
  return { refs };
}

/** What is said of a ref that had nothing wrong with it. */
const ATOMIC: Refusal = { code: "ref-refused", reason: "atomic push failure: another ref was refused" };

/** Of a preview in a first push whose production branch is refused. */
const NO_PRODUCTION: Refusal = {
  code: "ref-refused",
  reason: "the branch that was to be production was refused, and without one there are no previews",
};

/** A pack that cannot be stored refuses every ref. */
function refuseUnpacked({ update, narrator, deployments }: Stages, { code, reason }: Refusal): PushReport {
  narrator.say(`error: ${reason}`);
  // A shallow client's history that is cut off here too: nothing is wrong with the pack, and git says so of the refs.
  const isUnpacked = code === "ref-refused";
  const refReason = reasonOf({ code, reason: isUnpacked ? reason : `unpacker error: ${reason}` });
  const refs = update.commands.map(({ name }) => ({ kind: "refused" as const, name, reason: refReason, code }));
  narrator.note({ ok: false, refs });
  for (const deployment of deployments) {
    deployment.narrator.note({ failure: failureFacts({ code, reason }) });
  }
  return isUnpacked ? { refs } : { unpackError: reasonOf({ code, reason }), refs };
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
