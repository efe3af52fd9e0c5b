// The data of one app for another that was just made of its code: each database as SQL, from one supervisor to the other.
import type { KeptAlarm } from "./app/app-alarms.ts";
import type { AppName } from "./app/app-name.ts";
import { CopyTooSlow } from "./app/copy-too-slow.ts";
import { PRODUCTION_FACET } from "./app/environment.ts";
import { readObjects } from "./archive-export.ts";
import { HostingError } from "./errors.ts";
import type { Host } from "./push-host.ts";

/** The app that is read, and the one that is made of it. */
interface CopiedApps {
  readonly from: AppName;
  readonly to: AppName;
}

/**
 * Replaces all of production's data in `to`, and its alarms by those that go with the data; returns how many these are. Each database is
 * of the moment in which it is read. Where it fails, `to` goes.
 * @throws HostingError "sql-failed" for data that does not go into another database, "copy-too-slow"
 */
export async function copyAppData({ from, to }: CopiedApps, host: Host): Promise<number> {
  const source = host.env.SUPERVISOR.getByName(from);
  const objects = (await readObjects(source, PRODUCTION_FACET)).map((object) => {
    return { ...object, name: object.name ?? undefined };
  });
  using filling = await host.env.SUPERVISOR.getByName(to).beginFilling(PRODUCTION_FACET);
  if (filling === undefined) throw new Error(`${to} has nothing live that could have data.`);
  const alarms: KeptAlarm[] = [];
  for (const object of [undefined, ...objects]) {
    const named = object && { className: object.className, idOrName: object.objectId };
    // oxlint-disable-next-line no-await-in-loop -- both apps read and write one database at a time
    const dumped = await source.dumpDatabase({ environment: "production", ...(named && { object: named }) });
    if (dumped.kind === "too-slow") throw new CopyTooSlow(dumped.sizeBytes);
    // An object that is gone by now is no part of the app any more.
    if (dumped.kind !== "answered") continue;
    // oxlint-disable-next-line no-await-in-loop -- as above
    const outcome = await filling.load(object, dumped.answer.sql);
    if (outcome.kind === "failed") {
      throw new HostingError("sql-failed", `The data of ${from} could not be copied: ${outcome.message}`);
    }
    const { alarmAtMs: atMs } = dumped.answer;
    if (atMs !== null) alarms.push({ object, atMs });
  }
  await filling.finish(alarms);
  return alarms.length;
}
