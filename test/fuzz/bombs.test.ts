// Packs of some kilobytes that would inflate to a gigabyte and more, one way or another. Limits are those of production.
import { env } from "cloudflare:workers";
import { constants, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { OBJECT_KIND_NUMBERS } from "../../src/git/object.ts";
import { type IngestOutcome, ingestPack } from "../../src/repo/pack-ingest.ts";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "../../src/repo/ingest-limits.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import { type PackStore, packKeyPrefix } from "../../src/store/pack-store.ts";
import { makeBlob, streamOf } from "../git/tiny-repository.ts";
import { encodeDelta } from "./deltas.ts";
import { type EntrySpec, type PackSpec, encodePack, wholeEntry } from "./pack-spec.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const { commit: COMMIT, tree: TREE, blob: BLOB, tag: TAG } = OBJECT_KIND_NUMBERS;
const OFS_DELTA = 6;
/** A busy machine is slower than this by far; a pack that is inflated to its end takes longer by more. */
const MAX_MS = 4_000;

/** A zlib stream of so many mebibytes of zeros, made without inflating it: each block of a mebibyte is the same. */
function zeros(mebibytes: number): Uint8Array {
  const block = deflateRawSync(new Uint8Array(MIB), { finishFlush: constants.Z_FULL_FLUSH });
  const blocks = Array.from({ length: mebibytes }, () => block);
  const adler = Buffer.alloc(4);
  // Of zeros: one sum stays 1, the other counts the bytes.
  adler.writeUInt16BE((mebibytes * MIB) % 65521, 0);
  adler.writeUInt16BE(1, 2);
  return Buffer.concat([Buffer.from([0x78, 0x9c]), ...blocks, Buffer.from([0x03, 0x00]), adler]);
}

interface Refused {
  readonly outcome: IngestOutcome;
  readonly tookMs: number;
  readonly keys: readonly string[];
}

async function ingest(spec: PackSpec, limits: Partial<IngestLimits> = {}): Promise<Refused> {
  const store: PackStore = { bucket: env.BUCKET, cache: new PackCache(), repositoryId: `bomb-${crypto.randomUUID()}` };
  const stream = streamOf(encodePack(spec), 64 * 1024);
  await scheduler.wait(1);
  const startMs = performance.now();
  const outcome = await ingestPack(stream, store, {
    packs: [],
    nowMs: 1,
    limits: { ...DEFAULT_INGEST_LIMITS, ...limits },
  });
  // The clock of workerd stands still between two waits.
  await scheduler.wait(1);
  const tookMs = performance.now() - startMs;
  const { objects } = await env.BUCKET.list({ prefix: packKeyPrefix(store.repositoryId) });
  return { outcome, tookMs, keys: objects.map(({ key }) => key) };
}

/** Copies of a whole base, in pieces as long as an instruction allows. */
function copies(baseBytes: number, times: number): EntrySpec {
  const piece = Math.min(baseBytes, 0x10000);
  const once = Array.from({ length: baseBytes / piece }, (_, i) => ({
    kind: "copy" as const,
    from: i * piece,
    count: piece,
  }));
  const instructions = Array.from({ length: times }, () => once).flat();
  return { type: OFS_DELTA, baseBack: 1, body: encodeDelta(baseBytes, baseBytes * times, instructions) };
}

const gigabyte = zeros(1024);
const body = new Uint8Array(0);
const base = wholeEntry(makeBlob("x".repeat(0x10000)));

describe("ingestPack", () => {
  test.each<[string, EntrySpec[], string]>([
    ["a blob that says so", [{ type: BLOB, sizeBytes: GIB, body, deflated: gigabyte }], "object-too-large"],
    ["a blob that says ten bytes", [{ type: BLOB, sizeBytes: 10, body, deflated: gigabyte }], "pack-invalid"],
    ["a blob that says 90 MiB", [{ type: BLOB, sizeBytes: 90 * MIB, body, deflated: gigabyte }], "pack-invalid"],
    ["a commit that says so", [{ type: COMMIT, sizeBytes: GIB, body, deflated: gigabyte }], "object-too-large"],
    ["a tree that says 20 MiB", [{ type: TREE, sizeBytes: 20 * MIB, body, deflated: gigabyte }], "pack-invalid"],
    ["a tag of 20 MiB", [{ type: TAG, sizeBytes: 20 * MIB, body, deflated: zeros(20) }], "object-invalid"],
    [
      "a delta that says so",
      [base, { type: OFS_DELTA, baseBack: 1, sizeBytes: GIB, body, deflated: gigabyte }],
      "object-too-large",
    ],
    [
      "a delta that says ten bytes",
      [base, { type: OFS_DELTA, baseBack: 1, sizeBytes: 10, body, deflated: gigabyte }],
      "pack-invalid",
    ],
    ["a delta that makes it in one go", [base, copies(0x10000, 16_384)], "object-too-large"],
    [
      "deltas that make it in steps",
      [base, ...[16, 16, 16].map((times, n) => copies(0x10000 * 16 ** n, times))],
      "object-too-large",
    ],
    [
      "a delta that states what it does not make",
      [base, { ...copies(0x10000, 2), body: encodeDelta(0x10000, 20 * MIB, []) }],
      "pack-invalid",
    ],
  ])("refuses a gigabyte as %s", async (_, entries, code) => {
    const { outcome, tookMs, keys } = await ingest({ entries });
    expect(outcome).toMatchObject({ kind: "refused", code });
    expect(keys).toEqual([]);
    expect(tookMs).toBeLessThan(MAX_MS);
  });

  test("refuses a pack that claims more objects than there can be", async () => {
    expect((await ingest({ entries: [base], count: 0xffff_ffff })).outcome).toMatchObject({ code: "push-too-complex" });
    expect((await ingest({ entries: [base], count: 300_000 })).outcome).toMatchObject({ code: "pack-invalid" });
  });

  test("refuses many results of deltas once they come to the limit", async () => {
    const grow = [16, 16].map((times, n) => copies(0x10000 * 16 ** n, times));
    const { body: whole } = copies(16 * MIB, 1);
    const header = encodeDelta(16 * MIB, 16 * MIB + 1, []);
    const many = Array.from({ length: 200 }, (_, n): EntrySpec => {
      const ownByte = Buffer.from([1, n]);
      return {
        type: OFS_DELTA,
        baseBack: n + 1,
        body: Buffer.concat([header, whole.subarray(header.byteLength), ownByte]),
      };
    });
    const { outcome, tookMs, keys } = await ingest(
      { entries: [base, ...grow, ...many] },
      { freeInflatedBytes: 256 * MIB },
    );
    expect(outcome).toMatchObject({ kind: "refused", code: "push-too-complex" });
    expect(keys).toEqual([]);
    expect(tookMs).toBeLessThan(MAX_MS);
  });
});
