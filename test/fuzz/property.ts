// Runs the fuzzer's properties, each for its share of the time. Seeded: batch n of a property has the seed plus n, so that a failure's
// own seed, given to `npm run fuzz -- --seed`, fails in the first batch. How many batches there are depends on the machine alone.
import * as fc from "fast-check";
import { inject, test } from "vitest";

/** What vitest.config.ts passes on from the environment. */
export interface FuzzOptions {
  readonly seed: number;
  /** For all properties together. */
  readonly seconds: number;
}

declare module "vitest" {
  interface ProvidedContext {
    fuzz: FuzzOptions;
  }
}

/** Every property, and how much of the time it has in percent. */
const SHARES = {
  "pkt-lines come out as they went in": 2,
  "pkt-lines of any bytes": 2,
  "update requests come out as they went in": 2,
  "update requests of any bytes": 3,
  "upload requests of any bytes": 4,
  "command requests of any bytes": 4,
  "words of requests": 2,
  "entry headers": 2,
  "pack indexes": 3,
  "edge files": 3,
  "objects of any bytes": 5,
  "trees that git would write": 3,
  "special blobs": 2,
  deltas: 4,
  caches: 3,
  configurations: 4,
  "packs that are sound": 8,
  "packs that lack an object": 4,
  "packs with a field changed": 14,
  "packs and an R2 that fails": 4,
  "packs larger than memory": 4,
  "selections of objects": 4,
  "clones and fetches": 6,
  "requests to the host": 8,
} as const satisfies Record<string, number>;

/** A batch that takes longer than this hung somewhere. */
const MAX_BATCH_MS = 20_000;

/** A test that runs the property until its share of the time is up. `batchRuns` is how many runs take well under a second. */
export function holds<Values, IsAsync extends boolean>(
  name: keyof typeof SHARES,
  batchRuns: number,
  property: fc.IRawProperty<Values, IsAsync>,
): void {
  const { seed, seconds } = inject("fuzz");
  const shareMs = seconds * 10 * SHARES[name];
  test(name, { timeout: shareMs + 4 * MAX_BATCH_MS }, async () => {
    const startMs = performance.now();
    let nowMs = startMs;
    for (let batch = 0; batch === 0 || nowMs - startMs < shareMs; batch++) {
      const options = { seed: seed + batch, numRuns: batchRuns };
      const details = await fc.check(property, { ...options, interruptAfterTimeLimit: 2 * MAX_BATCH_MS });
      // The clock of workerd stands still between two waits.
      await scheduler.wait(1);
      const batchMs = performance.now() - nowMs;
      nowMs += batchMs;
      const again = `npm run fuzz -- --seed ${options.seed}`;
      if (details.failed)
        throw new Error(`${again}\n${fc.defaultReportMessage(details)}`, { cause: details.errorInstance });
      if (batchMs > MAX_BATCH_MS) throw new Error(`${again}\nA batch took ${batchMs} ms.`);
    }
  });
}
