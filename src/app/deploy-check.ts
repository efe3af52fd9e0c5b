// What only the commit of a deploy can see: whether what it was prepared for is still so.
import { isOutrun, type NewDeploy } from "../store/deploys.ts";
import type { RefRefusal } from "../store/refs.ts";
import { findSnapshot } from "../store/snapshots.ts";
import type { HostedApp } from "./hosted-app.ts";

/** A deploy on its way to the commit. */
export interface PreparedDeploy extends NewDeploy {
  /** The attempt that it is of; without one it becomes an attempt of its own. */
  readonly number?: number | undefined;
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
  return undefined;
}
