// What of a version receives visitors' requests: the app's facet, or the entrypoint of an ordinary Worker, which has no data of its own.
import { exportOf, getCodeEntry, WORKER_ENTRY, type CodeDefinition } from "../store/code.ts";
import { getFacet, openVersionWorker } from "./facet-start.ts";
import { findRuntime, type HostedApp, type Version } from "./hosted-app.ts";

/** Who receives the requests, and which classes have objects. Read from the database once for each version. */
export function entryOf(app: HostedApp, version: Version): Pick<CodeDefinition, "className" | "objects"> {
  version.entry ??= getCodeEntry(app.db, version.deploy.codeId);
  return version.entry;
}

export function isWorker(app: HostedApp, version: Version): boolean {
  return entryOf(app, version).className === WORKER_ENTRY;
}

/** The name under which objects of a class are stored that the live version calls so. */
export function storedClass(app: HostedApp, facet: string, className: string): string {
  const classes = listLiveClasses(app, facet);
  return classes.find((live) => live.className === className)?.storedAs ?? className;
}

/** The other way. */
export function shownClass(app: HostedApp, facet: string, storedAs: string): string {
  return listLiveClasses(app, facet).find((live) => live.storedAs === storedAs)?.className ?? storedAs;
}

/** What the live version of an environment calls its classes, and the names under which their objects are stored. */
export function listLiveClasses(
  app: HostedApp,
  facet: string,
): readonly { readonly className: string; readonly storedAs: string }[] {
  const version = findRuntime(app, facet)?.live;
  const objects = version && entryOf(app, version).objects;
  return (objects?.classes ?? []).map((storedAs) => ({ className: exportOf(objects, storedAs), storedAs }));
}

/** Where to send a request. Cheap: it reads no database and computes no name but for the first. */
export function receiverOf(app: HostedApp, version: Version): Fetcher {
  if (!isWorker(app, version)) return getFacet(app, version.facet, () => openVersionWorker(app, version));
  version.worker ??= openVersionWorker(app, version).getEntrypoint("Worker");
  return version.worker;
}
