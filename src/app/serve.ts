// A visitor's request. Once the live version runs this reads no database and adds one hop: the facet. A request that comes while
// the live pointer is ahead of what runs waits for the arrival, which it starts itself if nobody has.
import { setHasSockets } from "../store/deploys.ts";
import { noteRequest } from "./activity.ts";
import { watchBody } from "./answer-body.ts";
import { answerFor, ERROR_HEADER } from "./answers.ts";
import { answerBeforeApp } from "./assets.ts";
import { arrive, HOLD_LIMIT_MS } from "./arrival.ts";
import { passEventStream } from "./event-stream.ts";
import type { FacetRuntime, HostedApp, Version } from "./hosted-app.ts";
import { enter, leave } from "./in-flight.ts";
import { noteFailure } from "./logs.ts";
import { quotasOf } from "./quotas.ts";
import { takeFrom } from "./rate.ts";
import { receiverOf } from "./receiver.ts";
import { hasRoomFor } from "./stored-data.ts";
import { within } from "../store/time-limit.ts";
import { maskSecretsOf } from "./variables.ts";
import { describeAbsence, findVisited } from "./visited.ts";

/** The app's answer, or the host's own where there is none. */
export async function serve(app: HostedApp, request: Request): Promise<Response> {
  const comesMs = app.now();
  const runtime = findVisited(app, request.url);
  if (typeof runtime === "string") return answerFor(runtime, request);
  const response = await answer(app, runtime, request);
  const from = runtime.running ?? runtime.live;
  // Who asks for what is not there writes nothing.
  if (from === undefined) return response;
  const { method, url } = request;
  const { facet, deploy } = from;
  const atMs = app.now();
  const { status } = response;
  noteRequest(app, { atMs, facet, deployNumber: deploy.number, method, url, status, tookMs: atMs - comesMs });
  return response;
}

async function answer(app: HostedApp, runtime: FacetRuntime, request: Request): Promise<Response> {
  if (takeFrom(app.requestRate, quotasOf(app).requestsPerMinute, app.now()) !== undefined) {
    return answerFor("quota-exceeded", request);
  }
  if (!hasRoomFor(app, runtime, request)) return answerFor("storage-full", request);
  if (runtime.running === undefined || runtime.running !== runtime.live) {
    const refusal = await hold(app, runtime, request);
    if (refusal !== undefined) return refusal;
  }
  const version = runtime.running;
  if (version === undefined) return answerFor("app-busy", request);
  const { assetsId } = version.deploy;
  const asset = assetsId === undefined ? undefined : answerBeforeApp(app, assetsId, request);
  if (asset !== undefined) return asset;
  enter(runtime);
  try {
    const receiver = receiverOf(app, version);
    // Not facet.fetch(request): V8 frees a stub that was called so only with its next full collection, which a host with few
    // deploys may not see for hours, and until then the stub keeps its version's isolate. Measured: 3 MB a deploy.
    return await passOn(app, runtime, version, await fetch(request, { fetcher: receiver }));
  } catch (error) {
    leave(runtime);
    // A version that was stopped under the request did not fail: it did not end in time.
    if (runtime.running !== version) return answerFor("app-busy", request);
    reportFailure(app, version, error);
    return answerFor("app-failed", request);
  }
}

/** To the app's own log, and the host's: what the app threw may name its secrets. */
function reportFailure(app: HostedApp, { facet, deploy }: Version, error: unknown): void {
  const from = { deployNumber: deploy.number, facet };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.error(`app ${app.name}: a request failed: ${maskSecretsOf(app, from, text)}`);
  app.ctx.waitUntil(noteFailure(app, from, error));
}

/** Waits until the live version runs. The answer, if it does not come to that. */
async function hold(app: HostedApp, runtime: FacetRuntime, request: Request): Promise<Response | undefined> {
  const comesMs = app.now();
  runtime.heldSinceMs ??= comesMs;
  while (runtime.live !== undefined && runtime.live !== runtime.running) {
    const arrival = await within(arrive(app, runtime), Math.max(0, comesMs + HOLD_LIMIT_MS - app.now()));
    if (arrival === "late") {
      runtime.turnedAwayCount += 1;
      return answerFor("app-busy", request);
    }
    if (arrival.kind === "failed") return answerFor("app-failed", request);
  }
  if (runtime.live !== undefined) return undefined;
  runtime.heldSinceMs = undefined;
  return answerFor(describeAbsence(app, runtime.facet), request);
}

/** The app's response, with the request counted as running until the app has sent the last byte of the body. */
async function passOn(app: HostedApp, runtime: FacetRuntime, version: Version, response: Response): Promise<Response> {
  const { body, headers, webSocket } = response;
  if (webSocket !== null) noteSocket(app, runtime);
  if (body === null) {
    leave(runtime);
    return headers.has(ERROR_HEADER) ? unmark(new Response(body, response)) : response;
  }
  if (headers.get("content-type")?.startsWith("text/event-stream") === true) {
    leave(runtime);
    return unmark(new Response(passEventStream(body, runtime.eventStreams), response));
  }
  const watched = await watchBody(body, response, {
    onEnd: () => leave(runtime),
    onBroken: (error) => {
      if (runtime.running === version) reportFailure(app, version, error);
    },
  });
  // Named one by one: the runtime is slow to look for them in a response.
  const { status, statusText } = response;
  return unmark(new Response(watched, { status, statusText, headers }));
}

/** An app's answer is never taken for the host's own. */
function unmark(response: Response): Response {
  response.headers.delete(ERROR_HEADER);
  // The length of the encoded body, which is encoded anew behind this.
  if (response.headers.has("content-encoding")) response.headers.delete("content-length");
  return response;
}

/** Written down, because the sockets may hibernate longer than this instance lives. */
function noteSocket(app: HostedApp, runtime: FacetRuntime): void {
  if (runtime.hasSockets) return;
  runtime.hasSockets = true;
  setHasSockets(app.db, runtime.facet, true);
}
