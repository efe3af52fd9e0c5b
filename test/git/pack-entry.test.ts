import { describe, expect, test } from "vitest";
import {
  encodeEntryHeader,
  encodeOfsDeltaHeader,
  encodeRefDeltaHeader,
  readEntryHeader,
} from "../../src/git/pack-entry.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const baseId = Uint8Array.from({ length: 20 }, (_, i) => i);

describe("encodeEntryHeader", () => {
  // Type in the upper bits, four bits of size, then seven at a time from the least significant on.
  test.each([
    [1, 0, "10"],
    [3, 15, "3f"],
    [3, 16, "b001"],
    [2, 2047, "af7f"],
    [4, 2048, "c08001"],
    [3, 100_000_000, "b090bcfd02"],
    [3, 2 ** 32 + 5, "b58080808001"],
  ])("type %i, %i bytes: %s", (type, sizeBytes, expected) => {
    const header = encodeEntryHeader(type, sizeBytes);
    expect(hex(header)).toBe(expected);
    expect(readEntryHeader(header, 0)).toMatchObject({ sizeBytes, end: header.byteLength });
  });
});

describe("encodeOfsDeltaHeader", () => {
  test.each([
    [1, "6101"],
    [127, "617f"],
    [128, "618000"],
    [16511, "61ff7f"],
    [16512, "61808000"],
    [2 ** 31, "6186fefeff00"],
  ])("distance %i: %s", (distance, expected) => {
    const header = encodeOfsDeltaHeader(1, distance);
    expect(hex(header)).toBe(expected);
    expect(readEntryHeader(header, 0)).toEqual({ kind: "ofs-delta", sizeBytes: 1, end: header.byteLength, distance });
  });
});

describe("encodeRefDeltaHeader", () => {
  test("is followed by the id of the base", () => {
    const header = encodeRefDeltaHeader(3, baseId);
    expect(hex(header)).toBe(`73${hex(baseId)}`);
    expect(readEntryHeader(header, 0)).toEqual({ kind: "ref-delta", sizeBytes: 3, end: 21, baseIdAt: 1 });
  });
});

describe("readEntryHeader", () => {
  test("reads at an offset", () => {
    expect(readEntryHeader(Uint8Array.of(0xff, 0xff, 0x33), 2)).toEqual({ kind: "blob", sizeBytes: 3, end: 3 });
  });

  test.each(["", "80", "b0", "61", "6180", "71ff", "00", "50", `b0${"ff".repeat(30)}`, `61${"ff".repeat(30)}`])(
    "is undefined for %j",
    (bytes) => expect(readEntryHeader(Buffer.from(bytes, "hex"), 0)).toBeUndefined(),
  );
});
