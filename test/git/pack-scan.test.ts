import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { HostingError } from "../../src/errors.ts";
import { encodeEntryHeader } from "../../src/git/pack-entry.ts";
import { PackScanner } from "../../src/git/pack-scan.ts";
import { encodePackHeader } from "../../src/git/pack-write.ts";
import { RECORDED_OBJECTS, RECORDED_PACK } from "./recorded-pack.ts";
import { makeBlob, makePack, streamOf } from "./tiny-repository.ts";

interface Scanned {
  readonly kind: string;
  readonly offset: number;
  readonly crc: number;
  readonly content: string;
}

async function scan(stream: ReadableStream<Uint8Array>): Promise<{ entries: Scanned[]; checksum: string }> {
  const scanner = new PackScanner(stream, () => undefined);
  try {
    const entries: Scanned[] = [];
    const count = await scanner.readHeader();
    for (let n = 0; n < count; n++) {
      const entry = await scanner.nextEntry();
      const content = Buffer.from(await scanner.readObject(entry)).toString("latin1");
      entries.push({ kind: entry.header.kind, offset: entry.offset, crc: scanner.endEntry(), content });
    }
    return { entries, checksum: Buffer.from(await scanner.readTrailer()).toString("hex") };
  } finally {
    scanner.close();
  }
}

function withChecksum(...parts: Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}

function entryOf(statedBytes: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([encodeEntryHeader(3, statedBytes), deflateSync(content)]);
}

const TEN = new Uint8Array(10);
const TWO_BLOBS = makePack([makeBlob("one"), makeBlob("two")]).pack;

function edited(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
}

describe("PackScanner", () => {
  test.each([1, 7, 100, 100_000])("reads what git wrote, in chunks of %i bytes", async (chunkBytes) => {
    const { entries, checksum } = await scan(streamOf(RECORDED_PACK, chunkBytes));
    const expected = RECORDED_OBJECTS.toSorted((a, b) => a.offset - b.offset);
    expect(entries.map(({ offset, crc }) => ({ offset, crc }))).toEqual(
      expected.map(({ offset, crc }) => ({ offset, crc })),
    );
    expect(entries.map(({ kind }) => kind)).toEqual(
      expected.map(({ kind, baseId }) => (baseId === undefined ? kind : "ref-delta")),
    );
    expect(checksum).toBe(Buffer.from(RECORDED_PACK.slice(-20)).toString("hex"));
  });

  test("reads an object that is larger than its window, whole and in pieces", async () => {
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    const large = Buffer.concat(Array.from({ length: 20 }, () => content));
    const pack = withChecksum(encodePackHeader(1), entryOf(large.byteLength, large));
    expect((await scan(streamOf(pack, 65_536))).entries[0]?.content).toBe(large.toString("latin1"));
    const scanner = new PackScanner(streamOf(pack, 65_536), () => undefined);
    await scanner.readHeader();
    const hash = createHash("sha1");
    await scanner.streamObject(await scanner.nextEntry(), (piece) => hash.update(piece));
    expect(hash.digest("hex")).toBe(createHash("sha1").update(large).digest("hex"));
    scanner.close();
  });

  test("hands on every byte that arrives", async () => {
    const pieces: Uint8Array[] = [];
    const scanner = new PackScanner(streamOf(RECORDED_PACK, 50), (piece) => {
      pieces.push(piece.slice());
      return undefined;
    });
    const count = await scanner.readHeader();
    for (let n = 0; n < count; n++) await scanner.readObject(await scanner.nextEntry());
    await scanner.readTrailer();
    scanner.close();
    expect(Buffer.compare(Buffer.concat(pieces), RECORDED_PACK)).toBe(0);
  });

  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["another signature", edited(TWO_BLOBS, 0, 0x51)],
    ["version 4", edited(TWO_BLOBS, 7, 4)],
    [
      "fewer objects than it states",
      withChecksum(TWO_BLOBS.subarray(0, 11), Uint8Array.of(3), TWO_BLOBS.subarray(12, -20)),
    ],
    ["more objects than it states", edited(TWO_BLOBS, 11, 1)],
    ["another checksum", edited(TWO_BLOBS, TWO_BLOBS.byteLength - 1, 0)],
    ["a byte after its end", Buffer.concat([TWO_BLOBS, Uint8Array.of(0)])],
    ["an entry of type 0", withChecksum(encodePackHeader(1), Uint8Array.of(0x00), deflateSync(TEN))],
    ["an entry of type 5", withChecksum(encodePackHeader(1), Uint8Array.of(0x50), deflateSync(TEN))],
    ["a size without end", withChecksum(encodePackHeader(1), new Uint8Array(40).fill(0xb0 | 0x80))],
    ["an object that inflates past its size", withChecksum(encodePackHeader(1), entryOf(9, TEN))],
    ["an object that inflates to less than its size", withChecksum(encodePackHeader(1), entryOf(11, TEN))],
    ["an object that is not deflated", withChecksum(encodePackHeader(1), encodeEntryHeader(3, 10), TEN)],
  ])("refuses a pack with %s", async (_, pack) => {
    const failure = await scan(streamOf(pack)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HostingError);
    expect(failure).toMatchObject({ code: "pack-invalid" });
  });

  test("refuses a pack that ends anywhere before its end", async () => {
    for (let end = 0; end < RECORDED_PACK.byteLength; end += 13) {
      await expect(scan(streamOf(RECORDED_PACK.subarray(0, end), 500))).rejects.toMatchObject({ code: "pack-invalid" });
    }
  });

  test("stops inflating a bomb at the size that it states", async () => {
    const bomb = withChecksum(encodePackHeader(1), entryOf(100, new Uint8Array(64 * 1024 * 1024)));
    await expect(scan(streamOf(bomb, 65_536))).rejects.toMatchObject({ code: "pack-invalid" });
  });
});
