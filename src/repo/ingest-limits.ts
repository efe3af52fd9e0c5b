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
  /** A small pack may inflate to this much, and a larger one to `inflationRatio` times what was received of it on top. */
  readonly freeInflatedBytes: number;
  readonly inflationRatio: number;
  readonly maxObjects: number;
  /** The objects of the pack and all that they name. */
  readonly maxKnownIds: number;
  readonly maxDeltaDepth: number;
}

const MIB = 1024 * 1024;
/** About 30 ms of work. */
const BREAK_BYTES = 16 * MIB;

/**
 * Memory is the bound: at the limits, ids and columns take about 60 MB, and a large base with what a delta makes of it 64 MB. Packs of real
 * source inflate to 12 to 20 times their size, histories of lockfiles to 200 times; git itself makes no chain of more than 4,095
 * deltas. Inflating 2 GiB takes some 3 s.
 */
export const DEFAULT_INGEST_LIMITS: IngestLimits = {
  maxPackBytes: 100 * MIB,
  maxObjectBytes: 100 * MIB,
  maxHeldBytes: 32 * MIB,
  maxInflatedBytes: 16 * 1024 * MIB,
  freeInflatedBytes: 2 * 1024 * MIB,
  inflationRatio: 200,
  maxObjects: 400_000,
  maxKnownIds: 1_000_000,
  maxDeltaDepth: 8_192,
};

/** Counts what a push has inflated so far, against what it may by the bytes received so far. */
export class InflateBudget {
  readonly #limits: IngestLimits;
  #allowedBytes: number;
  #inflatedBytes = 0;
  #nextBreakBytes = BREAK_BYTES;

  constructor(limits: IngestLimits) {
    this.#limits = limits;
    this.#allowedBytes = Math.min(limits.maxInflatedBytes, limits.freeInflatedBytes);
  }

  /** More of the pack has arrived. */
  receive(bytes: number): void {
    const { maxInflatedBytes, inflationRatio } = this.#limits;
    this.#allowedBytes = Math.min(maxInflatedBytes, this.#allowedBytes + inflationRatio * bytes);
  }

  /** Errors: HostingError "push-too-complex" once more was spent than there was. */
  spend(bytes: number): void {
    this.#inflatedBytes += bytes;
    if (this.#inflatedBytes <= this.#allowedBytes) return;
    const limit = `The pack inflates to more than the limit of ${describeBytes(this.#allowedBytes)}`;
    throw new HostingError("push-too-complex", `${limit}. Push fewer commits at a time.`);
  }

  /** To be awaited between objects: now and then lets other requests of the isolate, and timers, have their turn. */
  takeBreak(): Promise<void> | undefined {
    if (this.#inflatedBytes < this.#nextBreakBytes) return undefined;
    this.#nextBreakBytes = this.#inflatedBytes + BREAK_BYTES;
    return scheduler.wait(0);
  }
}

/** "32 MiB", or bytes where it is no whole number of them. */
export function describeBytes(bytes: number): string {
  return bytes % MIB === 0 ? `${bytes / MIB} MiB` : `${bytes} bytes`;
}
