// R2 where it fails for a moment: an operation that errs, one that never answers, a body that ends too early. What is asked here may be
// asked again: reads, and writes of bytes under a key that no other bytes are ever written to, so that one which arrives after its
// error does no harm. Streams are not repeated, as their bytes are gone; nothing is waited for without a limit.
import { within } from "./time-limit.ts";

/** How often, and how long before the next try. */
const WAITS_MS = [50, 250];

/** One try; R2 takes far less. */
const TRY_LIMIT_MS = 10_000;

/** The same where it is megabytes. */
export const LARGE_LIMIT_MS = 20_000;

/** A pack of the largest size that is taken, written as a stream. */
const STREAM_LIMIT_MS = 120_000;

/** R2 may still be at it. */
class Unanswered extends Error {}

/** The same work until it succeeds, three times at most. The last error is thrown. */
export async function retry<T>(work: () => Promise<T>, tryLimitMs: number = TRY_LIMIT_MS): Promise<T> {
  return repeat(work, { tryLimitMs, mayOverlap: true });
}

/** The same for a large write whose bytes change once it was given up: one without an answer is not begun again. */
export async function retryAnswered<T>(work: () => Promise<T>): Promise<T> {
  return repeat(work, { tryLimitMs: LARGE_LIMIT_MS, mayOverlap: false });
}

/** What cannot be repeated. Throws if it takes longer than any stream may. */
export async function limitStream<T>(work: Promise<T>): Promise<T> {
  return limited(work, STREAM_LIMIT_MS);
}

async function repeat<T>(
  work: () => Promise<T>,
  { tryLimitMs, mayOverlap }: { readonly tryLimitMs: number; readonly mayOverlap: boolean },
): Promise<T> {
  for (const waitMs of WAITS_MS) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      return await limited(work(), tryLimitMs);
    } catch (error) {
      if (error instanceof Unanswered && !mayOverlap) throw error;
      console.warn("R2 failed and is asked again", error);
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      await scheduler.wait(waitMs);
    }
  }
  return limited(work(), tryLimitMs);
}

/** All bytes of an object or of a range of it, which is cut off at the object's end. undefined: there is no such object. */
export function readObject(
  bucket: R2Bucket,
  key: string,
  range?: { readonly offset: number; readonly length: number },
): Promise<Uint8Array | undefined> {
  return retry(async () => {
    const object = await bucket.get(key, range === undefined ? {} : { range });
    if (object === null) return undefined;
    const bytes = new Uint8Array(await object.arrayBuffer());
    const expected =
      range === undefined ? object.size : Math.max(0, Math.min(range.length, object.size - range.offset));
    if (bytes.byteLength !== expected) {
      throw new Error(`R2 sent ${bytes.byteLength} of ${expected} bytes of ${key}.`);
    }
    return bytes;
  });
}

async function limited<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const answer = await within(work, limitMs);
  if (answer === "late") throw new Unanswered(`R2 did not answer within ${limitMs} ms.`);
  return answer;
}
