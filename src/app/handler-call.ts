// Calling what an app answers beside requests: alarms and cron triggers. They wait for a deploy that is under way and the deploy waits
// for them, so that old or new code answers, never both.
import { arrive } from "./arrival.ts";
import { findRuntime, type HostedApp, type Version } from "./hosted-app.ts";
import { enter, leave } from "./in-flight.ts";
import { within } from "../store/time-limit.ts";

/** What became of a call. */
export type HandlerCall<T> =
  /** gone: the environment ended. not-started: its live version does not start. skipped: there is nothing to call any more. */
  | { readonly kind: "gone" | "not-started" | "skipped" }
  /** interrupted: a deploy did not wait any longer. failed: what was thrown is in the app's log, told by the runtime's tail. */
  | { readonly kind: "interrupted" | "failed"; readonly version: Version }
  | { readonly kind: "answered"; readonly version: Version; readonly answer: T };

/** Cloudflare's own limit for alarms and cron triggers. */
const HANDLER_LIMIT_MS = 15 * 60_000;

/** Brings the environment to its live version and calls it. `call` returns undefined where there is nothing to call any more. */
export async function callLive<T>(
  app: HostedApp,
  facet: string,
  call: (version: Version) => Promise<T> | undefined,
): Promise<HandlerCall<T>> {
  const runtime = findRuntime(app, facet);
  if (runtime?.live === undefined) return { kind: "gone" };
  while (runtime.live !== undefined && runtime.live !== runtime.running) {
    // oxlint-disable-next-line no-await-in-loop -- the live pointer may move meanwhile
    const arrival = await arrive(app, runtime);
    if (arrival.kind === "failed") return { kind: "not-started" };
  }
  const version = runtime.running;
  if (version === undefined) return { kind: "gone" };
  enter(runtime);
  try {
    const called = call(version);
    if (called === undefined) return { kind: "skipped" };
    const answer = await within(called, HANDLER_LIMIT_MS);
    return answer === "late" ? { kind: "failed", version } : { kind: "answered", version, answer };
  } catch {
    return { kind: runtime.running === version ? "failed" : "interrupted", version };
  } finally {
    leave(runtime);
  }
}
