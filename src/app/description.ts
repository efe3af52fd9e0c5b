// An app as its owner sees it through the API.
import type { Deploy } from "../store/deploys.ts";
import type { RepositorySettings, RepositoryState } from "../store/repository-state.ts";

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
