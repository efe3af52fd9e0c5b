// Times and their medians. Peers are measured in one run, in turn, so that a machine that slows down slows both.

/** Sorted milliseconds of several runs. */
export interface Sample {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly runs: number;
}

/** How long one piece of work takes, in milliseconds. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

export function sampleOf(timesMs: readonly number[]): Sample {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { medianMs: at(0.5), minMs: at(0), maxMs: at(1), runs: sorted.length };
}

/** "median 41.2 ms (38.0-60.1, 15 runs)". */
export function formatSample({ medianMs, minMs, maxMs, runs }: Sample): string {
  return `median ${medianMs.toFixed(1)} ms (${minMs.toFixed(1)}-${maxMs.toFixed(1)}, ${runs} runs)`;
}

/** "1.42x of http-backend". */
export function formatRatio(own: Sample, peer: Sample, name: string): string {
  return `${(own.medianMs / peer.medianMs).toFixed(2)}x of ${name}`;
}
