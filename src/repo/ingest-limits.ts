// What one push may cost. All limits are checked while the bytes arrive or inflate, not after.
import { HostingError } from "../errors.ts";

/** Sizes in bytes. */
export interface IngestLimits {
  /** The pack as it is received. */
  readonly maxPackBytes: number;
  /** One object, inflated. */
  readonly maxObjectBytes: number;
  /** An object that must be in memory as a whole: commits, trees, tags, and whatever is stored as a delta or is the base of one. */
  readonly maxHeldBytes: number;
  /** Everything that is inflated and every result of a delta, repeats included: the work that a push may cause. */
  readonly maxInflatedBytes: number;
  readonly maxObjects: number;
  /** The objects of the pack and all that they name. */
  readonly maxKnownIds: number;
  readonly maxDeltaDepth: number;
}

const MIB = 1024 * 1024;

/**
 * Memory is the bound: at the limits, ids and columns take about 60 MB and two held objects 48 MB. Packs of real source inflate to
 * 12 to 20 times their size; git itself makes no chain longer than 4,095.
 */
export const DEFAULT_INGEST_LIMITS: IngestLimits = {
  maxPackBytes: 100 * MIB,
  maxObjectBytes: 100 * MIB,
  maxHeldBytes: 24 * MIB,
  maxInflatedBytes: 16 * 1024 * MIB,
  maxObjects: 400_000,
  maxKnownIds: 1_000_000,
  maxDeltaDepth: 8_192,
};

/** Counts what a push has inflated so far. */
export class InflateBudget {
  #leftBytes: number;
  readonly #maxInflatedBytes: number;

  constructor({ maxInflatedBytes }: IngestLimits) {
    this.#leftBytes = maxInflatedBytes;
    this.#maxInflatedBytes = maxInflatedBytes;
  }

  /** Errors: HostingError "push-too-large" once more was spent than there was. */
  spend(bytes: number): void {
    this.#leftBytes -= bytes;
    if (this.#leftBytes >= 0) return;
    throw new HostingError(
      "push-too-large",
      `The pack inflates to more than the limit of ${describeBytes(this.#maxInflatedBytes)}. Push fewer commits at a time.`,
    );
  }
}

/** "24 MiB", or bytes where it is no whole number of them. */
export function describeBytes(bytes: number): string {
  return bytes % MIB === 0 ? `${bytes / MIB} MiB` : `${bytes} bytes`;
}
