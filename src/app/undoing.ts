// Taking a deploy back that did not start: live pointer, ref and what else moved with it go to where they were, in one transaction. What an
// atomic push moved goes back whole, its deploys that have started included; what another push moved on meanwhile stays.
import { listDeploysOfPush, listMovedRefs, removeMovedRefs } from "../store/atomic-pushes.ts";
import { findDeploy, findLiveDeploy, getDeploy, recordCutover, setLive, type Deploy } from "../store/deploys.ts";
import { findRef, isDeletion, updateRef } from "../store/refs.ts";
import { writeHead } from "../store/settings.ts";
import { findNewestEnvId, setNewestEnvId } from "../store/variables.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import type { HostedApp } from "./hosted-app.ts";
import { undoFork } from "./preview-data.ts";
import { markEnding } from "./preview-removal.ts";
import { undoData } from "./snapshots.ts";
import type { StartFailure } from "./start-failure.ts";

/** What is kept of a deploy that was taken back. */
export interface UndoneCutover extends StartFailure {
  /** The deploy that did not start: itself, or another of its atomic push. */
  readonly ofDeploy: number;
  /** Refs of the push that another push has moved on, and that stay. */
  readonly stayed: readonly string[];
}

/** Returns the environments whose live pointers may have moved. */
export function undoDeploy(app: HostedApp, { number }: Deploy, failure: StartFailure): readonly string[] {
  return app.db.transaction(() => {
    const deploy = getDeploy(app.db, number);
    // Its environment was deleted while it started.
    if (deploy.state === "superseded") return [];
    if (deploy.state === "failed") {
      // Its push was taken back while it started.
      undoData(app, deploy.facet, number);
      return [deploy.facet];
    }
    const others = listDeploysOfPush(app.db, deploy).filter((other) => other.number !== number);
    const undone = [deploy, ...others.filter((other) => isUndoable(app, other))];
    const kept = others.filter((other) => !undone.includes(other)).map(({ ref }) => ref);
    const stayed = [...kept, ...undone.flatMap((one) => takeBack(app, one)), ...putBackRefs(app, deploy)];
    const cutoverJson = JSON.stringify({ ...failure, ofDeploy: number, stayed } satisfies UndoneCutover);
    for (const one of undone) recordCutover(app.db, one.number, "failed", cutoverJson);
    return undone.map(({ facet }) => facet);
  });
}

/** Not where a later deploy has started on top of it: then it is history. One that waits for its start may have to be undone past it. */
function isUndoable(app: HostedApp, { facet, number }: Deploy): boolean {
  const live = findLiveDeploy(app.db, facet)?.deploy;
  return live === undefined || live.number === number || live.state === "committed";
}

/** The ref's name, if it stays. */
function takeBack(app: HostedApp, deploy: Deploy): readonly string[] {
  const { facet, ref, number, state, commitId } = deploy;
  // What visitors have written since it started stays, as it does when one goes back by hand; but not on data that the deploy brought back.
  if (state !== "started" || deploy.restoresSnapshot !== undefined) undoData(app, facet, number);
  const live = findLiveDeploy(app.db, facet)?.deploy.number;
  // A later deploy stands on this one's commit, and its own cutover comes next.
  if (live !== undefined && live !== number) return [ref];
  let first = deploy;
  undoVariables(app, deploy);
  let target = first.previous && findDeploy(app.db, first.previous.number);
  while (target?.state === "failed") {
    first = target;
    undoVariables(app, first);
    target = first.previous && findDeploy(app.db, first.previous.number);
  }
  const refusal = updateRef(app.db, { name: ref, oldId: commitId, newId: first.refBefore }, app.now());
  const stayed = refusal === undefined ? [] : [ref];
  // Its preview was deleted meanwhile.
  if (live === undefined) return stayed;
  setLive(app.db, facet, target?.number);
  const isRefThere = findRef(app.db, ref) !== undefined;
  if (facet !== PRODUCTION_FACET) {
    // A preview's first deploy takes the preview with it; a branch that was there before keeps the name of its preview.
    if (target === undefined) markEnding(app, facet, isRefThere ? "expiring" : "removing");
    else undoFork(app, facet);
  } else if (!isRefThere) {
    // The first deploy of all: the branch that made itself the production branch is not there any more.
    writeHead(app.db, undefined);
  }
  return stayed;
}

/** What moved with an atomic push and is not deployed; the names of what stays. */
function putBackRefs(app: HostedApp, { atomicPush }: Deploy): readonly string[] {
  if (atomicPush === undefined) return [];
  const commands = listMovedRefs(app.db, atomicPush).map(({ name, oldId, newId, oldPeeledId }) => {
    return { name, oldId: newId, newId: oldId, peeledId: oldPeeledId };
  });
  removeMovedRefs(app.db, atomicPush);
  // Deletions first, as in a push: refs/heads/a/b makes way for refs/heads/a.
  const inOrder = [...commands.filter(isDeletion), ...commands.filter((command) => !isDeletion(command))];
  return inOrder.filter((command) => updateRef(app.db, command, app.now()) !== undefined).map(({ name }) => name);
}

/** The newest configuration is again what it was before the deploy, where it was the deploy's. */
function undoVariables(app: HostedApp, { envId, envBefore }: Deploy): void {
  if (envBefore === undefined || findNewestEnvId(app.db) !== envId) return;
  setNewestEnvId(app.db, envBefore === "" ? undefined : envBefore);
}
