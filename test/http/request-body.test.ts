import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { openBody } from "../../src/http/request-body.ts";

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7919) >> 5);

/** A request whose body comes in pieces, as one over the network does. */
function requestOf(bytes: Uint8Array, headers: Record<string, string> = {}): Request {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  void (async () => {
    for (let at = 0; at < bytes.byteLength; at += 50_000) await writer.write(bytes.subarray(at, at + 50_000));
    await writer.close();
  })();
  return new Request("http://host/", { method: "POST", body: readable, headers });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

describe("openBody", () => {
  test("reads a body as it is", async () => {
    expect(Buffer.compare(await readAll(openBody(requestOf(CONTENT)).stream), CONTENT)).toBe(0);
  });

  test.each(["gzip", "x-gzip", "GZIP"])("decodes %s", async (encoding) => {
    const body = openBody(requestOf(gzipSync(CONTENT), { "content-encoding": encoding }));
    expect(Buffer.compare(await readAll(body.stream), CONTENT)).toBe(0);
  });

  test("reads nothing of a request without a body", async () => {
    expect(await readAll(openBody(new Request("http://host/")).stream)).toHaveLength(0);
  });

  test("refuses gzip that is damaged", async () => {
    const damaged = gzipSync(CONTENT).subarray(0, -100);
    const body = openBody(requestOf(damaged, { "content-encoding": "gzip" }));
    await expect(readAll(body.stream)).rejects.toMatchObject({ code: "protocol-error" });
  });

  test("drains what was not read, while the stream is locked", async () => {
    const body = openBody(requestOf(CONTENT));
    const reader = body.stream.getReader();
    await reader.read();
    await body.drain();
    expect((await reader.read()).done).toBe(true);
  });
});
