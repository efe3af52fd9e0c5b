// The named objects of an app as its owner sees and deletes them through the API.
import {
  countByClass,
  countObjects,
  findObject,
  listObjects,
  type NamedObject,
  type ObjectKey,
} from "../store/objects.ts";
import { deleteObject } from "./facet-data.ts";
import { findExisting, findRuntime, type HostedApp } from "./hosted-app.ts";
import { scheduleReport } from "./metrics-report.ts";
import { objectFacet } from "./object-address.ts";
import { quotasOf } from "./quotas.ts";
import { listLiveClasses, shownClass, storedClass } from "./receiver.ts";

/** Which objects to list. */
export interface ObjectQuery {
  /** The environment. */
  readonly facet: string;
  readonly className?: string | undefined;
  /** The last one of the page before. */
  readonly after?: Pick<ObjectKey, "className" | "objectId"> | undefined;
  readonly limit: number;
}

/** A page of an environment's objects, and how many there are. */
export interface ObjectPage {
  readonly objects: readonly NamedObject[];
  /** `isLive`: the version that answers has the class. Objects of a class that is gone are kept. */
  readonly classes: readonly { readonly className: string; readonly count: number; readonly isLive: boolean }[];
  readonly count: number;
  /** How many an environment may have. */
  readonly limit: number;
}

/** Classes are called as the live version calls them. undefined: the app does not exist. */
export function describeObjects(app: HostedApp, query: ObjectQuery): ObjectPage | undefined {
  if (findExisting(app) === undefined) return undefined;
  const { facet, after, className } = query;
  const live = listLiveClasses(app, facet);
  const counts = new Map(live.map(({ storedAs }) => [storedAs, 0]));
  for (const { className: storedAs, count } of countByClass(app.db, facet)) counts.set(storedAs, count);
  const found = listObjects(app.db, facet, {
    ...query,
    className: className && storedClass(app, facet, className),
    after: after && { ...after, className: storedClass(app, facet, after.className) },
  });
  return {
    objects: found.map((object) => ({ ...object, className: shownClass(app, facet, object.className) })),
    classes: [...counts].map(([storedAs, count]) => ({
      className: shownClass(app, facet, storedAs),
      count,
      isLive: live.some((each) => each.storedAs === storedAs),
    })),
    count: countObjects(app.db, facet),
    limit: quotasOf(app).objects,
  };
}

/** Deletes an object with its data; what it was doing ends. Returns whether there was one. An app that names it again gets a new one. */
export function eraseObject(app: HostedApp, named: ObjectKey): boolean {
  if (findExisting(app) === undefined) return false;
  const key = { ...named, className: storedClass(app, named.facet, named.className) };
  if (findObject(app.db, key) === undefined) return false;
  deleteObject(app, key);
  const runtime = findRuntime(app, key.facet);
  runtime?.objects.delete(objectFacet(key.facet, key));
  if (runtime !== undefined) runtime.storedBytes = undefined;
  scheduleReport(app);
  return true;
}
