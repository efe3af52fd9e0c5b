// The databases of an app's facets: copying and deleting them, whatever for. No other file calls facets.clone or facets.delete, so
// that what belongs to an environment's data is said here alone.
import { findLiveDeploy } from "../store/deploys.ts";
import type { HostedApp } from "./hosted-app.ts";

/**
 * Whether an environment has data of its own: something was deployed there. A facet that nothing was deployed to has no database, and
 * there is no asking the runtime.
 */
export function hasData(app: HostedApp, facet: string): boolean {
  return findLiveDeploy(app.db, facet) !== undefined;
}

/** Whether this runtime copies databases by itself. It is not in the documentation of facets, so it may be missing. */
export function canClone(app: HostedApp): boolean {
  return typeof app.ctx.facets.clone === "function";
}

/**
 * Replaces the data of one facet by that of another, which may be running: the copy is of one moment. A facet that runs on the replaced
 * data is stopped. Where it can clone, the runtime does it in one synchronous call, before this returns.
 */
export async function copyData(app: HostedApp, fromFacet: string, toFacet: string): Promise<void> {
  app.ctx.facets.clone(fromFacet, toFacet);
}

/** Deletes the data of a facet and stops it. Where there is none nothing happens. */
export function deleteData(app: HostedApp, facet: string): void {
  app.ctx.facets.delete(facet);
}
