// What only the commit of a deploy can see: whether what it was prepared for is still so.
import { findLiveDeploy, isOutrun, type NewDeploy } from "../store/deploys.ts";
import type { RefRefusal } from "../store/refs.ts";
import { findSnapshot } from "../store/snapshots.ts";
import { findNewestEnvId } from "../store/variables.ts";
import type { HostedApp } from "./hosted-app.ts";

/** A deploy on its way to the commit. */
export interface PreparedDeploy extends NewDeploy {
  /** The attempt that it is of; without one it becomes an attempt of its own. */
  readonly number?: number | undefined;
  readonly variables?: DeployVariables | undefined;
}

/** What a deploy's configuration rests on, and what it means for those to come. */
export interface DeployVariables {
  /** What the newest configuration must still be, null being none; undefined: whatever it is. */
  readonly newest?: string | null;
  /** What must still be live. */
  readonly liveNumber?: number;
  /** The deploy's configuration becomes the newest. */
  readonly becomesNewest?: boolean;
}

/** Inside of the commit's transaction. */
export function checkDeploy(app: HostedApp, facet: string, deploy: PreparedDeploy): RefRefusal | undefined {
  const { restoresSnapshot, number } = deploy;
  if (restoresSnapshot !== undefined && findSnapshot(app.db, restoresSnapshot) === undefined) {
    const reason = `snapshot ${restoresSnapshot} was removed while this push was under way`;
    return { code: "snapshot-not-kept", reason };
  }
  if (number !== undefined && isOutrun(app.db, facet, number)) {
    const reason = "failed to update ref: a later deploy was committed while this push was under way; push again";
    return { code: "ref-stale", reason };
  }
  const { newest, liveNumber } = deploy.variables ?? {};
  const isStale = newest !== undefined && (findNewestEnvId(app.db) ?? null) !== newest;
  if (isStale || (liveNumber !== undefined && findLiveDeploy(app.db, facet)?.deploy.number !== liveNumber)) {
    const what = isStale ? "the app's variables were changed" : "something else was deployed";
    return { code: "variables-stale", reason: `failed to update ref: ${what} meanwhile; try again` };
  }
  return undefined;
}
