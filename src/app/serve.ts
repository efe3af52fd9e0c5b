// A visitor's request. Once the live version runs this reads no database and adds one hop: the facet. A request that comes while
// the live pointer is ahead of what runs waits for the arrival, which it starts itself if nobody has.
import { setHasSockets } from "../store/deploys.ts";
import { answerFor, ERROR_HEADER } from "./answers.ts";
import { arrive } from "./arrival.ts";
import { getFacet, openVersionWorker } from "./facet-start.ts";
import { findExisting, type FacetRuntime, type HostedApp } from "./hosted-app.ts";
import { within } from "./time-limit.ts";

/** A request waits no longer than this for a deploy. */
export const HOLD_LIMIT_MS = 10_000;

/** The app's answer, or the host's own where there is none. */
export async function serve(app: HostedApp, request: Request): Promise<Response> {
  const runtime = app.production;
  if (runtime.running === undefined || runtime.running !== runtime.live) {
    const refusal = await hold(app, runtime);
    if (refusal !== undefined) return refusal;
  }
  const version = runtime.running;
  if (version === undefined) return answerFor("app-busy");
  runtime.inFlightCount += 1;
  try {
    const response = await getFacet(app, runtime.facet, () => openVersionWorker(app, version)).fetch(request);
    return passOn(app, runtime, response);
  } catch (error) {
    leave(runtime);
    // A version that was stopped under the request did not fail: it did not end in time.
    if (runtime.running !== version) return answerFor("app-busy");
    console.error(`app ${app.name}: a request failed`, error);
    return answerFor("app-failed");
  }
}

/** Waits until the live version runs. The answer, if it does not come to that. */
async function hold(app: HostedApp, runtime: FacetRuntime): Promise<Response | undefined> {
  const comesMs = app.now();
  runtime.heldSinceMs ??= comesMs;
  while (runtime.live !== undefined && runtime.live !== runtime.running) {
    const arrival = await within(arrive(app, runtime), Math.max(0, comesMs + HOLD_LIMIT_MS - app.now()));
    if (arrival === "late") return answerFor("app-busy");
    if (arrival.kind === "failed") return answerFor("app-failed");
  }
  if (runtime.live !== undefined) return undefined;
  runtime.heldSinceMs = undefined;
  return answerFor(findExisting(app) === undefined ? "app-not-found" : "app-not-deployed");
}

/** The app's response, with the request counted as running until the last byte of the body was taken. */
function passOn(app: HostedApp, runtime: FacetRuntime, response: Response): Response {
  const { body, webSocket } = response;
  if (webSocket !== null) noteSocket(app, runtime);
  if (body === null) leave(runtime);
  if (body === null && !response.headers.has(ERROR_HEADER)) return response;
  const answer = new Response(body === null ? null : countBody(runtime, response.headers, body), response);
  answer.headers.delete(ERROR_HEADER);
  return answer;
}

/** The body through a pipe of the runtime's own, which passes bytes on without running any JavaScript for them. */
function countBody(runtime: FacetRuntime, headers: Headers, body: ReadableStream): ReadableStream {
  // An encoded body is decoded on its way through here and encoded again behind it, so its length says nothing.
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  const pipe =
    length !== null && /^\d{1,15}$/.test(length)
      ? new FixedLengthStream(Number(length))
      : new IdentityTransformStream();
  const done = (): void => leave(runtime);
  body.pipeTo(pipe.writable).then(done, done);
  return pipe.readable;
}

function leave(runtime: FacetRuntime): void {
  runtime.inFlightCount -= 1;
  if (runtime.inFlightCount === 0) runtime.onIdle?.();
}

/** Written down, because the sockets may hibernate longer than this instance lives. */
function noteSocket(app: HostedApp, runtime: FacetRuntime): void {
  if (runtime.hasSockets) return;
  runtime.hasSockets = true;
  setHasSockets(app.db, runtime.facet, true);
}
