// The cutover.
import type { StartFailure } from "./start-failure.ts";

/** What became of a deploy's cutover. */
export type CutoverOutcome =
  | {
      readonly kind: "live";
      /** Requests that the old version finished while new ones were held. */
      readonly drainedCount: number;
      /** Requests that it did not finish in time; they were answered 503. */
      readonly droppedCount: number;
      /** How long a request that came at the worst moment waited. */
      readonly longestHoldMs: number;
      readonly tookMs: number;
    }
  /** A later deploy went live instead. */
  | { readonly kind: "superseded"; readonly byDeployNumber: number }
  /** The code did not start after all. Ref and live pointer are where they were; so is what visitors get. */
  | { readonly kind: "reverted"; readonly failure: StartFailure; readonly liveDeployNumber: number | undefined };
