// One branch of a push that deploys, as the stages hand it on: to production, or to a preview of its own.
import type { PushCommit } from "./app/commit.ts";
import type { PreparedDeploy } from "./app/deploy-check.ts";
import { parseRefName } from "./git/ref-name.ts";
import type { Narrator } from "./push-answer.ts";
import type { Built } from "./push-build.ts";
import type { PushReport } from "./git/report-status.ts";
import type { PushFailure } from "./push-failure.ts";
import { recordAttempt, type AttemptInput } from "./push-history.ts";
import type { PlannedDeployment } from "./push-plan.ts";
import type { CommitTree } from "./repo/source-tree.ts";

/** A branch that deploys, with a number, a log and facts of its own. */
export interface Deployment extends PlannedDeployment {
  /** The number that its deploy has; undefined: nothing of it is kept. */
  readonly number: number | undefined;
  readonly narrator: Narrator;
}

/** What would go live, or why it cannot. */
export type Prepared =
  | {
      readonly kind: "ready";
      readonly deployment: Deployment;
      readonly tree: CommitTree;
      readonly built: Exclude<Built, { kind: "failed" }>;
      readonly restoresSnapshot: number | undefined;
      /** Its configuration, from the rehearsal on. */
      readonly configuration?: Pick<PreparedDeploy, "envId" | "variables">;
    }
  | { readonly kind: "failed"; readonly deployment: Deployment; readonly failure: PushFailure };

/** What the attempts to deploy are recorded with. */
export type DeploymentsInput = Omit<AttemptInput, "attempt"> & { readonly actor: string };

/** Sees to it that everything that is to deploy is in the history before anything of it can fail. */
export async function recordDeployments(
  planned: readonly PlannedDeployment[],
  input: DeploymentsInput,
  work: (deployments: readonly Deployment[]) => Promise<PushReport>,
): Promise<PushReport> {
  const { actor, ...common } = input;
  const narrators = openNarrators(planned, input.narrator);
  const open = async (opened: readonly Deployment[]): Promise<PushReport> => {
    const next = planned[opened.length];
    if (next === undefined) return work(opened);
    const narrator = narrators[opened.length] ?? input.narrator;
    const ref = parseRefName(next.command.name);
    // It is refused later, with git's words.
    if (ref === undefined) return open([...opened, { ...next, narrator, number: undefined }]);
    const attempt = { kind: "push" as const, ref, commitId: next.command.newId, actor };
    return recordAttempt({ ...common, narrator, attempt }, (recording, number) =>
      open([...opened, { ...next, narrator: recording, number }]),
    );
  };
  return open([]);
}

/** The facts of one branch are the push's own; those of several are a list, each with its branch, and the first alone is told at length. */
function openNarrators(planned: readonly PlannedDeployment[], narrator: Narrator): Narrator[] {
  if (planned.length < 2) return planned.map(() => narrator);
  const listed = planned.map(({ branch }) => ({ branch }));
  narrator.note({ deployments: listed });
  return listed.map((facts, at) => ({
    ...narrator,
    ...(at === 0 ? {} : { say: () => undefined, brief: (line) => narrator.say(line) }),
    note: (more) => void Object.assign(facts, more),
  }));
}

/** What the transaction is to record. */
export function deploysOf(
  prepared: readonly Prepared[],
  actor: string,
): Pick<PushCommit, "deploy" | "build" | "previews"> {
  const ready = prepared.flatMap((one) => (one.kind === "ready" ? [{ one, made: makeDeploy(one, actor) }] : []));
  const production = ready.find(({ one }) => one.deployment.preview === undefined)?.made;
  const previews = ready.flatMap(({ one: { deployment }, made }) =>
    deployment.preview === undefined ? [] : [{ ...made, data: deployment.preview.data }],
  );
  return { ...production, ...(previews.length === 0 ? {} : { previews }) };
}

function makeDeploy(ready: Prepared & { kind: "ready" }, actor: string) {
  const { deployment, tree, built, restoresSnapshot, configuration } = ready;
  const { command, number } = deployment;
  const ref = parseRefName(command.name);
  if (ref === undefined) throw new Error(`${command.name} was to be deployed, and is no valid ref name.`);
  const { candidate, buildKey, facts } = built;
  const { commitId, treeId, subject } = tree;
  const { code, varsJson, assetsId, probe } = candidate;
  const place = { number, ref, commitId, treeId, subject, actor };
  const deploy = { ...place, codeId: code.codeId, varsJson, assetsId, probe, restoresSnapshot, ...configuration };
  return { deploy, build: { buildKey, facts } };
}
