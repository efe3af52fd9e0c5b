// Which configuration a push deploys with: the newest, unless its commit was live before. That one comes back with the variables that it ran
// with, so that going back meets neither newer ones nor their absence. A preview takes the newest whatever its commit was.
import { findDeploy, findDeployOfCommit, findLiveDeploy, type Deploy } from "../store/deploys.ts";
import { findNewestEnvId, listVariables } from "../store/variables.ts";
import { makeAssetBindings } from "./assets.ts";
import type { DeployVariables } from "./deploy-check.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { listChanged } from "./variable-change.ts";
import { viewVariables } from "./variables.ts";

/** What is about to be deployed. */
export interface VariableQuery {
  readonly commitId: Deploy["commitId"];
  readonly isPreview: boolean;
  /** The repository's own. */
  readonly varsJson: string;
  readonly assetsId: string | undefined;
}

/** The configuration, and what is worth a line of the report. */
export interface VariableChoice {
  readonly envId: string | undefined;
  readonly variables: DeployVariables;
  /** An earlier deploy that it comes from, if the newest has something otherwise. */
  readonly asIn: { readonly deployNumber: number; readonly changed: readonly string[] } | undefined;
  /** The repository's variables that the owner set too: the owner's count. */
  readonly hidden: readonly string[];
  /** The owner's variables that have the name of a binding: the binding counts. */
  readonly bound: readonly string[];
}

/** What the owner set for a configuration that comes back with an earlier deploy. */
export interface ReturningVariables {
  readonly envId: string | undefined;
  readonly variables: DeployVariables;
  readonly asIn: VariableChoice["asIn"];
}

/** For a push. */
export function chooseVariables(app: HostedApp, query: VariableQuery): VariableChoice {
  const newestId = findExisting(app) && findNewestEnvId(app.db);
  const before = query.isPreview ? undefined : findBefore(app, query.commitId);
  const changed = before === undefined ? [] : listChanged(app, before.envId);
  const isBack = before !== undefined && changed.length > 0;
  const envId = isBack ? before.envId : newestId;
  // A preview that was built with what was the newest until a moment ago is as good.
  const variables = isBack || query.isPreview ? {} : { newest: newestId ?? null };
  const asIn = isBack ? { deployNumber: before.number, changed } : undefined;
  return { envId, variables, asIn, ...describeNames(app, envId, query) };
}

/** For a rollback. Where only the variables differ from what is live it undoes a change of them, and they are the newest again. */
export function returnVariables(app: HostedApp, deployNumber: number): ReturningVariables {
  const deploy = findDeploy(app.db, deployNumber);
  const live = findLiveDeploy(app.db, PRODUCTION_FACET)?.deploy;
  const changed = listChanged(app, deploy?.envId);
  const isUndo =
    deploy !== undefined &&
    live !== undefined &&
    deploy.number !== live.number &&
    deploy.commitId === live.commitId &&
    changed.length > 0;
  const variables = isUndo ? { becomesNewest: true, liveNumber: live.number } : {};
  const asIn = changed.length === 0 ? undefined : { deployNumber, changed };
  return { envId: deploy?.envId, variables, asIn };
}

function findBefore(app: HostedApp, commitId: Deploy["commitId"]): Deploy | undefined {
  return findExisting(app) && findDeployOfCommit(app.db, PRODUCTION_FACET, commitId);
}

function describeNames(
  app: HostedApp,
  envId: string | undefined,
  { isPreview, varsJson, assetsId }: VariableQuery,
): Pick<VariableChoice, "hidden" | "bound"> {
  if (envId === undefined) return { hidden: [], bound: [] };
  // Any preview sees the same.
  const facet = isPreview ? "preview:" : PRODUCTION_FACET;
  const names = viewVariables(listVariables(app.db, envId), facet).map(({ name }) => name);
  const bindings = makeAssetBindings(app, assetsId, { facet, deployNumber: 0 });
  const own: object = JSON.parse(varsJson);
  return {
    hidden: names.filter((name) => Object.hasOwn(own, name)),
    bound: names.filter((name) => Object.hasOwn(bindings, name)),
  };
}
