// What a push means for previews, inside of its one transaction: branches that deploy get one, or a further deploy of theirs; branches
// that go take theirs with them; and where there are too many, those used longest ago expire.
import type { NewBuild } from "../store/builds.ts";
import { findLiveDeploy, type Deploy } from "../store/deploys.ts";
import {
  chooseSlug,
  findEnvironment,
  findPreview,
  listEnvironments,
  openEnvironment,
  replaceData,
  setUsed,
  type Environment,
} from "../store/previews.ts";
import type { RefCommand } from "../store/refs.ts";
import type { PreparedDeploy } from "./deploy-check.ts";
import { recordDeploy } from "./deploy-record.ts";
import { previewFacet } from "./environment.ts";
import type { HostedApp } from "./hosted-app.ts";
import { noteUses, scheduleExpiry } from "./preview-expiry.ts";
import { markEnding } from "./preview-removal.ts";

/** Which data a preview is to have: a fresh copy of production's, none, or its own. A first push has nothing to keep, and forks. */
export type DataChoice = "fork" | "empty" | "keep";

/** A deploy of a branch that is not the production branch. */
export interface PreviewDeploy {
  readonly deploy: PreparedDeploy;
  /** What its code was built from, where it was built rather than found. */
  readonly build?: NewBuild | undefined;
  /** undefined: keep. */
  readonly data?: DataChoice | undefined;
}

/** A host name's label has at most so many characters; "--" stands between slug and app. */
const MAX_LABEL_LENGTH = 63;

const BRANCH = "refs/heads/";

/** The facet of a branch's preview: its own if it ever had one, else the one that it would get. */
export function facetOfBranch(app: HostedApp, branch: string): string {
  const known = findPreview(app.db, branch);
  if (known !== undefined) return known.facet;
  const slug = chooseSlug(branch, {
    maxLength: MAX_LABEL_LENGTH - "--".length - app.name.length,
    isTaken: (taken) => findEnvironment(app.db, previewFacet(taken)) !== undefined,
  });
  return previewFacet(slug);
}

/** The branch in a ref name. */
export function branchOf(ref: string): string | undefined {
  return ref.startsWith(BRANCH) ? ref.slice(BRANCH.length) : undefined;
}

/** Records the deploy of a branch whose ref has moved. */
export function recordPreview(
  app: HostedApp,
  { deploy, build, data }: PreviewDeploy,
  { oldId, nowMs }: Pick<RefCommand, "oldId"> & { readonly nowMs: number },
): Deploy {
  const branch = branchOf(deploy.ref);
  if (branch === undefined) throw new Error(`${deploy.ref} is no branch, so it has no preview.`);
  const facet = facetOfBranch(app, branch);
  if (findLiveDeploy(app.db, facet) === undefined) {
    openEnvironment(app.db, { facet, branch, pendingData: data === "empty" ? "empty" : "fork" }, nowMs);
  } else {
    setUsed(app.db, facet, nowMs);
    replaceData(app.db, facet, data ?? "keep");
  }
  return recordDeploy(app, { deploy, build }, { facet, refBefore: oldId, nowMs });
}

/** Ends the preview of a branch that is gone, or that is the production branch now. Returns whether it had one. */
export function endPreview(app: HostedApp, ref: string): Environment | undefined {
  const preview = findPreview(app.db, branchOf(ref) ?? "");
  if (preview === undefined) return undefined;
  markEnding(app, preview.facet, "removing");
  return preview;
}

/** Ends previews beyond `maxAlive`, those used longest ago first and never one of `kept`. Returns which. */
export function endUnused(app: HostedApp, maxAlive: number, kept: ReadonlySet<string>): Environment[] {
  noteUses(app);
  const alive = listEnvironments(app.db).filter(({ branch, state }) => branch !== undefined && state === "alive");
  const ended = alive
    .filter(({ facet }) => !kept.has(facet))
    .toReversed()
    .slice(0, Math.max(0, alive.length - maxAlive));
  for (const { facet } of ended) markEnding(app, facet, "expiring");
  if (alive.length > 0) scheduleExpiry(app);
  return ended;
}
