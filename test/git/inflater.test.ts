import { deflateSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HostingError } from "../../src/errors.ts";
import { Inflater } from "../../src/git/inflater.ts";

const CONTENT = new TextEncoder().encode("all work and no play makes jack a dull boy. ".repeat(100));
const STREAM = deflateSync(CONTENT);
const TRAILING = new TextEncoder().encode("trailing");

describe("Inflater", () => {
  let inflater: Inflater;
  beforeEach(() => {
    inflater = new Inflater();
    inflater.reset();
  });
  afterEach(() => inflater.close());

  test("stops at the end of the stream and leaves what follows", () => {
    const output = new Uint8Array(CONTENT.byteLength + 1);
    inflater.step(Buffer.concat([STREAM, TRAILING]), output);
    expect(inflater.usedBytes).toBe(STREAM.byteLength);
    expect(inflater.madeBytes).toBe(CONTENT.byteLength);
    expect(inflater.isEnded).toBe(true);
    expect(Buffer.compare(output.subarray(0, CONTENT.byteLength), CONTENT)).toBe(0);
  });

  test("goes on over inputs and outputs of one byte", () => {
    const input = Buffer.concat([STREAM, TRAILING]);
    const output = new Uint8Array(CONTENT.byteLength);
    const last = new Uint8Array(1);
    let used = 0;
    let made = 0;
    while (!inflater.isEnded) {
      inflater.step(input.subarray(used, used + 1), made < output.byteLength ? output.subarray(made, made + 1) : last);
      used += inflater.usedBytes;
      made += inflater.madeBytes;
    }
    expect(used).toBe(STREAM.byteLength);
    expect(Buffer.compare(output, CONTENT)).toBe(0);
  });

  test("reads a view from where it begins", () => {
    const input = Buffer.concat([TRAILING, STREAM, TRAILING]);
    const output = new Uint8Array(CONTENT.byteLength + 10);
    inflater.step(input.subarray(TRAILING.byteLength), output.subarray(5));
    expect(inflater.madeBytes).toBe(CONTENT.byteLength);
    expect(Buffer.compare(output.subarray(5, 5 + CONTENT.byteLength), CONTENT)).toBe(0);
  });

  test("does not say that a stream has ended while output is missing", () => {
    inflater.step(Buffer.concat([STREAM, TRAILING]), new Uint8Array(10));
    expect(inflater.isEnded).toBe(false);
    expect(inflater.madeBytes).toBe(10);
  });

  const damaged = (at: number): Uint8Array => {
    const bytes = Uint8Array.from(STREAM);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    return bytes;
  };
  test.each([
    ["a header of another format", new TextEncoder().encode("garbage")],
    ["damaged data", damaged(12)],
    ["a wrong checksum", damaged(STREAM.byteLength - 1)],
    ["a preset dictionary", deflateSync(CONTENT, { dictionary: TRAILING })],
  ])("refuses %s, and inflates the next stream all the same", (_, bytes) => {
    const output = new Uint8Array(CONTENT.byteLength + 1);
    expect(() => inflater.step(bytes, output)).toThrow(HostingError);
    inflater.reset();
    inflater.step(Buffer.concat([STREAM, TRAILING]), output);
    expect(inflater.isEnded).toBe(true);
  });
});
