// Going back without git: a kept deploy, or its data, goes live again by the stages of a push: rehearse, commit, cut over. The production
// ref moves to the deploy's commit with it, so that its commit is what runs here too. Nothing is built. A change of variables
// (push-variables.ts) is what is live with another configuration, by the same stages; its ref stays.
import { HostingError } from "./errors.ts";
import type { AppName } from "./app/app-name.ts";
import type { PreparedDeploy } from "./app/deploy-check.ts";
import { environmentLabel, versionFacet } from "./app/environment.ts";
import type { Supervisor } from "./app/supervisor.ts";
import { ZERO_ID } from "./git/object-id.ts";
import type { AttemptFacts, Narrator } from "./push-answer.ts";
import { snapshotLines } from "./push-data.ts";
import { describeEnd, describeStartFailure } from "./push-failure.ts";
import { recordAttempt } from "./push-history.ts";
import type { Host } from "./push-host.ts";
import * as lines from "./push-report.ts";
import { asInLines } from "./push-variable-lines.ts";

type Entry = NonNullable<Awaited<ReturnType<Supervisor["findHistoryEntry"]>>>;
type Deploy = NonNullable<Entry["deploy"]>;

/** What is to go live again, and which data with it. */
export interface RollbackRequest {
  readonly app: AppName;
  readonly actor: string;
  readonly kind: "rollback" | "redeploy" | "restore";
  /** undefined: the deploy that is live. */
  readonly deployNumber: number | undefined;
  /** The present data, that of when the deploy was last live, or that of a snapshot. */
  readonly data: "present" | "deploy" | { readonly snapshotId: number };
  readonly urlOf: (label: string) => string;
  readonly apiUrl: string;
  readonly now: () => number;
}

/** What a push with -o json says of a deploy that went live. */
export type RollbackReport = AttemptFacts & { readonly deploy: number };

/** Who wants kept code live again, and what that is called in the history. */
export interface AgainRequest extends Pick<RollbackRequest, "app" | "actor" | "urlOf" | "apiUrl" | "now"> {
  readonly kind: RollbackRequest["kind"] | "variables";
}

/** The kept deploy, and what is to be otherwise than it was. */
export interface DeployAgain extends Pick<PreparedDeploy, "envId" | "variables" | "restoresSnapshot"> {
  readonly deploy: Deploy;
  /** Lines of the report. */
  readonly notes: readonly string[];
}

/** What the stages share. */
interface Rollback extends DeployAgain {
  readonly request: AgainRequest;
  readonly supervisor: DurableObjectStub<Supervisor>;
}

/**
 * Makes a kept deploy live again, as a deploy of its own.
 * @throws HostingError what cannot be gone back to, and the failure's code where it does not come to be live
 */
export async function rollBack(request: RollbackRequest, host: Host): Promise<RollbackReport> {
  const supervisor = host.env.SUPERVISOR.getByName(request.app);
  const deploy = await chooseDeploy(request, supervisor);
  const restoresSnapshot = await chooseSnapshot(request, supervisor, deploy);
  const { asIn, ...returning } = await supervisor.returnVariables(deploy.number);
  return deployAgain(request, host, { deploy, restoresSnapshot, ...returning, notes: asInLines(asIn) });
}

/**
 * The stages, for code that is kept.
 * @throws HostingError with the failure's code where it does not come to be live
 */
export async function deployAgain(request: AgainRequest, host: Host, again: DeployAgain): Promise<RollbackReport> {
  const supervisor = host.env.SUPERVISOR.getByName(request.app);
  const { deploy } = again;
  const facts: Record<string, unknown> = { app: request.app, commit: deploy.commitId, subject: deploy.subject };
  const attempt = { kind: request.kind, ref: deploy.ref, commitId: deploy.commitId, actor: request.actor };
  const input = { narrator: silentNarrator(facts), supervisor, attempt, apiUrl: request.apiUrl, now: request.now };
  const outcome = await recordAttempt(input, async (narrator, number) => {
    const result = await runStages({ ...again, request, supervisor }, narrator, number);
    narrator.note("deploy" in result ? { subject: deploy.subject } : { subject: deploy.subject, failure: result });
    return result;
  });
  if ("deploy" in outcome) return { ...facts, deploy: outcome.deploy };
  const { code, stage, reason } = outcome;
  throw new HostingError(code, `The ${stage} failed: ${reason} What was live is live. Log: ${String(facts["log"])}`);
}

type StagesOutcome = { readonly deploy: number } | NonNullable<AttemptFacts["failure"]>;

async function runStages(rollback: Rollback, narrator: Narrator, number: number | undefined): Promise<StagesOutcome> {
  const { request, supervisor, deploy, restoresSnapshot, envId, variables } = rollback;
  const { ref, commitId, treeId, subject, codeId, varsJson, assetsId, probe } = deploy;
  const what = `${request.kind} ${request.kind === "variables" ? "of" : "to"} deploy ${deploy.number},`;
  narrator.say(lines.identityLine(request.app, what, deploy));
  for (const line of rollback.notes) narrator.say(line);
  const candidate = { code: { codeId }, varsJson, assetsId, probe, restoresSnapshot, envId };
  const target = { ref, commitId };
  const rehearsal = await narrator.time("rehearse", async () => await supervisor.rehearse(candidate, target));
  if (rehearsal.kind === "failed") return fail(narrator, describeStartFailure("rehearse", rehearsal));
  narrator.say(lines.rehearsedLine(rehearsal));
  for (const line of lines.schemaLines(rehearsal)) narrator.say(line);
  narrator.note({ rehearsal: lines.rehearsalFacts(rehearsal) });

  const { actor } = request;
  const place = { number, ref, commitId, treeId, subject, actor };
  const again = { ...place, codeId, varsJson, assetsId, probe, restoresSnapshot, envId, variables };
  const committed = await narrator.time("commit", () => commit(rollback, again));
  if ("code" in committed) return fail(narrator, { stage: "commit", lines: [committed.reason], ...committed });

  const cutover = await narrator.time("cutOver", async () => await supervisor.cutOver(committed.number));
  if (cutover.kind === "ended") return fail(narrator, describeEnd());
  if (cutover.kind === "reverted") return fail(narrator, describeStartFailure("cut over", cutover.failure));
  if (cutover.kind === "superseded") {
    narrator.say(lines.supersededLine(cutover.byDeployNumber));
    narrator.note({ supersededBy: cutover.byDeployNumber });
    return { deploy: committed.number };
  }
  narrator.say(lines.cutOverLine(cutover));
  const data = await supervisor.tidySnapshots(committed.number);
  for (const line of snapshotLines(data)) narrator.say(line);
  const url = request.urlOf(request.app);
  const deployUrl = request.urlOf(environmentLabel(request.app, versionFacet(committed.number)));
  for (const line of lines.liveLines(committed, { url, deployUrl, isPreview: false, apiUrl: request.apiUrl })) {
    narrator.say(line);
  }
  narrator.note({ url, deployUrl, undo: lines.undoCommand(committed, request.apiUrl), cutover, data });
  return { deploy: committed.number };
}

function fail(
  narrator: Narrator,
  failure: NonNullable<AttemptFacts["failure"]> & { readonly lines: readonly string[] },
): NonNullable<AttemptFacts["failure"]> {
  const { stage, code, reason } = failure;
  for (const line of [`error: ${stage} failed (${code})`, ...failure.lines]) narrator.say(line);
  return { stage, code, reason };
}

/** Objects of kept deploys are never left out of a compaction, so that another catalogue is as good as the one before. */
async function commit(
  { request, supervisor }: Rollback,
  deploy: Parameters<Supervisor["commit"]>[0]["deploy"] & object,
) {
  for (let tries = 0; ; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop -- what a compaction changed is read once more
    const state = await supervisor.readRepository();
    if (state === undefined) throw noSuchApp(request.app);
    const oldId = state.refs.find(({ name }) => name === deploy.ref)?.id ?? ZERO_ID;
    const staysAt = request.kind === "variables" && oldId !== ZERO_ID ? oldId : undefined;
    // oxlint-disable-next-line no-await-in-loop -- as above
    const outcome = await supervisor.commit({
      repositoryId: state.repositoryId,
      commands: [{ name: deploy.ref, oldId, newId: staysAt ?? deploy.commitId }],
      atomic: true,
      checkedPackIds: state.packs.map(({ packId }) => packId),
      deploy,
      nowMs: request.now(),
    });
    if (outcome.deploy !== undefined) return outcome.deploy;
    const [result] = outcome.results;
    if (outcome.mustCheckAgain === true && tries < 3) continue;
    if (result?.kind === "refused") return { code: result.code, reason: result.reason };
    throw new Error(`The ${request.kind} of ${request.app} was committed and made no deploy.`);
  }
}

async function chooseDeploy(
  { app, deployNumber }: RollbackRequest,
  supervisor: DurableObjectStub<Supervisor>,
): Promise<Deploy> {
  const description = await supervisor.describe();
  if (description === undefined) throw noSuchApp(app);
  if (deployNumber === undefined) {
    if (description.live !== undefined) return description.live;
    throw new HostingError("app-not-deployed", `Nothing of ${app} has been deployed yet.`);
  }
  const entry = await supervisor.findHistoryEntry(deployNumber);
  if (entry === undefined) {
    throw new HostingError("not-found", `There is no deploy ${deployNumber} of ${app}, or none any more.`);
  }
  if (entry.deploy === undefined) {
    throw new HostingError(
      "invalid-request",
      `Deploy ${deployNumber} of ${app} failed before it had code to go back to.`,
    );
  }
  if (entry.deploy.ref !== description.productionBranch) {
    const branch = entry.deploy.ref.replace("refs/heads/", "");
    throw new HostingError(
      "invalid-request",
      `Deploy ${deployNumber} is of ${branch}, which is not the production branch.`,
    );
  }
  return entry.deploy;
}

async function chooseSnapshot(
  { app, data }: RollbackRequest,
  supervisor: DurableObjectStub<Supervisor>,
  deploy: Deploy,
): Promise<number | undefined> {
  if (data === "present") return undefined;
  if (data === "deploy") {
    const choice = await supervisor.chooseData({ deployNumber: deploy.number });
    if (choice.kind === "found") return choice.snapshot.id;
    throw new HostingError("snapshot-not-kept", choice.reason);
  }
  const snapshots = await supervisor.listSnapshots();
  if (snapshots.some(({ id }) => id === data.snapshotId)) return data.snapshotId;
  throw new HostingError("not-found", `There is no snapshot ${data.snapshotId} of ${app}, or none any more.`);
}

function noSuchApp(app: string): HostingError {
  return new HostingError("not-found", `There is no app ${app}.`);
}

/** Nobody reads along: what is said goes into the log, and the facts into the answer. */
function silentNarrator(facts: Record<string, unknown>): Narrator {
  return {
    say: () => undefined,
    detail: () => undefined,
    brief: () => undefined,
    note: (more) => void Object.assign(facts, more),
    time: (_stage, work) => work(),
  };
}
