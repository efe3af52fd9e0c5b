import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { objectIdToBytes, parseObjectId } from "../../src/git/object-id.ts";
import { PackIndex, type PackIndexEntries, sortIds, writePackIndex } from "../../src/git/pack-index.ts";
import { RECORDED_INDEX, RECORDED_LARGE_INDEX, RECORDED_OBJECTS, RECORDED_PACK } from "./recorded-pack.ts";

const CHECKSUM = RECORDED_PACK.subarray(-20);
const idBytesOf = (id: string): Uint8Array => objectIdToBytes(parseObjectId(id)!);
const hashOf = (n: number): Uint8Array => createHash("sha1").update(String(n)).digest();

function entriesOf(objects: readonly { id: Uint8Array; crc: number; offset: number }[]): PackIndexEntries {
  return {
    count: objects.length,
    ids: Buffer.concat(objects.map(({ id }) => id)),
    crcs: objects.map(({ crc }) => crc),
    offsets: objects.map(({ offset }) => offset),
  };
}

const recordedEntries = (): PackIndexEntries =>
  entriesOf(
    RECORDED_OBJECTS.toSorted((a, b) => a.offset - b.offset).map(({ id, crc, offset }) => ({
      id: idBytesOf(id),
      crc,
      offset,
    })),
  );

describe("writePackIndex", () => {
  it("writes what git wrote, byte for byte", () => {
    expect(Buffer.from(writePackIndex(recordedEntries(), CHECKSUM)).equals(RECORDED_INDEX)).toBe(true);
  });

  it("writes the index of an empty pack", () => {
    const index = writePackIndex(entriesOf([]), CHECKSUM);
    expect(index.byteLength).toBe(8 + 1024 + 40);
    expect(new PackIndex(index).count).toBe(0);
    expect(new PackIndex(index).find(hashOf(1))).toBe(-1);
  });

  it("keeps offsets of 2 GiB and more in a table of their own", () => {
    const offsets = [12, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 0x12_3456_789a];
    const objects = offsets.map((offset, n) => ({ id: hashOf(n), crc: n, offset }));
    const bytes = writePackIndex(entriesOf(objects), CHECKSUM);
    expect(bytes.byteLength).toBe(8 + 1024 + 6 * 28 + 4 * 8 + 40);
    const index = new PackIndex(bytes);
    expect(objects.map(({ id }) => index.offsetAt(index.find(id)))).toEqual(offsets);
  });
});

describe("sortIds", () => {
  it("gives the positions in order of the ids, also of those that begin alike", () => {
    const ids = Array.from({ length: 2000 }, (_, n) => {
      const id = Buffer.from(hashOf(n));
      if (n % 2 === 0) id.fill(0xab, 0, 4);
      return id;
    });
    const order = sortIds(Buffer.concat(ids), ids.length);
    const sorted = [...order].map((position) => ids[position]);
    expect(sorted).toEqual(ids.toSorted((a, b) => Buffer.compare(a, b)));
  });
});

describe("PackIndex", () => {
  for (const [name, bytes] of Object.entries({ RECORDED_INDEX, RECORDED_LARGE_INDEX })) {
    it(`reads git's ${name}`, () => {
      const index = new PackIndex(bytes);
      expect(index.count).toBe(RECORDED_OBJECTS.length);
      expect(Buffer.from(index.packChecksum).equals(CHECKSUM)).toBe(true);
      const objects = RECORDED_OBJECTS.map((_, n) => ({
        id: index.idAt(n),
        offset: index.offsetAt(n),
        crc: index.crcAt(n),
      }));
      expect(objects).toEqual(RECORDED_OBJECTS.map(({ id, offset, crc }) => ({ id, offset, crc })));
      expect(index.ids.byteLength).toBe(20 * RECORDED_OBJECTS.length);
    });
  }

  it("finds every id that is there and none that is not", () => {
    const objects = Array.from({ length: 3000 }, (_, n) => ({ id: hashOf(n), crc: 0, offset: n }));
    const index = new PackIndex(writePackIndex(entriesOf(objects), CHECKSUM));
    for (let n = 0; n < 3000; n++) expect(index.offsetAt(index.find(hashOf(n)))).toBe(n);
    for (let n = 3000; n < 4000; n++) expect(index.find(hashOf(n))).toBe(-1);
    expect(index.find(new Uint8Array(20))).toBe(-1);
    expect(index.find(new Uint8Array(20).fill(0xff))).toBe(-1);
    const padded = Buffer.concat([Buffer.of(1, 2, 3), hashOf(77)]);
    expect(index.offsetAt(index.find(padded, 3))).toBe(77);
    expect(Buffer.from(index.idBytesAt(index.find(hashOf(77)))).equals(hashOf(77))).toBe(true);
  });

  it("reads an index that lies within a larger buffer", () => {
    const larger = Buffer.concat([Buffer.alloc(7), RECORDED_INDEX, Buffer.alloc(3)]);
    const index = new PackIndex(larger.subarray(7, 7 + RECORDED_INDEX.byteLength));
    expect(index.idAt(3)).toBe(RECORDED_OBJECTS[3]?.id);
  });

  it("has no object outside of its count", () => {
    const index = new PackIndex(RECORDED_INDEX);
    for (const n of [-1, 12]) {
      expect(() => index.idAt(n)).toThrow(RangeError);
      expect(() => index.offsetAt(n)).toThrow(RangeError);
    }
  });

  it.each([
    ["nothing", () => new Uint8Array(0)],
    ["a part", () => RECORDED_INDEX.subarray(0, -1)],
    ["a byte too many", () => Buffer.concat([RECORDED_INDEX, Buffer.of(0)])],
    ["version 1", () => changed(RECORDED_INDEX, 0, [0, 0, 0, 0])],
    ["version 3", () => changed(RECORDED_INDEX, 7, [3])],
    ["a fan-out that falls", () => changed(RECORDED_INDEX, 8 + 4 * 200, [0, 0, 0, 0])],
    ["a count that the bytes do not hold", () => changed(RECORDED_INDEX, 8 + 4 * 255, [0x7f])],
  ])("refuses %s", (_claim, bytes) => {
    expect(() => new PackIndex(bytes())).toThrow(/pack index/);
  });

  it("refuses an offset that points outside of its table", () => {
    const bytes = changed(RECORDED_LARGE_INDEX, 8 + 1024 + 12 * 24, [0xff, 0xff, 0xff, 0xff]);
    expect(() => new PackIndex(bytes).offsetAt(0)).toThrow(/pack index/);
  });
});

function changed(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
}
