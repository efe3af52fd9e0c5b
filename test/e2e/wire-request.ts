// One HTTP request, byte for byte: bodies in chunks, compressed, announced with Expect, or cut off.
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import type { Answer } from "./host.ts";

export interface WireRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Sent without a length, in pieces of so many bytes. */
  readonly chunkBytes: number;
}

/** Sends it and reads the whole answer, bytes as latin1. Always to 127.0.0.1: not every machine resolves *.localhost. */
export async function sendRequest(url: string, request: Partial<WireRequest>): Promise<Answer> {
  const { method = request.body === undefined ? "GET" : "POST", headers = {}, body, chunkBytes } = request;
  const { host, port, pathname, search } = new URL(url);
  const sent = httpRequest({
    host: "127.0.0.1",
    port,
    path: pathname + search,
    method,
    headers: { ...headers, host },
    agent: false,
  });
  const answered = once(sent, "response");
  if (headers["expect"] !== undefined) {
    sent.flushHeaders();
    await Promise.race([once(sent, "continue"), answered]);
  }
  if (chunkBytes === undefined) sent.end(body);
  else {
    for (let at = 0; at < (body?.byteLength ?? 0); at += chunkBytes) sent.write(body?.subarray(at, at + chunkBytes));
    sent.end();
  }
  const [response] = await answered;
  response.setEncoding("latin1");
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}
