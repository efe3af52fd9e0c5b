// The commit of a push: the one transaction that makes it visible.
import type { NewBuild } from "../store/builds.ts";
import type { Deploy, NewDeploy } from "../store/deploys.ts";
import type { RefCommand, RefResult } from "../store/refs.ts";
import type { PackRow, RepositoryState } from "../store/repository-state.ts";

/** A push with everything it needs stored already: pack in R2, code in rows. */
export interface PushCommit {
  /** As openForPush said. A push that began before the app was deleted is refused by it. */
  readonly repositoryId: string;
  readonly commands: readonly RefCommand[];
  /** Whether one refusal refuses all. */
  readonly atomic: boolean;
  readonly pack?: PackRow | undefined;
  readonly deploy?: NewDeploy | undefined;
  /** What the deploy's code was built from, where it was built rather than found. */
  readonly build?: NewBuild | undefined;
  readonly nowMs: number;
}

/** What became of a push. */
export interface CommitOutcome {
  /** In the order of the commands. */
  readonly results: readonly RefResult[];
  /** The deploy, if the push asked for one and its ref moved. */
  readonly deploy?: Deploy;
  /** The production branch, now. */
  readonly head: RepositoryState["head"];
}
