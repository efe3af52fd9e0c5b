import { env } from "cloudflare:workers";
import { deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { expect } from "vitest";
import { edgesOf } from "../../src/git/object-edges.ts";
import { hashObject } from "../../src/git/object.ts";
import { type IngestOutcome, ingestPack } from "../../src/repo/pack-ingest.ts";
import { DEFAULT_INGEST_LIMITS } from "../../src/repo/ingest-limits.ts";
import { type FailingBucket, OUTAGE, failAt } from "./failing-bucket.ts";
import { findObject, openObjectDatabase, readObject } from "../../src/store/object-database.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import { type PackStore, loadWholePack, packKeyPrefix } from "../../src/store/pack-store.ts";
import type { PackRow } from "../../src/store/repository-state.ts";
import type { TinyObject } from "../git/tiny-repository.ts";
import { type History, histories, namedBy } from "./histories.ts";
import { applyEdits, chunkSizes, edits, streamOfChunks } from "./mutation.ts";
import { type EntrySpec, type PackSpec, changes, encodePack, packOf, storings } from "./pack-spec.ts";
import { holds } from "./property.ts";

/** What may be wrong with a pack. Anything else would be our own fault. */
const PACK_CODES = [
  "pack-invalid",
  "object-invalid",
  "object-missing",
  "object-too-large",
  "push-too-large",
  "push-too-complex",
];
const LIMITS = { ...DEFAULT_INGEST_LIMITS, maxPackBytes: 1_000_000, maxObjectBytes: 100_000, maxHeldBytes: 50_000 };

/** A repository that has some objects, and a client's pack of others. */
interface Push {
  readonly stored: readonly TinyObject[];
  readonly sent: readonly TinyObject[];
  readonly spec: PackSpec;
}

/** The history is split where `at` says: everything before is stored, as every object comes after what it names. */
function makePush({ objects }: History, at: number, ways: Parameters<typeof packOf>[1]): Push {
  const split = at % objects.length;
  const [stored, sent] = [objects.slice(0, split), objects.slice(split)];
  return { stored, sent, spec: packOf(sent, ways, stored) };
}

const pushes = fc.tuple(histories, fc.nat(30), storings).map(([history, at, ways]) => makePush(history, at, ways));

function newStore(bucket: R2Bucket = env.BUCKET): PackStore {
  return { bucket, cache: new PackCache(), repositoryId: `fuzz-${crypto.randomUUID()}` };
}

async function storedKeys(store: PackStore): Promise<string[]> {
  const { objects } = await env.BUCKET.list({ prefix: packKeyPrefix(store.repositoryId) });
  return objects.map(({ key }) => key);
}

async function storeFirst(store: PackStore, objects: readonly TinyObject[]): Promise<PackRow[]> {
  if (objects.length === 0) return [];
  const bytes = encodePack(packOf(objects, [], []));
  const outcome = await ingestPack(streamOfChunks(bytes, [bytes.byteLength]), store, { packs: [], nowMs: 1 });
  if (outcome.kind !== "stored" || outcome.pack === undefined)
    throw new Error(`Not stored: ${JSON.stringify(outcome)}`);
  return [outcome.pack];
}

/** Reads everything back from R2 and compares it with itself: ids with contents, edges with contents, and all with the store. */
async function checkStored(store: PackStore, row: PackRow, packs: readonly PackRow[]): Promise<Set<string>> {
  const fresh = { ...store, cache: new PackCache() };
  const all = openObjectDatabase(fresh, [...packs, row]);
  const own = openObjectDatabase(fresh, [row]);
  const [index, edges] = await Promise.all([own.packs[0]!.index(), own.packs[0]!.edges()]);
  const pack = await loadWholePack(fresh, row.packId);
  expect([index.count, edges.count, pack.byteLength]).toEqual([row.objectCount, row.objectCount, row.packBytes]);
  expect(Buffer.from(pack).readUInt32BE(8)).toBe(row.objectCount);
  expect(Buffer.from(index.packChecksum).equals(pack.subarray(-20))).toBe(true);
  const ids = new Set<string>();
  for (let n = 0; n < index.count; n++) {
    const id = index.idAt(n);
    const { kind, bytes } = await readObject(own, id);
    expect([hashObject(kind, bytes), edges.kindAt(n)]).toEqual([id, kind]);
    expect(edges.sizeAt(n)).toBe(bytes.byteLength);
    const targets = edges
      .edgesAt(n)
      .map((edge) => (edge < index.count ? index.idAt(edge) : edges.externalAt(edge - index.count)));
    // Of an object that is there twice, the first alone has edges.
    expect(targets).toEqual(ids.has(id) ? [] : edgesOf(kind, bytes));
    for (const target of targets) expect(await findObject(all, target)).toBeDefined();
    ids.add(id);
  }
  return ids;
}

/** Takes a pack in and holds whatever came of it to what must be true of it. */
async function checkIngest(
  stored: readonly TinyObject[],
  bytes: Uint8Array,
  sizes: readonly number[],
): Promise<Set<string> | string> {
  const store = newStore();
  const packs = await storeFirst(store, stored);
  const before = await storedKeys(store);
  const outcome: IngestOutcome = await ingestPack(streamOfChunks(bytes, sizes), store, {
    packs,
    nowMs: 2,
    limits: LIMITS,
  });
  const after = await storedKeys(store);
  if (outcome.kind === "refused") {
    expect(PACK_CODES).toContain(outcome.code);
    expect(after).toEqual(before);
    return outcome.code;
  }
  if (outcome.pack === undefined) {
    expect(after).toEqual(before);
    return new Set();
  }
  const key = `${packKeyPrefix(store.repositoryId)}pack-${outcome.pack.packId}`;
  expect(after).toEqual([...before, `${key}.edges`, `${key}.idx`, `${key}.pack`].toSorted());
  return checkStored(store, outcome.pack, packs);
}

holds(
  "packs that are sound",
  5,
  fc.asyncProperty(pushes, chunkSizes, async ({ stored, sent, spec }, sizes) => {
    const ids = await checkIngest(stored, encodePack(spec), sizes);
    expect(typeof ids).toBe("object");
    for (const { id } of sent) expect(ids).toContain(id);
  }),
);

holds(
  "packs that lack an object",
  5,
  fc.asyncProperty(histories, fc.nat(30), fc.nat(30), storings, async (history, at, lack, ways) => {
    const { stored, sent } = makePush(history, at, ways);
    const lacking = sent.toSpliced(lack % sent.length, 1);
    const isNamed = lacking.some((object) => namedBy(object).includes(sent[lack % sent.length]!.id));
    const ids = await checkIngest(stored, encodePack(packOf(lacking, ways, stored)), [1000]);
    expect(ids).toEqual(isNamed ? "object-missing" : expect.any(Set));
  }),
);

holds(
  "packs with a field changed",
  10,
  fc.asyncProperty(
    pushes,
    changes,
    fc.oneof(fc.constant([]), fc.constant([]), edits),
    chunkSizes,
    async (pushed, made, raw, sizes) => {
      const spec = made.reduce((changed, change) => change(changed), pushed.spec);
      await checkIngest(pushed.stored, applyEdits(encodePack(spec), raw), sizes);
    },
  ),
);

/** Takes a pack in while one operation of R2 fails: that failure comes out as it is, or nobody notices. */
async function checkOutage(stored: readonly TinyObject[], bytes: Uint8Array, operation: number): Promise<void> {
  const store = newStore();
  const packs = await storeFirst(store, stored);
  const before = await storedKeys(store);
  const failing: FailingBucket = failAt(env.BUCKET, operation);
  const broken = { ...store, bucket: failing.bucket, cache: new PackCache() };
  const stream = streamOfChunks(bytes, [300_000]);
  const outcome = await ingestPack(stream, broken, { packs, nowMs: 2 }).catch((error: unknown) => {
    if (error === OUTAGE) return OUTAGE;
    throw error;
  });
  const left = (await storedKeys(store)).filter((key) => !before.includes(key));
  if (outcome instanceof Error) {
    expect(failing.hasFailed()).toBe(true);
    // What was written by then is found by its name and swept.
    for (const key of left) expect(key).toMatch(/\/pack-[0-9a-f]{40}\.(pack|idx|edges)$/);
    return;
  }
  if (!failing.hasFailed()) expect([...failing.openUploads]).toEqual([]);
  if (outcome.kind === "stored" && outcome.pack !== undefined) await checkStored(store, outcome.pack, packs);
  else if (!failing.hasFailed()) expect(left).toEqual([]);
}

holds(
  "packs and an R2 that fails",
  5,
  fc.asyncProperty(pushes, fc.oneof(fc.constant([]), changes), fc.nat(8), async ({ stored, spec }, made, operation) => {
    await checkOutage(stored, encodePack(made.reduce((changed, change) => change(changed), spec)), operation);
  }),
);

// Bytes that do not compress, more than a pack in memory may have.
const large = new Uint8Array(6_000_000).map((_, i) => (i * 2_654_435_761) >>> 13);
const largeEntry: EntrySpec = { type: 3, body: large, deflated: deflateSync(large, { level: 0 }) };

holds(
  "packs larger than memory",
  2,
  fc.asyncProperty(
    pushes,
    fc.oneof(fc.constant([]), changes),
    fc.nat(30),
    fc.nat(16),
    async (push, made, at, operation) => {
      const changed = made.reduce((so, change) => change(so), push.spec);
      const entries = changed.entries.toSpliced(at % (changed.entries.length + 1), 0, largeEntry);
      await checkOutage(push.stored, encodePack({ ...changed, entries }), operation);
    },
  ),
);
