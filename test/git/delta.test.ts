import { describe, expect, it } from "vitest";
import { applyDelta, readDeltaSizes } from "../../src/git/delta.ts";
import { hashObject } from "../../src/git/object.ts";
import { RECORDED_OBJECTS, recordedContent } from "./recorded-pack.ts";

const bytes = (...values: readonly (number | string)[]): Uint8Array =>
  Buffer.concat(values.map((value) => (typeof value === "string" ? Buffer.from(value) : Buffer.of(value))));
const BASE = bytes("0123456789abcdef");
const LIMITS = { maxBytes: 1 << 20 };

const DELTAS: readonly (readonly [claim: string, delta: Uint8Array, result: string])[] = [
  ["makes nothing", bytes(16, 0), ""],
  ["inserts", bytes(16, 3, 3, "xyz"), "xyz"],
  ["copies from the start", bytes(16, 4, 0x90, 4), "0123"],
  ["copies from an offset", bytes(16, 3, 0x91, 10, 3), "abc"],
  ["copies all, then inserts", bytes(16, 18, 0x90, 16, 2, "!!"), "0123456789abcdef!!"],
  ["copies twice and backwards", bytes(16, 4, 0x91, 8, 2, 0x90, 2), "8901"],
];

describe("applyDelta", () => {
  for (const [claim, delta, result] of DELTAS) {
    it(claim, () => {
      expect(Buffer.from(applyDelta(BASE, delta, LIMITS)).toString()).toBe(result);
    });
  }

  it("makes the objects that git stored as deltas", () => {
    for (const { id, kind } of RECORDED_OBJECTS.filter(({ baseId }) => baseId !== undefined)) {
      expect(hashObject(kind, recordedContent(id))).toBe(id);
    }
  });

  it("takes a copy without a size for 65,536 bytes, and offsets of four bytes", () => {
    const base = new Uint8Array(0x0101_0203);
    for (let at = 0x0100_0000; at < base.byteLength; at++) base[at] = at * 7;
    const delta = bytes(0x83, 0x84, 0x84, 0x08, 0x80, 0x80, 0x04, 0x8f, 0x03, 0x02, 0x00, 0x01);
    expect(readDeltaSizes(delta)).toMatchObject({ baseBytes: base.byteLength, resultBytes: 0x10000 });
    const result = applyDelta(base, delta, LIMITS);
    expect(Buffer.from(result).equals(base.subarray(0x0100_0203))).toBe(true);
  });

  const MALFORMED: readonly (readonly [claim: string, delta: Uint8Array])[] = [
    ["nothing at all", bytes()],
    ["one size", bytes(16)],
    ["a size without an end", bytes(0x90, 0x80, 0x80, 0x80)],
    ["a size of more than 56 bits", bytes(16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)],
    ["another base", bytes(15, 3, 3, "xyz")],
    ["the reserved instruction", bytes(16, 3, 0, 3, "xyz")],
    ["an insert that is cut off", bytes(16, 3, 3, "xy")],
    ["a copy that is cut off", bytes(16, 4, 0x91, 0)],
    ["a copy past the end of the base", bytes(16, 4, 0x91, 13, 4)],
    ["a copy from past the end of the base", bytes(16, 1, 0x91, 17, 1)],
    ["a copy from an offset of 32 bits", bytes(16, 1, 0x9f, 0xff, 0xff, 0xff, 0xff, 1)],
    ["a copy without a size from a short base", bytes(16, 4, 0x80)],
    ["a result that is too short", bytes(16, 4, 3, "xyz")],
    ["a result that is too long", bytes(16, 2, 3, "xyz")],
    ["a large size without the instructions for it", bytes(16, 0xff, 0xff, 0x3f, 1, "x")],
  ];
  it.each(MALFORMED)("refuses %s", (_claim, delta) => {
    expect(() => applyDelta(BASE, delta, LIMITS)).toThrow(expect.objectContaining({ code: "pack-invalid" }));
  });

  it("refuses a result over the limit before it is made", () => {
    const delta = bytes(16, 32, 0x90, 16, 0x90, 16);
    expect(applyDelta(BASE, delta, { maxBytes: 32 })).toHaveLength(32);
    expect(() => applyDelta(BASE, delta, { maxBytes: 31 })).toThrow(
      expect.objectContaining({ code: "object-too-large" }),
    );
  });
});

describe("readDeltaSizes", () => {
  it.each([
    [bytes(0, 0), { baseBytes: 0, resultBytes: 0, bodyOffset: 2 }],
    [bytes(0x80, 1, 0x7f), { baseBytes: 128, resultBytes: 127, bodyOffset: 3 }],
    [bytes(5, 0xff, 0xff, 0xff, 0xff, 0x0f), { baseBytes: 5, resultBytes: 0xffff_ffff, bodyOffset: 6 }],
    [bytes(5, 0x80, 0x80, 0x80, 0x80, 0x10), { baseBytes: 5, resultBytes: 0x1_0000_0000, bodyOffset: 6 }],
  ])("reads %j", (delta, sizes) => {
    expect(readDeltaSizes(delta)).toEqual(sizes);
  });
});
