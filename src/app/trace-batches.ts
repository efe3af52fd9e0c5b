// What the runtime tells of an app's events, gathered: it does so after each request, and a call to the supervisor for each would
// cost a busy app more than its own work.
import type { Traces } from "./log-intake.ts";

/** How long the sums of events may be underway. A supervisor writes its counts down no more often. */
const GATHER_MS = 1000;

export class TraceBatches {
  /** CPU time, in milliseconds. Each has one call that waits to send it. */
  readonly #waiting = new Map<string, { cpuMs: number }>();

  /** Sends by itself or leaves it to the call that waits already. `key` says whose traces they are. */
  async add(key: string, traces: Traces, send: (batch: Traces) => Promise<void>): Promise<void> {
    const { stops, cpuMs } = traces;
    if (stops.length > 0) return send(traces);
    const known = this.#waiting.get(key);
    if (known !== undefined) {
      known.cpuMs += cpuMs;
      return undefined;
    }
    const sum = { cpuMs };
    this.#waiting.set(key, sum);
    await scheduler.wait(GATHER_MS);
    this.#waiting.delete(key);
    return send({ stops: [], ...sum });
  }
}
