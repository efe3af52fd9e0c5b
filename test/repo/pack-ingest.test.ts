import { env } from "cloudflare:workers";
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { type ObjectId, objectIdToBytes, parseObjectId } from "../../src/git/object-id.ts";
import { encodeEntryHeader } from "../../src/git/pack-entry.ts";
import { PackIndex } from "../../src/git/pack-index.ts";
import { encodePackHeader, writePack } from "../../src/git/pack-write.ts";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "../../src/repo/ingest-limits.ts";
import { type IngestOutcome, ingestPack } from "../../src/repo/pack-ingest.ts";
import { openObjectDatabase, readObject, readObjects } from "../../src/store/object-database.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import {
  type PackStore,
  loadEdgeFile,
  loadPackIndex,
  packKey,
  packKeyPrefix,
  writePackFiles,
} from "../../src/store/pack-store.ts";
import type { PackRow } from "../../src/store/repository-state.ts";
import { RECORDED_INDEX, RECORDED_OBJECTS, RECORDED_PACK } from "../git/recorded-pack.ts";
import {
  type TinyEntry,
  type TinyObject,
  deltaOf,
  makeBlob,
  makeCommit,
  makeObject,
  makePack,
  makeTag,
  makeTree,
  streamOf,
  text,
} from "../git/tiny-repository.ts";
import { spyOn } from "./bucket-spy.ts";
import { FIRST_PACK, THIN_BASE_ID, THIN_DELTA_ID, THIN_PACK } from "./recorded-thin-pack.ts";

let store: PackStore;
let repositoryCount = 0;

beforeEach(() => {
  store = { bucket: env.BUCKET, cache: new PackCache(), repositoryId: `pack-ingest-${++repositoryCount}` };
});

interface IngestInput {
  readonly packs?: readonly PackRow[];
  readonly limits?: Partial<IngestLimits>;
  readonly shallowIds?: readonly ObjectId[];
}

function ingest(pack: Uint8Array, input: IngestInput = {}): Promise<IngestOutcome> {
  const { packs = [], limits = {}, shallowIds = [] } = input;
  const options = { packs, shallowIds, nowMs: 1000 + packs.length, limits: { ...DEFAULT_INGEST_LIMITS, ...limits } };
  return ingestPack(streamOf(pack, 50_000), store, options);
}

/** The row of a pack that must be accepted. */
async function stored(pack: Uint8Array, input: IngestInput = {}): Promise<PackRow> {
  const outcome = await ingest(pack, input);
  if (outcome.kind !== "stored" || !outcome.pack)
    throw new Error(`The pack was not stored: ${JSON.stringify(outcome)}`);
  return outcome.pack;
}

async function storedKeys(): Promise<string[]> {
  const { objects } = await env.BUCKET.list({ prefix: packKeyPrefix(store.repositoryId) });
  return objects.map(({ key }) => key);
}

async function storedFile(row: PackRow, file: "pack" | "idx" | "edges"): Promise<Buffer> {
  const object = await env.BUCKET.get(packKey(store, row.packId, file));
  if (!object) throw new Error(`There is no ${file}.`);
  return Buffer.from(await object.arrayBuffer());
}

function idOf(hex: string): ObjectId {
  const id = parseObjectId(hex);
  if (!id) throw new Error(`${hex} is no id.`);
  return id;
}

async function expectReadable(row: PackRow, objects: readonly TinyObject[]): Promise<void> {
  const odb = openObjectDatabase({ ...store, cache: new PackCache() }, [row]);
  const read = await readObjects(
    odb,
    objects.map(({ id }) => id),
  );
  for (const { id, kind, bytes } of objects) {
    expect(read.get(id)?.kind).toBe(kind);
    expect(Buffer.compare(read.get(id)?.bytes ?? new Uint8Array(), bytes)).toBe(0);
  }
}

const noise = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
};

const blob = makeBlob("hello\n");
const tree = makeTree({ "hello.txt": blob });
const commit = makeCommit(tree, []);

describe("ingestPack", () => {
  test("stores what git wrote, with the index that git makes of it", async () => {
    const row = await stored(RECORDED_PACK);
    expect(row).toMatchObject({ objectCount: 12, packBytes: RECORDED_PACK.byteLength, createdAtMs: 1000 });
    expect(Buffer.compare(await storedFile(row, "pack"), RECORDED_PACK)).toBe(0);
    expect(Buffer.compare(await storedFile(row, "idx"), RECORDED_INDEX)).toBe(0);
    const edges = await loadEdgeFile(store, row.packId);
    const facts = RECORDED_OBJECTS.map((_, n) => ({ kind: edges.kindAt(n), sizeBytes: edges.sizeAt(n) }));
    expect(facts).toEqual(RECORDED_OBJECTS.map(({ kind, sizeBytes }) => ({ kind, sizeBytes })));
    expect(edges.externalCount).toBe(0);
  });

  test("takes an empty pack and has nothing to add", async () => {
    const outcome = await ingest(writePack([]));
    expect(outcome).toEqual({ kind: "stored", pack: undefined, objectCount: 0, receivedBytes: 32 });
    expect(await storedKeys()).toEqual([]);
  });

  test("takes objects that are all stored already, in another pack", async () => {
    const packs = [await stored(makePack([commit, tree, blob]).pack)];
    expect((await stored(makePack([blob, tree]).pack, { packs })).objectCount).toBe(2);
  });

  test("refuses an object whose id is stored with other content, and leaves the stored one", async () => {
    for (const other of [
      { ...blob, bytes: text("hollo\n") },
      { ...blob, bytes: text("hell\n") },
      { ...tree, id: blob.id },
    ]) {
      const { pack, idx, edges, packId, objectCount } = makePack([other, tree]);
      await writePackFiles(store, packId, { pack, idx, edges });
      const packs = [{ packId, objectCount, packBytes: pack.byteLength, createdAtMs: 1 }];
      const outcome = await ingest(makePack([blob, tree, commit]).pack, { packs });
      expect(outcome).toMatchObject({ kind: "refused", code: "object-collision" });
    }
  });

  test("refuses a stream without a pack", async () => {
    expect(await ingest(new Uint8Array(0))).toMatchObject({ kind: "refused", code: "pack-invalid" });
  });

  test("resolves deltas whose bases come before them, after them, and by way of each other", async () => {
    const [v0, v1, v2, v3, v4] = [makeBlob("0"), makeBlob("11"), makeBlob("222"), makeBlob("3333"), makeBlob("44444")];
    const { pack } = makePack([
      deltaOf(v3, v2, "id"),
      deltaOf(v2, v1, "id"),
      v0,
      deltaOf(v1, v0, "offset"),
      deltaOf(v4, v1, "offset"),
    ]);
    await expectReadable(await stored(pack), [v0, v1, v2, v3, v4]);
  });

  test("resolves a chain of 4,096 deltas", async () => {
    const versions = Array.from({ length: 4097 }, (_, n) => makeBlob(`version ${n}`));
    const entries = versions.map((version, n): TinyEntry => {
      const base = versions[n - 1];
      return base ? deltaOf(version, base, n % 2 === 0 ? "id" : "offset") : version;
    });
    const row = await stored(makePack(entries).pack);
    await expectReadable(row, versions.slice(-1));
  });

  test("refuses a chain of more deltas than the limit", async () => {
    const versions = Array.from({ length: 12 }, (_, n) => makeBlob(`version ${n}`));
    const entries = versions.map((version, n): TinyEntry => {
      const base = versions[n - 1];
      return base ? deltaOf(version, base, "offset") : version;
    });
    const outcome = await ingest(makePack(entries).pack, { limits: { maxDeltaDepth: 10 } });
    expect(outcome).toMatchObject({ kind: "refused", code: "pack-invalid" });
  });

  test("keeps an object that is in the pack twice", async () => {
    const row = await stored(makePack([blob, tree, blob]).pack);
    expect((await loadPackIndex(store, row.packId)).count).toBe(3);
    await expectReadable(row, [blob, tree]);
  });

  test("refuses an object that is in the pack twice where a delta names it", async () => {
    const other = makeBlob("other");
    const outcome = await ingest(makePack([blob, deltaOf(other, blob, "id"), blob]).pack);
    expect(outcome).toMatchObject({ kind: "refused", code: "pack-invalid" });
  });

  test("refuses deltas that are each other's base", async () => {
    const other = makeBlob("other");
    const outcome = await ingest(makePack([deltaOf(blob, other, "id"), deltaOf(other, blob, "id")]).pack);
    expect(outcome).toMatchObject({ kind: "refused", code: "object-missing" });
  });

  test("refuses a delta whose base begins where no object does", async () => {
    const delta = Uint8Array.of(0, 0);
    const content = Buffer.concat([encodePackHeader(1), Uint8Array.of(0x62, 0x05), deflateSync(delta)]);
    const pack = Buffer.concat([content, createHash("sha1").update(content).digest()]);
    expect(await ingest(pack)).toMatchObject({ kind: "refused", code: "pack-invalid" });
  });
});

describe("ingestPack, of thin packs", () => {
  test("completes what git wrote with the base that it lacks", async () => {
    const packs = [await stored(FIRST_PACK)];
    const row = await stored(THIN_PACK, { packs });
    expect(row.objectCount).toBe(5);
    const file = await storedFile(row, "pack");
    expect(file.readUInt32BE(8)).toBe(5);
    expect(createHash("sha1").update(file.subarray(0, -20)).digest()).toEqual(file.subarray(-20));
    expect(row.packBytes).toBe(file.byteLength);
    const index = new PackIndex(await storedFile(row, "idx"));
    expect(index.find(objectIdToBytes(idOf(THIN_BASE_ID)))).toBeGreaterThanOrEqual(0);
    const { bytes } = await readObject(openObjectDatabase(store, [row]), idOf(THIN_DELTA_ID));
    expect(Buffer.from(bytes).toString()).toContain("100\nchanged\n101\n");
  });

  test("refuses one whose base is not stored", async () => {
    const outcome = await ingest(THIN_PACK);
    expect(outcome).toMatchObject({ kind: "refused", code: "object-missing" });
    expect(outcome.kind === "refused" && outcome.reason).toContain(THIN_BASE_ID);
    expect(await storedKeys()).toEqual([]);
  });

  test("resolves deltas of deltas of what is stored, and adds the stored base once", async () => {
    const packs = [await stored(makePack([blob]).pack)];
    const [a, b, c] = [makeBlob("a"), makeBlob("bb"), makeBlob("ccc")];
    const row = await stored(makePack([deltaOf(c, b, "id"), deltaOf(b, a, "id"), deltaOf(a, blob, "id")]).pack, {
      packs,
    });
    expect(row.objectCount).toBe(4);
    await expectReadable(row, [a, b, c, blob]);
  });

  test("completes one that went to R2 while it arrived", async () => {
    const large = Array.from({ length: 3 }, () => makeObject("blob", noise(2_100_000)));
    const packs = [await stored(makePack([blob]).pack)];
    const delta = makeBlob("delta");
    const row = await stored(makePack([...large, deltaOf(delta, blob, "id")]).pack, { packs });
    const file = await storedFile(row, "pack");
    expect(file.readUInt32BE(8)).toBe(5);
    expect(createHash("sha1").update(file.subarray(0, -20)).digest()).toEqual(file.subarray(-20));
    expect(Buffer.from((await loadPackIndex(store, row.packId)).packChecksum)).toEqual(file.subarray(-20));
    await expectReadable(row, [...large, delta, blob]);
    expect((await storedKeys()).filter((key) => key.endsWith(".pack"))).toHaveLength(2);
  });
});

describe("ingestPack, of large packs", () => {
  const blobs = Array.from({ length: 3 }, () => makeObject("blob", noise(2_100_000)));

  test("stores one that goes to R2 in parts", async () => {
    const first = makeObject("blob", noise(1_000_000));
    const delta = makeBlob("delta");
    const { pack } = makePack([first, ...blobs, deltaOf(delta, first, "offset")]);
    const row = await stored(pack);
    expect(Buffer.compare(await storedFile(row, "pack"), pack)).toBe(0);
    await expectReadable(row, [...blobs, first, delta]);
  });

  test("leaves nothing in R2 of one that is refused", async () => {
    const { pack } = makePack(blobs);
    expect(await ingest(pack.subarray(0, -1000))).toMatchObject({ kind: "refused", code: "pack-invalid" });
    expect(await ingest(makePack([...blobs, tree]).pack)).toMatchObject({ kind: "refused", code: "object-missing" });
    expect(await storedKeys()).toEqual([]);
  });

  test.each(["createMultipartUpload", "uploadPart", "complete", "put"])(
    "throws and leaves nothing that counts where R2 fails at %s",
    async (failing) => {
      store = { ...store, bucket: spyOn(env.BUCKET, failing).bucket };
      await expect(ingest(makePack(blobs).pack)).rejects.toThrow(`R2 fails at ${failing}.`);
      expect((await storedKeys()).filter((key) => key.endsWith(".pack"))).toEqual([]);
    },
  );

  test("reads a refused pack to its end", async () => {
    const { pack } = makePack(blobs);
    let readBytes = 0;
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        readBytes += chunk.byteLength;
        controller.enqueue(chunk);
      },
    });
    const limits = { ...DEFAULT_INGEST_LIMITS, maxObjects: 1 };
    await ingestPack(streamOf(pack, 50_000).pipeThrough(counting), store, { packs: [], nowMs: 0, limits });
    expect(readBytes).toBe(pack.byteLength);
  });
});

describe("ingestPack, within limits", () => {
  const zeros = makeObject("blob", new Uint8Array(5_000_000));

  test.each<[string, Partial<IngestLimits>, string]>([
    ["the pack", { maxPackBytes: 4000 }, "push-too-large"],
    ["the number of objects", { maxObjects: 2 }, "push-too-complex"],
    ["one object", { maxObjectBytes: 4_999_999 }, "object-too-large"],
    ["all that is inflated", { maxInflatedBytes: 5_000_010 }, "push-too-complex"],
    ["what may come of its size", { freeInflatedBytes: 1000, inflationRatio: 100 }, "push-too-complex"],
    ["the ids that are named", { maxKnownIds: 2 }, "push-too-complex"],
  ])("refuses what is over the limit on %s", async (_, limits, code) => {
    const { pack } = makePack([zeros, commit, tree, blob]);
    expect(await ingest(pack, { limits })).toMatchObject({ kind: "refused", code });
    expect(await storedKeys()).toEqual([]);
  });

  test("says which files are the largest where a limit is met", async () => {
    const large = makeObject("blob", noise(6_000_000));
    const folder = makeTree({ "film.mov": large, "small.txt": blob, "zeros.bin": zeros });
    const root = makeTree({ assets: folder });
    const { pack } = makePack([makeCommit(root, []), root, folder, blob, zeros, large, makeBlob("last")]);
    const files = "assets/film.mov (5.7 MiB), assets/zeros.bin (4.8 MiB), assets/small.txt (0.0 MiB).";
    const outcome = await ingest(pack, { limits: { maxObjectBytes: 5_500_000 } });
    expect(outcome).toMatchObject({ kind: "refused", code: "object-too-large" });
    expect(outcome.kind === "refused" && outcome.reason).toContain(`The largest files that arrived: ${files}`);
    const cut = await ingest(pack, { limits: { maxPackBytes: 5_500_000 } });
    expect(cut).toMatchObject({ kind: "refused", code: "push-too-large" });
    expect(cut.kind === "refused" && cut.reason).toContain("assets/zeros.bin (4.8 MiB)");
    expect(await storedKeys()).toEqual([]);
  });

  test("takes what is just at the limits", async () => {
    const { pack } = makePack([zeros, commit, tree, blob]);
    const limits = { maxPackBytes: pack.byteLength, maxObjects: 4, maxObjectBytes: 5_000_000, maxKnownIds: 4 };
    await expectReadable(await stored(pack, { limits }), [zeros]);
  });

  test("refuses a delta of a base that is too large to be held, and says what helps", async () => {
    const delta = deltaOf(makeBlob("small"), zeros, "offset");
    const outcome = await ingest(makePack([zeros, delta]).pack, { limits: { maxHeldBytes: 4_000_000 } });
    expect(outcome).toMatchObject({ kind: "refused", code: "object-too-large" });
    expect(outcome.kind === "refused" && outcome.reason).toContain("core.bigFileThreshold");
  });

  test("refuses a delta that makes more than it may", async () => {
    const outcome = await ingest(makePack([blob, deltaOf(makeBlob("x".repeat(5000)), blob, "id")]).pack, {
      limits: { maxHeldBytes: 4000 },
    });
    expect(outcome).toMatchObject({ kind: "refused", code: "object-too-large" });
  });

  test("stops inflating a bomb at the size that it states", async () => {
    const content = Buffer.concat([
      encodePackHeader(1),
      encodeEntryHeader(3, 10),
      deflateSync(new Uint8Array(50_000_000)),
    ]);
    const pack = Buffer.concat([content, createHash("sha1").update(content).digest()]);
    expect(await ingest(pack)).toMatchObject({ kind: "refused", code: "pack-invalid" });
  });
});

describe("ingestPack, of objects that git refuses", () => {
  test("says which object it is, in git's words", async () => {
    const unsorted = makeTree({ b: blob, a: blob });
    const outcome = await ingest(makePack([blob, unsorted]).pack);
    expect(outcome).toMatchObject({ kind: "refused", code: "object-invalid" });
    expect(outcome.kind === "refused" && outcome.reason).toContain(unsorted.id);
    expect(outcome.kind === "refused" && outcome.reason).toContain("treeNotSorted");
  });

  const badModules = makeBlob('[submodule "../x"]\n\tpath = x\n\turl = https://example.com/x\n');

  test("looks into .gitmodules, in the pack and in the store", async () => {
    const named = makeTree({ ".gitmodules": badModules });
    const inPack = await ingest(makePack([named, badModules]).pack);
    expect(inPack.kind === "refused" && inPack.reason).toContain("gitmodulesName");
    const packs = [await stored(makePack([makeTree({ harmless: badModules }), badModules]).pack)];
    const inStore = await ingest(makePack([named]).pack, { packs });
    expect(inStore.kind === "refused" && inStore.reason).toContain("gitmodulesName");
  });

  test("refuses a tree in the place of a blob", async () => {
    const wrong = makeObject("tree", Buffer.concat([text("100644 file\0"), objectIdToBytes(tree.id)]));
    const outcome = await ingest(makePack([blob, tree, wrong]).pack);
    expect(outcome).toMatchObject({ kind: "refused", code: "object-invalid" });
  });

  test.each<[string, TinyObject]>([
    [
      "tree in the place of a blob",
      makeObject("tree", Buffer.concat([text("100644 file\0"), objectIdToBytes(tree.id)])),
    ],
    ["blob in the place of a tree", makeCommit(blob, [])],
    ["tree in the place of a commit", makeCommit(tree, [tree])],
    [
      "commit in the place of a tag",
      makeObject("tag", text(`object ${commit.id}\ntype tag\ntag x\ntagger A <a@b> 1 +0000\n\n`)),
    ],
  ])("refuses a stored %s", async (_, wrong) => {
    const packs = [await stored(makePack([blob, tree, commit]).pack)];
    const outcome = await ingest(makePack([wrong]).pack, { packs });
    expect(outcome).toMatchObject({ kind: "refused", code: "object-invalid" });
    expect(outcome.kind === "refused" && outcome.reason).toContain("object type mismatch");
  });
});

describe("ingestPack, of objects that name others", () => {
  const tag = makeTag(commit, "v1");

  test.each<[string, TinyObject, TinyObject]>([
    ["a commit's tree", commit, tree],
    ["a tree's blob", tree, blob],
    ["a tag's commit", tag, commit],
    ["a commit's parent", makeCommit(makeTree({}), [commit]), commit],
  ])("refuses a pack without %s, and names both", async (_, namer, missing) => {
    const objects = [tag, commit, tree, blob, makeTree({}), namer].filter(({ id }) => id !== missing.id);
    const outcome = await ingest(makePack([...new Map(objects.map((object) => [object.id, object])).values()]).pack);
    expect(outcome).toMatchObject({ kind: "refused", code: "object-missing" });
    const reason = outcome.kind === "refused" ? outcome.reason : "";
    expect(reason).toContain(missing.id);
  });

  test("finds what is missing from the pack in the store, in whichever pack", async () => {
    const packs = [await stored(makePack([blob]).pack)];
    packs.push(await stored(makePack([tree]).pack, { packs }));
    packs.push(await stored(makePack([commit]).pack, { packs }));
    packs.push(await stored(makePack([makeCommit(tree, [commit], 1_700_000_001)]).pack, { packs }));
    const row = await stored(makePack([makeTree({ again: blob }), tag]).pack, { packs });
    expect(row.objectCount).toBe(2);
  });

  test("refuses history whose beginning a shallow client lacks and the store too", async () => {
    const child = makeCommit(tree, [commit]);
    const { pack } = makePack([child, tree, blob]);
    const outcome = await ingest(pack, { shallowIds: [child.id] });
    expect(outcome).toEqual({ kind: "refused", code: "ref-refused", reason: "shallow update not allowed" });
    const packs = [await stored(makePack([commit, tree, blob]).pack)];
    expect(await ingest(pack, { packs, shallowIds: [child.id] })).toMatchObject({ kind: "stored" });
  });

  test("takes gitlinks for no objects", async () => {
    const gitlink = makeObject("tree", Buffer.concat([text("160000 module\0"), objectIdToBytes(commit.id)]));
    expect(await ingest(makePack([gitlink]).pack)).toMatchObject({ kind: "stored" });
  });
});

describe("ingestPack, in operations on R2", () => {
  const next = makeBlob("next\n");
  const nextTree = makeTree({ "hello.txt": blob, "next.txt": next });
  const push = makePack([makeCommit(nextTree, [commit], 1_700_000_001), nextTree, next]).pack;

  test("takes three puts for a small push, and nothing else where the isolate is warm", async () => {
    const packs = [await stored(makePack([commit, tree, blob]).pack)];
    const spy = spyOn(env.BUCKET);
    store = { ...store, bucket: spy.bucket };
    await stored(push, { packs });
    expect(spy.operations.toSorted()).toEqual(["put edges", "put idx", "put pack"]);
  });

  test("takes two gets more where it is cold, however many packs there are", async () => {
    const packs = [await stored(makePack([commit, tree, blob]).pack)];
    for (let n = 0; n < 3; n++) {
      const file = makeBlob(`file ${n}`);
      const changed = makeTree({ file, "hello.txt": blob });
      packs.push(await stored(makePack([makeCommit(changed, [commit], n), changed, file]).pack, { packs }));
    }
    const spy = spyOn(env.BUCKET);
    store = { ...store, bucket: spy.bucket, cache: new PackCache() };
    await stored(push, { packs });
    expect(spy.operations.toSorted()).toEqual(["get edges", "get idx", "put edges", "put idx", "put pack"]);
  });
});
