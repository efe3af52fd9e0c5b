// How often each client may do something: a token bucket for each, in this isolate's memory. On Cloudflare a client meets several
// isolates, each with buckets of its own: this stops floods and guessing, it does not count to the request.

/** A bucket's size, and how fast it fills up again. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Buckets that nobody used for longest are let go of: a client that comes back then begins with a full one. */
const MAX_CLIENTS = 10_000;

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

export class ClientRates {
  readonly #rate: Rate;
  /** Least lately used first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Takes one. Returns undefined, or after how many seconds there will be one. */
  take(client: string, nowMs: number): number | undefined {
    const left = this.#leftFor(client, nowMs);
    const isEmpty = left < 1;
    this.#keep(client, { left: isEmpty ? left : left - 1, atMs: nowMs });
    return isEmpty ? Math.ceil((1 - left) / this.#rate.perSecond) : undefined;
  }

  /** As `take`, but takes nothing. */
  waitFor(client: string, nowMs: number): number | undefined {
    const left = this.#leftFor(client, nowMs);
    return left < 1 ? Math.ceil((1 - left) / this.#rate.perSecond) : undefined;
  }

  #leftFor(client: string, nowMs: number): number {
    const { burst, perSecond } = this.#rate;
    const bucket = this.#buckets.get(client);
    if (bucket === undefined) return burst;
    return Math.min(burst, bucket.left + (Math.max(0, nowMs - bucket.atMs) / 1000) * perSecond);
  }

  #keep(client: string, bucket: Bucket): void {
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_CLIENTS && oldest !== undefined) this.#buckets.delete(oldest);
  }
}
