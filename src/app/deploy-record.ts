// Part of a commit's transaction: the row of a deploy, whichever environment it is for.
import { touchManifest } from "../store/assets.ts";
import { addAttempt } from "../store/attempts.ts";
import { addBuild, type NewBuild } from "../store/builds.ts";
import { touchCode } from "../store/code.ts";
import { addDeploy, type Deploy } from "../store/deploys.ts";
import { addUsage, dayOf, NO_USAGE } from "../store/usage.ts";
import { findNewestEnvId, hasConfiguration, setNewestEnvId } from "../store/variables.ts";
import type { PreparedDeploy } from "./deploy-check.ts";
import type { HostedApp } from "./hosted-app.ts";

/** Code, assets and build are named by it from here on, and the live pointer of its facet names it. */
export function recordDeploy(
  app: HostedApp,
  { deploy, build }: { readonly deploy: PreparedDeploy; readonly build?: NewBuild | undefined },
  place: Parameters<typeof addDeploy>[2],
): Deploy {
  const { nowMs } = place;
  if (!touchCode(app.db, deploy.codeId, nowMs)) throw new Error(`Code ${deploy.codeId} was never rehearsed.`);
  if (deploy.assetsId !== undefined && !touchManifest(app.db, deploy.assetsId, nowMs)) {
    throw new Error(`The assets ${deploy.assetsId} were never stored.`);
  }
  const number =
    deploy.number ?? addAttempt(app.db, { ...deploy, kind: "push", actor: deploy.actor ?? "owner" }, nowMs);
  const { envId, variables } = deploy;
  if (envId !== undefined && !hasConfiguration(app.db, envId)) throw new Error(`The configuration ${envId} is gone.`);
  const envBefore = variables?.becomesNewest === true ? (findNewestEnvId(app.db) ?? "") : undefined;
  const recorded = addDeploy(app.db, { ...deploy, number }, { ...place, envBefore });
  addUsage(app.db, { ...NO_USAGE, day: dayOf(nowMs), facet: place.facet, deployNumber: number, deploys: 1 });
  if (envBefore !== undefined) setNewestEnvId(app.db, envId);
  if (build !== undefined) addBuild(app.db, build, recorded);
  return recorded;
}
