// Previews as their owner sees and changes them through the API.
import { hasCode } from "../store/code.ts";
import { findDeployOfRef, findLiveDeploy, setLive, type Deploy } from "../store/deploys.ts";
import {
  findPreview,
  listEnvironments,
  openEnvironment,
  replaceData,
  setUsed,
  type Environment,
} from "../store/previews.ts";
import { findRepository } from "../store/settings.ts";
import { arrive } from "./arrival.ts";
import { environmentLabel } from "./environment.ts";
import { findExisting, readLive, runtimeOf, type HostedApp } from "./hosted-app.ts";
import { endUnused, facetOfBranch } from "./preview-commit.ts";
import { undoFork } from "./preview-data.ts";
import { expiresAtMs } from "./preview-expiry.ts";
import { markEnding, stopRunning, takeAway } from "./preview-removal.ts";
import { rehearse } from "./rehearsal.ts";
import type { StartFailure } from "./start-failure.ts";

/** A preview in a few lines. */
export interface PreviewDescription {
  readonly branch: string;
  /** What stands before HOST in its address. */
  readonly label: string;
  readonly state: "alive" | "expired";
  /** What it runs. */
  readonly deploy?: Deploy;
  readonly createdAtMs: number;
  readonly usedAtMs: number;
  /** When it goes if no request comes. */
  readonly expiresAtMs?: number;
}

/** What became of a preview that was to have other data. */
export type ForkOutcome =
  | { readonly kind: "forked"; readonly preview: PreviewDescription }
  /** The branch is not there, or its commit was never deployed, or its code is gone: a push makes the preview. */
  | { readonly kind: "not-deployed" }
  /** Its code does not start on such data. What it had it has. */
  | { readonly kind: "failed"; readonly failure: StartFailure };

/** Those used last first; none if the app does not exist. */
export function listPreviews(app: HostedApp): readonly PreviewDescription[] {
  if (findExisting(app) === undefined) return [];
  return listEnvironments(app.db).flatMap((environment) => describe(app, environment) ?? []);
}

/** undefined for a deploy on show, and for a preview that is being deleted. */
function describe(app: HostedApp, environment: Environment): PreviewDescription | undefined {
  const { branch, facet, state, createdAtMs, usedAtMs } = environment;
  if (branch === undefined || state === "removing") return undefined;
  const about = { branch, label: environmentLabel(app.name, facet), createdAtMs, usedAtMs };
  const deploy = findLiveDeploy(app.db, facet)?.deploy;
  if (state !== "alive" || deploy === undefined) return { ...about, state: "expired" };
  return { ...about, state: "alive", deploy, expiresAtMs: expiresAtMs(app, environment) };
}

/**
 * Gives a branch's preview a copy of production's data as it is now, or none, and starts it; a preview that expired or was deleted comes
 * back so. Its code is rehearsed on such data first.
 */
export async function forkPreview(app: HostedApp, branch: string, data: "fork" | "empty"): Promise<ForkOutcome> {
  const deploy = findExisting(app) && findDeployed(app, branch);
  if (deploy === undefined) return { kind: "not-deployed" };
  const { codeId, varsJson, assetsId, probe, envId, ref, commitId } = deploy;
  const rehearsal = await rehearse(
    app,
    { code: { codeId }, varsJson, assetsId, probe, envId },
    { ref, commitId, preview: { data } },
  );
  if (rehearsal.kind === "failed") return { kind: "failed", failure: rehearsal };
  // A push, a deletion or another call may have come meanwhile.
  if (findExisting(app) === undefined || findDeployed(app, branch)?.number !== deploy.number) {
    return { kind: "not-deployed" };
  }
  const facet = facetOfBranch(app, branch);
  const wasAlive = findLiveDeploy(app.db, facet) !== undefined;
  const ended = app.db.transaction(() => {
    if (!wasAlive) {
      openEnvironment(app.db, { facet, branch, pendingData: data }, app.now());
      setLive(app.db, facet, deploy.number);
    } else {
      setUsed(app.db, facet, app.now());
      replaceData(app.db, facet, data);
    }
    return endUnused(app, maxPreviews(app), new Set([facet]));
  });
  for (const environment of ended) app.ctx.waitUntil(takeAway(app, environment.facet));
  const runtime = runtimeOf(app, facet);
  readLive(app, runtime);
  stopRunning(app, runtime, "This preview gets a fresh copy of the data.");
  const arrival = await arrive(app, runtime);
  if (arrival.kind === "failed") {
    app.db.transaction(() => (wasAlive ? undoFork(app, facet) : markEnding(app, facet, "expiring")));
    runtime.failedStart = undefined;
    await takeAway(app, facet);
    return { kind: "failed", failure: arrival.failure };
  }
  const preview = listPreviews(app).find((listed) => listed.branch === branch);
  return preview === undefined ? { kind: "not-deployed" } : { kind: "forked", preview };
}

/** What a branch's preview runs, or ran when it was alive: the deploy of the branch's commit. */
function findDeployed(app: HostedApp, branch: string): Deploy | undefined {
  const repository = findRepository(app.db);
  if (repository?.head === `refs/heads/${branch}` || repository?.settings.maxPreviews === 0) return undefined;
  const deploy = findDeployOfRef(app.db, `refs/heads/${branch}`);
  return deploy !== undefined && hasCode(app.db, deploy.codeId) ? deploy : undefined;
}

function maxPreviews(app: HostedApp): number {
  return findRepository(app.db)?.settings.maxPreviews ?? 0;
}

/** Ends the preview, with its data; the branch stays. Returns whether there was one. */
export async function deletePreview(app: HostedApp, branch: string): Promise<boolean> {
  const preview = findExisting(app) && findPreview(app.db, branch);
  if (preview === undefined || preview.state === "removing") return false;
  app.db.transaction(() => markEnding(app, preview.facet, "removing"));
  await takeAway(app, preview.facet);
  return true;
}
