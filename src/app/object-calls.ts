// A call of an app's code to one of its named objects: from the app's isolate by the entrypoint Objects to the supervisor, and on to the
// facet. Calls pass while their version runs, also while it is drained, as a running request may need them to end; what comes
// from a version that was replaced is refused. Nothing here waits for another call, so objects may call each other and themselves.
import { setObjectSockets } from "../store/objects.ts";
import { arrive } from "./arrival.ts";
import type { EnvironmentProps } from "./environment-props.ts";
import { REHEARSAL_FACET } from "./environment.ts";
import { openVersionWorker, type Facet } from "./facet-start.ts";
import { findRuntime, openFacetRuntime, type FacetRuntime, type HostedApp } from "./hosted-app.ts";
import { OBJECT_HEADER, objectFacet, readAddress, readObjectHeader, type ObjectAddress } from "./object-address.ts";
import { openObject } from "./object-facets.ts";
import { entryOf } from "./receiver.ts";

/** Whose call it is. */
export type Caller = Omit<EnvironmentProps, "app">;

/**
 * Calls that wait for an answer in one environment, at most. Objects that call each other without end are stopped by it: each call waits
 * for the next.
 */
const MAX_WAITING_CALLS = 1000;

/** What the runtime calls on an object, and nobody else. */
const HANDLERS: ReadonlySet<string> = new Set([
  "alarm",
  "queue",
  "scheduled",
  "tail",
  "trace",
  "email",
  "test",
  "webSocketMessage",
  "webSocketClose",
  "webSocketError",
]);

/** What is a stub's own, or every JavaScript object's: calling it would call nothing of the app's. */
const NO_METHODS: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "fetch",
  "connect",
  "dup",
  "then",
  "catch",
  "finally",
]);

/** Calls a method of an object. What it throws is thrown, and what it returns may hold streams, functions and stubs. */
export function callObject(
  app: HostedApp,
  from: Caller,
  address: ObjectAddress,
  call: { readonly method: string; readonly args: readonly unknown[] },
): Promise<unknown> {
  const { method, args } = call;
  checkName(address, method);
  return withObject(app, from, address, async (facet) => {
    const remote: unknown = Reflect.get(facet, method);
    if (typeof remote !== "function") throw new TypeError(`${method} is no method of ${address.className}.`);
    return await Reflect.apply(remote, facet, args);
  });
}

/** Reads a property of an object, which its class must have as a getter. */
export function readObject(app: HostedApp, from: Caller, address: ObjectAddress, property: string): Promise<unknown> {
  checkName(address, property);
  return withObject(app, from, address, async (facet) => await Reflect.get(facet, property));
}

/** The runtime's own words, as far as it has any. */
function checkName({ className }: ObjectAddress, name: string): void {
  if (HANDLERS.has(name)) throw new TypeError(`'${name}' is a reserved method and cannot be called over RPC.`);
  if (!NO_METHODS.has(name) && !name.startsWith("slipway:")) return;
  throw new TypeError(`${className} has no method ${name} that can be called from outside of the object.`);
}

/** A request of the app's own code for one of its objects; the header says which. */
export async function fetchObject(app: HostedApp, request: Request): Promise<Response> {
  const { from, address } = readTarget(request);
  const headers = new Headers(request.headers);
  headers.delete(OBJECT_HEADER);
  const passed = new Request(request, { headers });
  return withObject(app, from, address, async (facet, runtime) => {
    // As for visitors (serve.ts): a stub that is called by its own method stays until the next full collection.
    const response = await fetch(passed, { fetcher: facet });
    if (response.webSocket !== null) noteSocket(app, runtime, address);
    return response;
  });
}

/** Written by the entrypoint Objects. */
function readTarget(request: Request): { readonly from: Caller; readonly address: ObjectAddress } {
  const target = readObjectHeader(request.headers.get(OBJECT_HEADER));
  const address = readAddress(target);
  if (typeof target === "object" && target !== null && "from" in target) {
    const { facet, deployNumber }: Partial<Record<string, unknown>> =
      typeof target.from === "object" ? { ...target.from } : {};
    if (typeof facet === "string" && typeof deployNumber === "number")
      return { from: { facet, deployNumber }, address };
  }
  throw new TypeError("This request does not say which app's object it is for.");
}

async function withObject<Result>(
  app: HostedApp,
  from: Caller,
  address: ObjectAddress,
  use: (facet: Facet, runtime: FacetRuntime) => Promise<Result>,
): Promise<Result> {
  const { runtime, ...code } = await findCaller(app, from);
  if (runtime.objectCallCount >= MAX_WAITING_CALLS) {
    throw new Error(
      `${MAX_WAITING_CALLS} calls to objects of this app wait for their answers, which is the limit. Do its objects call each other without end?`,
    );
  }
  const facet = openObject(app, runtime, { ...code, address });
  runtime.objectCallCount += 1;
  try {
    return await use(facet, runtime);
  } finally {
    runtime.objectCallCount -= 1;
    if (runtime.objectCallCount === 0 && runtime.inFlightCount === 0) runtime.onIdle?.();
  }
}

/** The environment that the caller runs in, and its code, if that is still what runs there, or starts. */
async function findCaller(
  app: HostedApp,
  from: Caller,
): Promise<{ runtime: FacetRuntime; classes: readonly string[]; openWorker: () => WorkerStub }> {
  const { rehearsed } = app;
  if (from.facet === REHEARSAL_FACET && rehearsed !== undefined) {
    return {
      runtime: openFacetRuntime(REHEARSAL_FACET),
      classes: rehearsed.classes,
      openWorker: () => rehearsed.worker,
    };
  }
  const runtime = findRuntime(app, from.facet);
  // After the supervisor was idle. While a version starts, its constructor may call already.
  if (runtime !== undefined && runtime.running === undefined && runtime.arrival === undefined) {
    const arrival = await arrive(app, runtime);
    if (arrival.kind === "failed") throw new Error(arrival.failure.reason);
  }
  const version = runtime?.running ?? runtime?.live;
  if (runtime === undefined || version?.deploy.number !== from.deployNumber) {
    throw new Error("This version of the app was replaced, so it reaches no objects any more.");
  }
  const classes = entryOf(app, version).objects?.classes ?? [];
  return { runtime, classes, openWorker: () => openVersionWorker(app, version) };
}

/** Written down, because the sockets may hibernate longer than this instance lives. */
function noteSocket(app: HostedApp, runtime: FacetRuntime, address: ObjectAddress): void {
  const running = runtime.objects.get(objectFacet(runtime.facet, address));
  if (running === undefined || running.hasSockets) return;
  running.hasSockets = true;
  setObjectSockets(app.db, { ...address, facet: runtime.facet });
}
