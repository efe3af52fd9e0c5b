// Copies of databases where the runtime makes none: one is read out by code inside of its facet, another is filled with what it said
// (data-dump.ts, data-restore.ts). Which databases belong together is facet-data.ts's business.
import { CopyTooSlow, DUMP_LIMIT_MS } from "./copy-too-slow.ts";
import { DataChannel } from "./data-channel.ts";
import { isEnvironment } from "./environment.ts";
import type { Facet } from "./facet-start.ts";
import { runtimeOf, type HostedApp, type Version } from "./hosted-app.ts";
import { DUMP } from "./start-report.ts";
import { readStopped } from "./stopped-data.ts";

/**
 * Lets `work` read the data of a facet. It is given the version that runs there, or may be started for it, if the facet is an
 * environment's; where it is given none, nothing runs there until it is done. Begins anew where a deploy stops the version.
 */
export async function readEnvironment(
  app: HostedApp,
  facet: string,
  work: (version: Version | undefined) => Promise<void>,
): Promise<void> {
  if (!isEnvironment(facet)) return work(undefined);
  const runtime = runtimeOf(app, facet);
  while (runtime.arrival !== undefined || runtime.reading !== undefined) {
    // oxlint-disable-next-line no-await-in-loop -- another may have begun meanwhile
    await Promise.all([runtime.arrival, runtime.reading]);
  }
  const { running, live } = runtime;
  if (running !== undefined) {
    try {
      return await work(running);
    } catch (error) {
      if (runtime.running === running) throw error;
      return readEnvironment(app, facet, work);
    }
  }
  const reading = work(live?.hasRun === true ? live : undefined);
  // Until then no arrival starts anything there; see arrival.ts.
  runtime.reading = reading
    .catch(() => undefined)
    .finally(() => {
      runtime.reading = undefined;
    });
  return reading;
}

/**
 * Fills the second facet, in which nothing is, with what is in the first. `open`: the app's class that runs there, which reads its data
 * out while it takes nothing in: sockets stay open, requests wait. undefined: nothing runs there.
 */
export async function fillDatabase(
  app: HostedApp,
  [fromFacet, toFacet]: readonly [string, string],
  open: Facet | undefined,
): Promise<void> {
  const channel = new DataChannel();
  const end = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      channel.fail(error);
      throw error;
    }
  };
  const dump =
    open === undefined ? readStopped(app, fromFacet, (stub) => stub.dump(channel)) : dumpRunning(open, channel);
  const dumped = end(dump.then(() => channel.end()));
  const restored = end(readStopped(app, toFacet, (stub) => stub.restore(channel)));
  const outcomes = await Promise.allSettled([dumped, restored]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function dumpRunning(facet: Facet, channel: DataChannel): Promise<void> {
  const outcome = await facet[DUMP](channel, DUMP_LIMIT_MS);
  if (outcome.kind === "late") throw new CopyTooSlow(outcome.sizeBytes);
}
