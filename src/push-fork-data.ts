// The data of one app for another that was just made of its code: each database as SQL, from one supervisor to the other.
import type { AppName } from "./app/app-name.ts";
import { CopyTooSlow } from "./app/copy-too-slow.ts";
import { PRODUCTION_FACET } from "./app/environment.ts";
import { readObjects } from "./archive-export.ts";
import { HostingError } from "./errors.ts";
import type { Host } from "./push-host.ts";

/**
 * Replaces all of production's data in `to`, which goes if that fails: what is left of a fork without its data looks whole and is not.
 * Each database is of the moment in which it is read.
 * @throws HostingError "sql-failed" for data that does not go into another database, "copy-too-slow"
 */
export async function copyAppData({ from, to }: { readonly from: AppName; readonly to: AppName }, host: Host) {
  const source = host.env.SUPERVISOR.getByName(from);
  const target = host.env.SUPERVISOR.getByName(to);
  const objects = (await readObjects(source, PRODUCTION_FACET)).map((object) => {
    return { ...object, name: object.name ?? undefined };
  });
  try {
    for (const object of [undefined, ...objects]) {
      const named = object && { className: object.className, idOrName: object.objectId };
      // oxlint-disable-next-line no-await-in-loop -- both apps read and write one database at a time
      const dumped = await source.dumpDatabase({ environment: "production", ...(named && { object: named }) });
      if (dumped.kind === "too-slow") throw new CopyTooSlow(dumped.sizeBytes);
      // An object that is gone by now is no part of the app any more.
      if (dumped.kind !== "answered") continue;
      // oxlint-disable-next-line no-await-in-loop -- as above
      const outcome = await target.replaceData({ facet: PRODUCTION_FACET, object }, dumped.answer);
      if (outcome.kind === "failed") {
        throw new HostingError("sql-failed", `The data of ${from} could not be copied: ${outcome.message}`);
      }
    }
  } catch (error) {
    await target.undoCreation();
    throw error;
  }
}
