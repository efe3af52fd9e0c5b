// The rehearsal of a deploy.
import type { Code } from "../store/code.ts";
import type { StartFailure } from "./start-failure.ts";

/** Code to try: sent along, or stored by an earlier rehearsal and named by its ID. */
export interface Candidate {
  readonly code: Code | { readonly codeId: string };
  /** A JSON object. */
  readonly varsJson: string;
}

/** What became of a rehearsal. */
export type RehearsalOutcome =
  | {
      readonly kind: "started";
      /** Whether it ran on a copy of the app's data; else on an empty database. */
      readonly data: "copy" | "empty";
      readonly tookMs: number;
    }
  | ({ readonly kind: "failed"; readonly data: "copy" | "empty" } & StartFailure);
