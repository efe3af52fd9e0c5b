// Which export of an app receives its requests.
import type { StartFailure } from "./start-failure.ts";

/** A bundle as far as its exports matter. */
export interface EntryCandidate {
  /** Names of the entry module's exports. */
  readonly exports: readonly string[];
  /** Classes that the wrangler configuration binds. */
  readonly boundClasses: readonly string[];
}

/** The class, or why there is none. */
export type EntryClass =
  | { readonly kind: "found"; readonly className: string; readonly notes: readonly string[] }
  | ({ readonly kind: "failed" } & StartFailure);
