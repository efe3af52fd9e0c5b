// Where the requests of apps leave the host: an entrypoint of the Worker that every isolate of an app has in place of the network.
// It asks the app's supervisor for each request, so that a list that was changed holds at once. A redirect comes back to the
// app's isolate, which follows it with a request of its own that comes through here again.
import { WorkerEntrypoint } from "cloudflare:workers";
import { countBytes } from "./counted-body.ts";
import type { EgressEvent } from "./egress-event.ts";
import type { EnvironmentProps } from "./environment-props.ts";

export class Egress extends WorkerEntrypoint<Env, EnvironmentProps> {
  /** The answer from outside. Throws a sentence for the app's author where the request may not go out. */
  override async fetch(request: Request): Promise<Response> {
    const { app, facet, deployNumber } = this.ctx.props;
    const supervisor = this.env.SUPERVISOR.getByName(app);
    const url = new URL(request.url);
    const event = { atMs: Date.now(), facet, deployNumber, method: request.method, host: url.host, path: url.pathname };
    const note = (outcome: Omit<EgressEvent, keyof typeof event>): void =>
      this.ctx.waitUntil(supervisor.noteEgress({ ...event, ...outcome }));

    const decision = await supervisor.decideEgress(facet, request.url);
    if (decision.kind === "refused") {
      note({ status: undefined, reason: decision.reason, sentBytes: 0, receivedBytes: 0 });
      throw new Error(explainRefusal(this.ctx.props, url, decision.reason));
    }
    const sent = countBytes(request.body, request.headers);
    const outgoing = sent.body === request.body ? request : withBody(request, sent.body);
    try {
      const response = await fetch(outgoing, { redirect: "manual" });
      return this.#pass(response, (receivedBytes) =>
        note({ status: response.status, reason: undefined, sentBytes: sent.count(), receivedBytes }),
      );
    } catch (error) {
      note({ status: undefined, reason: "no answer", sentBytes: sent.count(), receivedBytes: 0 });
      throw error;
    }
  }

  /** Sockets of cloudflare:sockets: they name addresses that nothing here could check once they are open. */
  override connect(): never {
    throw new Error("Apps have no sockets here: only fetch reaches other hosts.");
  }

  /** The response as it came, with its body counted. */
  #pass(response: Response, onEnd: (receivedBytes: number) => void): Response {
    if (response.body === null || response.webSocket !== null) {
      onEnd(0);
      return response;
    }
    const received = countBytes(response.body, response.headers, onEnd);
    const passed = new Response(received.body, response);
    // The length of the encoded body, which is decoded here and encoded anew behind this.
    if (passed.headers.has("content-encoding")) passed.headers.delete("content-length");
    return passed;
  }
}

function withBody(request: Request, body: ReadableStream<Uint8Array> | null): Request {
  const { method } = request;
  return new Request(request, { method, body });
}

function explainRefusal({ app, facet }: EnvironmentProps, url: URL, reason: string): string {
  const list = facet === "app" ? "allow" : "previewAllow";
  const canBeAllowed = reason.includes("is not on the list");
  const fix = canBeAllowed
    ? ` Its owner allows it with PUT /api/v1/apps/${app}/egress {"${list}": ["${url.host}"]}, which replaces the list.`
    : "";
  return `This request was not sent: ${reason}.${fix}`;
}
