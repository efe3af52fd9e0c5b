// R2 where it fails for a moment: an operation that errs, one that never answers, a body that ends too early. What is asked here may be
// asked again: reads, and writes of bytes under a key that no other bytes are ever written to, so that one which arrives after its
// error does no harm. Streams are not repeated: their bytes are gone.

/** How often, and how long before the next try. */
const WAITS_MS = [50, 250];

/** One try; R2 takes far less. */
const TRY_LIMIT_MS = 20_000;

/** For what may not be begun again before it has ended: the longest time that a timer takes. */
export const UNLIMITED_MS = 2 ** 31 - 1;

/** The same work until it succeeds, three times at most. The last error is thrown. */
export async function retry<T>(work: () => Promise<T>, tryLimitMs: number = TRY_LIMIT_MS): Promise<T> {
  for (const waitMs of WAITS_MS) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      return await limited(work(), tryLimitMs);
    } catch (error) {
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
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`R2 did not answer within ${limitMs} ms.`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
