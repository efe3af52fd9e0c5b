import * as fc from "fast-check";
import { expect } from "vitest";
import { EdgeFile, writeEdgeFile } from "../../src/git/edge-file.ts";
import { PackIndex, sortIds, writePackIndex } from "../../src/git/pack-index.ts";
import { DeltaStore } from "../../src/repo/delta-store.ts";
import { ContentCache } from "../../src/store/content-cache.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import { nearly } from "./mutation.ts";
import { holds } from "./property.ts";

/** The readers of our own files throw plain errors, with one sentence for all that is malformed. */
function readOrMalformed(read: () => void): void {
  try {
    read();
  } catch (error) {
    expect(String(error)).toMatch(/^Error: The bytes are not an? (edge file of version 1|pack index of version 2)\.$/);
  }
}

const id = fc.oneof(
  fc.uint8Array({ minLength: 20, maxLength: 20 }),
  // Ids that differ in their last byte alone, or are the same.
  fc.integer({ min: 0, max: 3 }).map((last) => new Uint8Array(20).fill(9, 0, 19).fill(last, 19)),
);
const entry = fc.record({
  id,
  crc: fc.nat(0xffff_ffff),
  offset: fc.oneof(fc.nat(0x7fff_ffff), fc.integer({ min: 0x7fff_fff0, max: 0x1_0000_0010 }), fc.maxSafeNat()),
});
const entries = fc.array(entry, { maxLength: 12 });
const CHECKSUM = new Uint8Array(20).fill(3);

function encodeIndex(all: readonly { id: Uint8Array; crc: number; offset: number }[]): Uint8Array {
  const columns = { count: all.length, ids: Buffer.concat(all.map((each) => each.id)) };
  const crcs = all.map((each) => each.crc);
  return writePackIndex({ ...columns, crcs, offsets: all.map((each) => each.offset) }, CHECKSUM);
}

holds(
  "pack indexes",
  50,
  fc.property(entries, nearly(entries.map(encodeIndex)), (all, any) => {
    const index = new PackIndex(encodeIndex(all));
    expect([index.count, index.packChecksum]).toEqual([all.length, CHECKSUM]);
    const order = sortIds(Buffer.concat(all.map((each) => each.id)), all.length);
    order.forEach((from, n) => {
      const { id: idBytes, crc, offset } = all[from]!;
      expect([index.idBytesAt(n), index.crcAt(n), index.offsetAt(n)]).toEqual([idBytes, crc, offset]);
      expect(index.idAt(index.find(idBytes))).toBe(Buffer.from(idBytes).toString("hex"));
    });
    readOrMalformed(() => {
      const read = new PackIndex(any);
      for (const { id: idBytes } of all) expect(read.find(idBytes)).toBeLessThan(read.count);
      for (let n = 0; n < read.count; n++) {
        expect(read.idAt(n)).toHaveLength(40);
        expect(read.crcAt(n) + read.offsetAt(n)).toBeGreaterThanOrEqual(0);
      }
    });
  }),
);

/** Objects by what they name, as positions among the objects and two externals. */
const named = fc.array(fc.array(fc.nat(11), { maxLength: 4 }), { maxLength: 10 });

function encodeEdges(all: readonly (readonly number[])[]): Uint8Array {
  const starts = all.map((_, n) => all.slice(0, n).flat().length);
  return writeEdgeFile({
    kinds: Uint8Array.from(all, (_, n) => 1 + (n % 4)),
    sizes: all.map((_, n) => n * 1_000_000_000),
    times: all.map((_, n) => n),
    firstRuns: [...all.map((_, n) => n), all.length],
    runs: all.flatMap((targets, n) => [starts[n] ?? 0, targets.length]),
    edges: all.flat(),
    externals: new Uint8Array(40).fill(5),
  });
}

holds(
  "edge files",
  50,
  fc.property(named, nearly(named.map(encodeEdges)), (all, any) => {
    const file = new EdgeFile(encodeEdges(all));
    expect([file.count, file.externalCount]).toEqual([all.length, 2]);
    all.forEach((targets, n) => {
      expect(file.edgesAt(n)).toEqual(targets);
      expect([file.timeAt(n), file.sizeAt(n)]).toEqual([n, Math.min(n * 1_000_000_000, 0xffff_ffff)]);
      if (targets.length > 0) expect(file.firstEdgeAt(n)).toBe(targets[0]);
    });
    readOrMalformed(() => {
      const read = new EdgeFile(any);
      for (let k = 0; k < read.externalCount; k++) expect(read.externalAt(k)).toHaveLength(40);
      for (let n = 0; n < read.count; n++) {
        readOrMalformed(() => read.kindAt(n));
        readOrMalformed(() => read.firstEdgeAt(n));
        readOrMalformed(() => read.edgesAt(n));
      }
    });
  }),
);

const kept = fc.record({ number: fc.nat(9), sizeBytes: fc.oneof(fc.nat(40), fc.nat(700)) });

/** What is kept under a number never changes; a cache may forget it. */
function contentOf({ number, sizeBytes }: { number: number; sizeBytes: number }): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => (number * 31 + i) % 256);
}

holds(
  "caches",
  50,
  fc.property(fc.array(kept, { maxLength: 60 }), fc.integer({ min: 1, max: 400 }), (all, limitBytes) => {
    const contents = new ContentCache(limitBytes);
    const files = new PackCache(limitBytes);
    const deltas = new DeltaStore(2 * 1024 * 1024);
    const sizes = new Map<number, number>();
    all.forEach((each, entryNumber) => {
      const first = { number: each.number, sizeBytes: sizes.get(each.number) ?? each.sizeBytes };
      sizes.set(each.number, first.sizeBytes);
      expect(contents.keep(first.number, contentOf(first))).toEqual(contentOf(first));
      files.keep(String(first.number), contentOf(first));
      deltas.keep(entryNumber, contentOf({ ...each, sizeBytes: each.sizeBytes * 100 }));
      for (const [number, sizeBytes] of sizes) {
        const content = contentOf({ number, sizeBytes });
        expect(contents.find(number) ?? content).toEqual(content);
        expect(files.find(String(number)) ?? content).toEqual(content);
      }
      expect(files.sizeBytes).toBeLessThanOrEqual(limitBytes);
    });
    all.forEach((each, entryNumber) => {
      const content = contentOf({ ...each, sizeBytes: each.sizeBytes * 100 });
      expect(deltas.find(entryNumber) ?? content).toEqual(content);
    });
  }),
);
