// What a deploy waits for: requests and alarms that a facet is at work on.
import type { FacetRuntime } from "./hosted-app.ts";

/** Something has begun. Call leave once, when it is done. */
export function enter(runtime: FacetRuntime): void {
  runtime.inFlightCount += 1;
}

export function leave(runtime: FacetRuntime): void {
  runtime.inFlightCount -= 1;
  if (runtime.inFlightCount === 0 && runtime.objectCallCount === 0) runtime.onIdle?.();
}
