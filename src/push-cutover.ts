// The last stage of a push: each deploy that was committed is seen live, or undone after all. Of an atomic push all are undone then, with every
// other ref that it moved; undoing.ts has done it, and here it is told.
import { environmentLabel, versionFacet } from "./app/environment.ts";
import type { ErrorCode } from "./errors.ts";
import { dataLines, snapshotLines } from "./push-data.ts";
import type { Deployment } from "./push-deployment.ts";
import { explainFailure, findStillLive, type ExplainInput } from "./push-explain.ts";
import { describeEnd, describeStartFailure } from "./push-failure.ts";
import * as lines from "./push-report.ts";

/** The push, as far as this stage needs it. */
export interface CutoverInput extends ExplainInput {
  /** Those that were checked; each deploy is of one of them. */
  readonly deployments: readonly Deployment[];
  readonly isAtomic: boolean;
  /** Says which refs moved without being deployed. */
  readonly sayMoved: () => void;
}

/** Refs that are not where the push wanted them, by name. */
type Undone = ReadonlyMap<string, { readonly code: ErrorCode; readonly reason: string }>;

/** Sees each deploy live, or undone after all. Of an atomic push nothing is told as live before all of it is. */
export async function cutOverAll(input: CutoverInput, made: readonly lines.MadeDeploy[]): Promise<Undone> {
  const undone = new Map<string, { readonly code: ErrorCode; readonly reason: string }>();
  const ends: (() => Promise<void>)[] = [];
  if (!input.isAtomic) input.sayMoved();
  for (const deploy of made) {
    // oxlint-disable no-await-in-loop -- a preview copies what production has become
    const outcome = await input.supervisor.cutOver(deploy.number);
    if (outcome.kind === "ended") {
      const failure = describeEnd();
      await explainFailure(input, deploymentOf(input, deploy), failure);
      undone.set(deploy.ref, failure);
      continue;
    }
    if (outcome.kind !== "reverted") {
      if (input.isAtomic) ends.push(() => tellEnd(input, deploy, outcome));
      else await tellEnd(input, deploy, outcome);
      continue;
    }
    const failed = made.find(({ number }) => number === outcome.ofDeploy) ?? deploy;
    const failure = describeStartFailure("cut over", outcome.failure);
    await explainFailure(input, deploymentOf(input, failed), failure);
    undone.set(failed.ref, failure);
    if (!input.isAtomic) continue;
    for (const name of outcome.stayed) if (!undone.has(name)) undone.set(name, MOVED_ON);
    await tellGoneBack(input, { made, failed, stayed: outcome.stayed });
    return undone;
    // oxlint-enable no-await-in-loop
  }
  if (input.isAtomic) input.sayMoved();
  for (const tell of ends) {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    await tell();
  }
  return undone;
}

/** Of a ref of an atomic push that was undone. */
const MOVED_ON = {
  code: "ref-refused",
  reason: "atomic push failure: a deploy did not start; another push has moved this ref on, and it stays there",
} as const;

function deploymentOf({ deployments }: CutoverInput, deploy: lines.MadeDeploy): Deployment {
  const found = deployments.find(({ command }) => command.name === deploy.ref);
  if (found === undefined) throw new Error(`Deploy ${deploy.number} is of no branch of this push.`);
  return found;
}

type CutoverEnd = Exclude<Awaited<ReturnType<CutoverInput["supervisor"]["cutOver"]>>, { kind: "reverted" | "ended" }>;

async function tellEnd(input: CutoverInput, deploy: lines.MadeDeploy, outcome: CutoverEnd): Promise<void> {
  const { supervisor, request } = input;
  const { narrator, preview, branch } = deploymentOf(input, deploy);
  if (outcome.kind === "superseded") {
    const line = lines.supersededLine(outcome.byDeployNumber);
    narrator.say(line);
    narrator.brief(`${line}: ${branch}`);
    narrator.note({ supersededBy: outcome.byDeployNumber });
    return;
  }
  narrator.say(lines.cutOverLine(outcome));
  const isPreview = preview !== undefined;
  const data = isPreview ? undefined : await supervisor.tidySnapshots(deploy.number);
  if (data !== undefined) for (const line of snapshotLines(data)) narrator.say(line);
  const stored = await supervisor.measureStored(deploy.facet);
  for (const line of dataLines(stored)) narrator.say(line);
  const url = request.urlOf(environmentLabel(request.app, deploy.facet));
  const deployUrl = request.urlOf(environmentLabel(request.app, versionFacet(deploy.number)));
  const urls = { url, deployUrl, isPreview };
  for (const line of lines.liveLines(deploy, urls)) narrator.say(line);
  narrator.brief(lines.briefLiveLine(branch, deploy, urls));
  narrator.note({
    deploy: deploy.number,
    url,
    deployUrl,
    undo: lines.undoCommand(deploy),
    cutover: outcome,
    data,
    stored,
  });
}

/** What is live now in place of the other deploys of the push. */
async function tellGoneBack(
  input: CutoverInput,
  {
    made,
    failed,
    stayed,
  }: {
    readonly made: readonly lines.MadeDeploy[];
    readonly failed: lines.MadeDeploy;
    readonly stayed: readonly string[];
  },
): Promise<void> {
  const others = made.filter((deploy) => deploy !== failed).map((deploy) => deploymentOf(input, deploy));
  const branches = await Promise.all(
    others.map(async (one) => ({ ...(await findStillLive(input, one)), branch: one.branch })),
  );
  const { narrator } = deploymentOf(input, failed);
  for (const line of lines.goneBackLines(branches, stayed)) {
    narrator.say(line);
    narrator.brief(line);
    for (const other of others) other.narrator.detail(line);
  }
}
