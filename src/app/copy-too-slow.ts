// Data that cannot be copied: its app runs, the runtime makes no copies itself, and reading it out takes longer than visitors may be kept
// waiting.
import { HostingError } from "../errors.ts";

/** How long visitors of an app that runs may wait for a database to be read. */
export const DUMP_LIMIT_MS = 8000;

/** Thrown where the data is copied; between Durable Objects it is the size alone that travels, as errors lose their class there. */
export class CopyTooSlow extends HostingError {
  override readonly code = "copy-too-slow";
  readonly sizeBytes: number;

  constructor(sizeBytes: number) {
    const limit = `${DUMP_LIMIT_MS / 1000} s, and visitors may not be kept waiting longer`;
    super(
      "copy-too-slow",
      `The data (${sizeBytes} bytes) could not be copied within ${limit}. This host's runtime has no facets.clone, so that a copy takes ` +
        `longer the more data there is: have the app keep less, or run the host where there is.`,
      { facts: { sizeBytes } },
    );
    this.sizeBytes = sizeBytes;
  }
}

/** What a call to the supervisor answers in its place. */
export interface TooSlow {
  readonly kind: "too-slow";
  readonly sizeBytes: number;
}

/** What `work` comes to, or that its data could not be copied. */
export async function orTooSlow<T>(work: Promise<T>): Promise<T | TooSlow> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CopyTooSlow) return { kind: "too-slow", sizeBytes: error.sizeBytes };
    throw error;
  }
}
