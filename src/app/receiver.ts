// What of a version receives visitors' requests: the app's facet, or the entrypoint of an ordinary Worker, which has no data of its own.
import { getCodeEntry, WORKER_ENTRY, type CodeDefinition } from "../store/code.ts";
import { getFacet, openVersionWorker } from "./facet-start.ts";
import type { HostedApp, Version } from "./hosted-app.ts";

/** Who receives the requests, and which classes have objects. Read from the database once for each version. */
export function entryOf(app: HostedApp, version: Version): Pick<CodeDefinition, "className" | "objects"> {
  version.entry ??= getCodeEntry(app.db, version.deploy.codeId);
  return version.entry;
}

export function isWorker(app: HostedApp, version: Version): boolean {
  return entryOf(app, version).className === WORKER_ENTRY;
}

/** Where to send a request. Cheap: it reads no database and computes no name but for the first. */
export function receiverOf(app: HostedApp, version: Version): Fetcher {
  if (!isWorker(app, version)) return getFacet(app, version.facet, () => openVersionWorker(app, version));
  version.worker ??= openVersionWorker(app, version).getEntrypoint("Worker");
  return version.worker;
}
