// Runs what cron triggers are due. A run is never made up for: one that is due while the host is down does not happen, and one that fails
// is not tried again.
import { getCrons } from "../store/code.ts";
import { listCrons, type CronRow } from "../store/crons.ts";
import { noteLine, noteUsage } from "./activity.ts";
import type { CronRun } from "./cron-handler.ts";
import { putNext } from "./cron-schedule.ts";
import { getFacet, openVersionWorker } from "./facet-start.ts";
import { callLive } from "./handler-call.ts";
import type { HostedApp, Version } from "./hosted-app.ts";
import { runDefaultScheduled } from "./loader.ts";
import { isWorker } from "./receiver.ts";
import { SCHEDULED } from "./start-report.ts";

/** A run that is later than this was missed. */
const LATEST_MS = 60_000;

/** Starts every run whose time has come. Nobody waits for them. */
export function runDueCrons(app: HostedApp): void {
  for (const row of listCrons(app.db)) {
    if (row.nextMs > app.now()) return;
    putNext(app, row.facet, row.cron);
    if (app.now() - row.nextMs <= LATEST_MS) app.ctx.waitUntil(run(app, row));
  }
}

async function run(app: HostedApp, { facet, cron, nextMs }: CronRow): Promise<void> {
  const beganMs = app.now();
  const outcome = await callLive(app, facet, (version) =>
    // Another deploy may have come while a version started.
    getCrons(app.db, version.deploy.codeId).includes(cron)
      ? callScheduled(app, version, { cron, scheduledTime: nextMs })
      : undefined,
  );
  if (!("version" in outcome)) return;
  const tookMs = app.now() - beganMs;
  const about = `cron ${cron}`;
  const line = { atMs: app.now(), facet, deployNumber: outcome.version.deploy.number, kind: "alarm" } as const;
  noteUsage(app, line, { wallMs: tookMs });
  if (outcome.kind === "interrupted") {
    noteLine(app, { ...line, level: "warn", text: `${about} did not end before a deploy` });
  } else if (outcome.kind === "failed") {
    noteLine(app, { ...line, level: "error", text: `${about} failed, ${tookMs} ms` });
  } else if (outcome.kind === "answered" && outcome.answer) {
    noteLine(app, { ...line, level: "info", text: `${about} ran, ${tookMs} ms` });
  } else {
    noteLine(app, { ...line, level: "error", text: `${about} called nobody: the app has no scheduled()` });
  }
}

/** The class that receives requests comes before the default export. false: neither has scheduled(). */
async function callScheduled(app: HostedApp, version: Version, cronRun: CronRun): Promise<boolean> {
  const open = (): WorkerStub => openVersionWorker(app, version);
  if (isWorker(app, version)) return runDefaultScheduled(open(), cronRun);
  if (await getFacet(app, version.facet, open)[SCHEDULED](cronRun)) return true;
  return runDefaultScheduled(open(), cronRun);
}
