// When repositories are compacted, swept and pruned, and what has to wait for what. All of it is policy, and hangs together.

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;

/** So many packs are as good as one: a fetch reads all their indexes side by side, and a push most often one. */
export const MAX_PACKS = 20;

/** Past MAX_PACKS the repository is compacted when no push came for so long; past twice as many, whatever comes. */
export const QUIET_MS = MINUTE_MS;

/** With fewer packs it is looked at once in so long after a push, and compacted if anything in them is not reached any more. */
export const LOOK_AFTER_MS = 24 * HOUR_MS;

/** How long replaced packs stay: longer than the slowest clone that began before (100 MB at 2 KB/s take 14 hours). */
export const GRACE_MS = 24 * HOUR_MS;

/**
 * Repositories with more objects than this in all their packs are not compacted: ids, edges and what is made of them come to some 200
 * bytes an object, and an isolate has 128 MB.
 */
export const MAX_COMPACTED_OBJECTS = 400_000;

/** A pack that was stored longer ago is not committed any more. No build or rehearsal takes as long. */
export const MAX_PACK_AGE_MS = 30 * MINUTE_MS;

/** What is in R2 for so long and named by nothing is swept: longer than MAX_PACK_AGE_MS, by more than clocks differ. */
export const SWEEP_AFTER_MS = HOUR_MS;

/** Code that no deploy names, and a repository that is only reserved, go after so long: a push was committed or failed by then. */
export const PRUNE_AFTER_MS = HOUR_MS;

/** The beginning of a push is written down no more often than this. */
export const NOTE_EVERY_MS = 10 * MINUTE_MS;
