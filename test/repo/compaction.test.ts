import { env } from "cloudflare:test";
import { expect, describe, it } from "vitest";
import { arePacksClosed, compactRepository } from "../../src/repo/compaction.ts";
import { ingestPack } from "../../src/repo/pack-ingest.ts";
import type { Repository } from "../../src/repo/repository.ts";
import { objectIdToBytes } from "../../src/git/object-id.ts";
import { parseRefName } from "../../src/git/ref-name.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import { loadEdgeFile, loadPackIndex, packKey, writePackFiles } from "../../src/store/pack-store.ts";
import type { PackRow } from "../../src/store/repository-state.ts";
import { STORED_SETTINGS } from "../store/stored-settings.ts";
import {
  deltaOf,
  makeBlob,
  makeCommit,
  makeObject,
  makePack,
  makeTag,
  makeTree,
  streamOf,
  type TinyEntry,
  type TinyObject,
} from "../git/tiny-repository.ts";

let count = 0;

async function makeRepository(
  packs: readonly (readonly TinyEntry[])[],
  refs: Readonly<Record<string, TinyObject>>,
): Promise<Repository> {
  const store = { bucket: env.BUCKET, cache: new PackCache(), repositoryId: `compaction-${++count}` };
  const rows: PackRow[] = [];
  for (const entries of packs) {
    const { pack, idx, edges, packId, objectCount } = makePack(entries);
    // oxlint-disable-next-line no-await-in-loop -- in the order of their times
    await writePackFiles(store, packId, { pack, idx, edges });
    rows.push({ packId, objectCount, packBytes: pack.byteLength, createdAtMs: 1000 + rows.length });
  }
  const state = {
    repositoryId: store.repositoryId,
    head: undefined,
    refs: Object.entries(refs).map(([name, { id }]) => ({ name: parseRefName(name)!, id })),
    packs: rows,
    settings: STORED_SETTINGS,
  };
  return { state, store };
}

/** Noise, which does not compress. */
function makeNoise(bytes: number): TinyObject {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536));
  return makeObject("blob", content);
}

const [file1, file2, file3] = [1, 2, 3].map((n) => makeBlob(`${"a line of the file\n".repeat(20)}${n}\n`));
const noise = makeNoise(6_500_000);
const [tree1, tree2, tree3] = [file1!, file2!, file3!].map((file) => makeTree({ file, noise }));
const c1 = makeCommit(tree1!, [], 1000);
const c2 = makeCommit(tree2!, [c1], 2000);
const c3 = makeCommit(tree3!, [c2], 3000);
const tag = makeTag(c2, "v2");
const lost = makeCommit(tree1!, [], 1);
// The second and third pack are thin ones that were completed with a copy of their base.
const PACKS = [
  [c1, tree1!, file1!, noise, lost],
  [c2, tree2!, file1!, deltaOf(file2!, file1!, "offset"), tag],
  [c3, tree3!, deltaOf(file3!, file2!, "id"), file2!],
];
const REFS = { "refs/heads/main": c3, "refs/tags/v2": tag };

describe("compactRepository", () => {
  it("writes pack, index and edge file as the ingest of the same pack does", async () => {
    const repository = await makeRepository(PACKS, REFS);
    const outcome = await compactRepository(repository, { keptIds: [], maxPacks: 20 });
    if (outcome.kind !== "rewritten" || outcome.pack === undefined) throw new Error("Nothing was written.");
    const { store } = repository;
    const { pack } = outcome;
    expect(pack).toMatchObject({ objectCount: 11, createdAtMs: 1002 });
    const bytes = await (await env.BUCKET.get(packKey(store, pack.packId, "pack")))!.bytes();
    expect(bytes.byteLength).toBe(pack.packBytes);

    const ingested = await ingestPack(streamOf(bytes, 1_000_000), store, { packs: [], nowMs: 1 });
    if (ingested.kind === "refused" || ingested.pack === undefined) throw new Error("The pack is not as packs are.");
    const [written, read] = [pack.packId, ingested.pack.packId];
    const [idx, ingestedIdx] = await Promise.all(
      [written, read].map(async (packId) => (await env.BUCKET.get(packKey(store, packId, "idx")))!.bytes()),
    );
    expect(Buffer.compare(idx!, ingestedIdx!)).toBe(0);
    const [edges, ingestedEdges] = await Promise.all([loadEdgeFile(store, written), loadEdgeFile(store, read)]);
    expect(edges.externalCount).toBe(0);
    for (let n = 0; n < pack.objectCount; n++) {
      expect([edges.kindAt(n), edges.sizeAt(n), edges.timeAt(n), edges.edgesAt(n)]).toEqual([
        ingestedEdges.kindAt(n),
        ingestedEdges.sizeAt(n),
        ingestedEdges.timeAt(n),
        ingestedEdges.edgesAt(n),
      ]);
    }
    const index = await loadPackIndex(store, pack.packId);
    expect(index.find(objectIdToBytes(lost.id))).toBe(-1);
  });

  it("is not needed while a few packs hold nothing that is not reached", async () => {
    const repository = await makeRepository(PACKS, { ...REFS, "refs/heads/lost": lost });
    expect(await compactRepository(repository, { keptIds: [], maxPacks: 3 })).toEqual({ kind: "unchanged" });
    expect(await compactRepository(repository, { keptIds: [], maxPacks: 2 })).toMatchObject({ kind: "rewritten" });
    const kept = await makeRepository(PACKS, REFS);
    expect(await compactRepository(kept, { keptIds: [lost.id], maxPacks: 3 })).toEqual({ kind: "unchanged" });
  });

  it("touches nothing where a ref names what no pack has", async () => {
    const repository = await makeRepository([PACKS[0]!], REFS);
    await expect(compactRepository(repository, { keptIds: [], maxPacks: 0 })).rejects.toThrow("in no pack");
  });
});

describe("arePacksClosed", () => {
  it("tells packs that name what none of them has, and ids that none has", async () => {
    const whole = await makeRepository(PACKS, REFS);
    expect(await arePacksClosed(whole, [c3.id, tag.id])).toBe(true);
    expect(await arePacksClosed(whole, [makeBlob("elsewhere").id])).toBe(false);
    const half = await makeRepository(PACKS.slice(1), REFS);
    expect(await arePacksClosed(half, [c3.id])).toBe(false);
  });
});
