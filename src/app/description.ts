// An app as its owner sees it through the API.
import { findLiveDeploy, type Deploy } from "../store/deploys.ts";
import { sumPackBytes } from "../store/packs.ts";
import { countRefs } from "../store/refs.ts";
import type { RepositorySettings, RepositoryState } from "../store/repository-state.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";

/** An app in a few lines. */
export interface AppDescription {
  readonly name: string;
  readonly createdAtMs: number;
  readonly productionBranch: RepositoryState["head"];
  readonly settings: RepositorySettings;
  /** The deploy that answers visitors. */
  readonly live?: Deploy;
  readonly refCount: number;
  readonly packBytes: number;
}

/** undefined: the app does not exist. */
export function describeApp(app: HostedApp): AppDescription | undefined {
  const repository = findExisting(app);
  if (repository === undefined) return undefined;
  const live = findLiveDeploy(app.db, PRODUCTION_FACET)?.deploy;
  return {
    name: app.name,
    createdAtMs: repository.createdAtMs,
    productionBranch: repository.head,
    settings: repository.settings,
    refCount: countRefs(app.db),
    packBytes: sumPackBytes(app.db),
    ...(live === undefined ? {} : { live }),
  };
}
