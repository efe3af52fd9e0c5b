// Cron triggers: what is live in an environment says when scheduled() of the app is called. Rows follow the version that runs, so they
// move with a deploy and a rollback; cron-runs.ts calls the app.
import { Cron } from "croner";
import { getCrons } from "../store/code.ts";
import { listCrons, putCron, removeCron } from "../store/crons.ts";
import { listEnvironments } from "../store/previews.ts";
import { findRepository } from "../store/settings.ts";
import { environmentKind, PRODUCTION_FACET } from "./environment.ts";
import { findRuntime, type HostedApp, type Version } from "./hosted-app.ts";
import { setNextAlarm } from "./schedule.ts";

/** The same as in build/cron.ts. */
const SYNTAX = {
  mode: "5-part",
  alternativeWeekdays: true,
  sloppyRanges: true,
  timezone: "UTC",
  paused: true,
} as const;

/** Has the expressions of the environment's live version run, and no others. */
export function scheduleCrons(app: HostedApp, { facet, deploy }: Version): void {
  const isOn = environmentKind(facet) === "production" || findRepository(app.db)?.settings.previewCrons === true;
  const crons = isOn ? getCrons(app.db, deploy.codeId) : [];
  const rows = listCrons(app.db).filter((row) => row.facet === facet);
  const added = crons.filter((cron) => !rows.some((row) => row.cron === cron));
  const removed = rows.filter(({ cron }) => !crons.includes(cron));
  if (added.length === 0 && removed.length === 0) return;
  app.db.transaction(() => {
    for (const row of removed) removeCron(app.db, row);
    for (const cron of added) putNext(app, facet, cron);
  });
  setNextAlarm(app);
}

/** The setting for previews was changed. */
export function rescheduleCrons(app: HostedApp): void {
  for (const facet of [PRODUCTION_FACET, ...listEnvironments(app.db).map((environment) => environment.facet)]) {
    const live = findRuntime(app, facet)?.live;
    if (live?.hasRun === true) scheduleCrons(app, live);
  }
}

/** When it runs after now. It may be never again: then it is no more. */
export function putNext(app: HostedApp, facet: string, cron: string): void {
  const next = new Cron(cron, SYNTAX).nextRun(new Date(app.now()));
  if (next === null) removeCron(app.db, { facet, cron });
  else putCron(app.db, { facet, cron, nextMs: next.getTime() });
}
