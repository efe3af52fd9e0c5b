// Sees to the quota databaseBytes while an app is at work: measures what it stores soon after it did something, tells its owner when it comes
// to its limit, and stops what goes on growing.
import { pause } from "./arrival.ts";
import { findRuntime, type HostedApp } from "./hosted-app.ts";
import { isTooFull, measureStored, storedBy, type StoredData } from "./stored-data.ts";

/** An environment that is always busy is measured no more often. What it writes in between may be over the limit. */
const MEASURE_EVERY_MS = 2000;

/** `tell`: for the log, in a sentence. */
export function watchStored(app: HostedApp, facet: string, tell: (text: string) => void): void {
  const runtime = findRuntime(app, facet);
  if (runtime?.running === undefined || runtime.isMeasuring) return;
  runtime.isMeasuring = true;
  const measure = async (): Promise<void> => {
    if (runtime.running === undefined) return;
    const before = storedBy(app, runtime);
    const after = await measureStored(app, runtime);
    if (isFull(after) !== isFull(before)) tell(describe(after));
    if (runtime.running === undefined || !isTooFull(app, runtime)) return;
    tell(`It is stopped, because it goes on growing. ${REMEDY}`);
    await pause(app, runtime, async () => undefined);
  };
  const waitMs = Math.max(0, runtime.measuredAtMs + MEASURE_EVERY_MS - app.now());
  setTimeout(() => {
    const measured = measure().finally(() => {
      runtime.isMeasuring = false;
    });
    app.ctx.waitUntil(
      measured.catch((error: unknown) => console.warn(`app ${app.name}: ${facet} was not measured`, error)),
    );
  }, waitMs);
}

const REMEDY = "Delete data by a deploy or with POST …/sql, or have the quota databaseBytes raised.";

function isFull({ usedBytes, limitBytes }: StoredData): boolean {
  return usedBytes > limitBytes;
}

function describe(stored: StoredData): string {
  const { usedBytes, limitBytes } = stored;
  const amount = `The data has ${usedBytes} bytes of the ${limitBytes} that it may have`;
  if (!isFull(stored)) return `${amount}, and requests are answered again.`;
  return `${amount}, so that requests other than GET, HEAD, OPTIONS and DELETE are refused. ${REMEDY}`;
}
