// Alarms of the compatibility suite that ring, and calls that take long: each has an object of its own, so that all wait at once.
import { answer, POLL_MS, type Side, type Visits } from "./side.ts";
import type { Seen } from "./outcome.ts";

/** A first retry comes within this, or none does. */
const RETRIED_MS = 5000;

export const ALARM_VISITS: Visits = {
  "ring.once": (side) => ring(side, "", 1),
  "ring.past": (side) => ring(side, "past", 1),
  "ring.retry": (side) => ring(side, "fails", 2),
  "ring.again": (side) => ring(side, "again", 2),
  "ring.againFails": (side) => ring(side, "againFails", 2),
  "ring.aborted": (side) => ring(side, "aborts", 2),
  "ring.slow": (side) => ring(side, "slow", 1),
  "ring.evicted": async (side) => {
    await (await side.fetch("/ring?plan=later")).text();
    await side.evict();
    return waitForRings(side, 1);
  },
  "ring.moves": (side) => ringOnce(side, "moves"),
  "ring.deletes": (side) => ringOnce(side, "deletes"),
  "ring.deletesAndSets": (side) => ring(side, "deletesAndSets", 2),
  "ring.clears": (side) => ringOnce(side, "clears"),
  "ring.deletedMeanwhile": async (side) => {
    await (await side.fetch("/ring?plan=failsOnceDeleted")).text();
    await waitForRings(side, 1);
    await (await side.fetch("/delete-alarm")).text();
    return afterRetry(side);
  },
  "block.timeout": async (side) => [await answer(side, "/block-forever"), await answer(side, "/status/200")],
  "block.throw": async (side) => [
    await answer(side, "/memory?add"),
    await answer(side, "/block-throw"),
    await answer(side, "/memory"),
  ],
};

async function ring(side: Side, plan: string, count: number): Promise<unknown> {
  await (await side.fetch(`/ring?plan=${plan}`)).text();
  return waitForRings(side, count);
}

/** Rings, fails, and is not tried again. */
async function ringOnce(side: Side, plan: string): Promise<unknown> {
  await ring(side, plan, 1);
  return afterRetry(side);
}

/** What there is once a retry would have come. */
async function afterRetry(side: Side): Promise<unknown> {
  return [await waitForRings(side, 2), await (await side.fetch("/pending")).text()];
}

async function waitForRings(side: Side, count: number): Promise<unknown> {
  for (let waitedMs = 0; waitedMs < RETRIED_MS; waitedMs += POLL_MS) {
    // oxlint-disable-next-line no-await-in-loop -- a poll
    const rings: Seen[] = await (await side.fetch("/rings")).json();
    if (rings.length >= count) return rings;
    // oxlint-disable-next-line no-await-in-loop -- a poll
    await scheduler.wait(POLL_MS);
  }
  return `it did not ring ${count} times`;
}
