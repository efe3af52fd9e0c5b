import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect } from "vitest";
import { findUnreachable, reachCommits } from "../../src/git/commit-reach.ts";
import { NO_FILTER, parseObjectFilter } from "../../src/git/object-filter.ts";
import { parseRefName } from "../../src/git/ref-name.ts";
import { SENT } from "../../src/git/rev-list.ts";
import { type PackOptions, planPack } from "../../src/repo/fetch-plan.ts";
import { ingestPack } from "../../src/repo/pack-ingest.ts";
import type { Repository } from "../../src/repo/repository.ts";
import { uploadPack } from "../../src/repo/upload-pack.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import { type PackStore, writePackFiles } from "../../src/store/pack-store.ts";
import type { PackRow } from "../../src/store/repository-state.ts";
import { type TinyObject, makeGraph, makePack, numbersOf, streamOf } from "../git/tiny-repository.ts";
import { wire } from "../git/wire.ts";
import { type History, closureOf, histories } from "./histories.ts";
import { encodePack, packOf, storings } from "./pack-spec.ts";
import { holds } from "./property.ts";
import { STORED_SETTINGS } from "../store/stored-settings.ts";

const OPTIONS: PackOptions = { allowsOfsDelta: true, allowsThinPack: true, includesTags: false };
const NO_STORE: PackStore = { bucket: env.BUCKET, cache: new PackCache(), repositoryId: "fuzz-none" };
const picks = fc.array(fc.nat(1000), { maxLength: 4 });

function choose(from: readonly TinyObject[], numbers: readonly number[]): TinyObject[] {
  return [...new Set(numbers.map((number) => from[number % from.length]!))];
}

/** The objects in two packs, the second of which repeats some of the first. */
function inTwoPacks(objects: readonly TinyObject[], split: number): TinyObject[][] {
  const at = split % (objects.length + 1);
  return [objects.slice(0, at), objects.slice(Math.floor(at / 2))].filter((pack) => pack.length > 0);
}

function repositoryOf(history: History, store: PackStore, packs: readonly PackRow[]): Repository {
  const tips = history.objects.filter(({ kind }) => kind === "commit" || kind === "tag");
  const refs = tips.map(({ id }, n) => ({ name: parseRefName(`refs/tags/r${n}`)!, id }));
  return {
    store,
    state: {
      repositoryId: store.repositoryId,
      head: undefined,
      refs,
      packs,
      settings: STORED_SETTINGS,
    },
  };
}

holds(
  "selections of objects",
  50,
  fc.property(
    histories,
    fc.record({
      wants: picks,
      haves: picks,
      shallows: fc.oneof(fc.constant([]), picks),
      tips: picks,
      split: fc.nat(30),
    }),
    fc.constantFrom("", "blob:none", "tree:1", "tree:2", "object:type=commit", "blob:limit=9"),
    (history, { split, ...numbers }, spec) => {
      const wants = choose(history.objects, numbers.wants);
      const haves = choose(history.objects, numbers.haves);
      const shallows = choose(history.commits, numbers.shallows);
      const graph = makeGraph(inTwoPacks(history.objects, split));
      const [wanted, had] = [closureOf(history, wants, shallows), closureOf(history, haves, shallows)];
      const select = (filter: typeof NO_FILTER): string[] => {
        const shallow = {
          kind: "update",
          lines: [],
          shallows: numbersOf(graph, shallows),
          wants: [],
          haves: [],
        } as const;
        const fetched = {
          wants: numbersOf(graph, wants),
          haves: numbersOf(graph, haves),
          filter,
          shallow,
          options: OPTIONS,
        };
        const { marks, sentCount } = planPack(repositoryOf(history, NO_STORE, []), { graph, packs: [] }, fetched);
        const sent = Array.from(marks, (mark, n) => ((mark & SENT) === 0 ? "" : graph.objects.idAt(n))).filter(
          (id) => id !== "",
        );
        expect([sentCount, new Set(sent).size]).toEqual([sent.length, sent.length]);
        return sent;
      };
      const sent = select(NO_FILTER);
      expect(sent.filter((id) => !wanted.has(id))).toEqual([]);
      expect([...wanted].filter((id) => !had.has(id) && !sent.includes(id))).toEqual([]);
      expect(haves.filter(({ id }) => sent.includes(id))).toEqual([]);
      const filtered = select(parseObjectFilter(spec) ?? NO_FILTER);
      expect(filtered.filter((id) => !sent.includes(id))).toEqual([]);
      for (const { id } of wants) expect(filtered.includes(id) || had.has(id)).toBe(true);
      const tips = choose(history.objects, numbers.tips);
      const reached = closureOf(history, tips);
      const isReached = findUnreachable(graph, numbersOf(graph, tips), numbersOf(graph, wants)) === undefined;
      expect(isReached).toBe(wants.every(({ id }) => reached.has(id)));
      const commits = history.commits.filter(({ id }) => reached.has(id));
      expect([...reachCommits(graph, numbersOf(graph, tips))].length).toBe(
        commits.filter(({ id }) =>
          closureOf(
            { ...history, objects: history.objects.filter(({ kind }) => kind === "commit" || kind === "tag") },
            tips,
          ).has(id),
        ).length,
      );
    },
  ),
);

async function storeHistory(history: History, split: number, ways: Parameters<typeof packOf>[1]): Promise<Repository> {
  const store: PackStore = { bucket: env.BUCKET, cache: new PackCache(), repositoryId: `fuzz-${crypto.randomUUID()}` };
  const rows: PackRow[] = [];
  for (const objects of inTwoPacks(history.objects, split)) {
    const pack = encodePack(packOf(objects, ways, []));
    const outcome = await ingestPack(streamOf(pack, 1000), store, { packs: rows, nowMs: rows.length });
    if (outcome.kind !== "stored") throw new Error(outcome.reason);
    if (outcome.pack !== undefined) rows.push(outcome.pack);
  }
  return repositoryOf(history, { ...store, cache: new PackCache() }, rows);
}

/** What a client has: a repository that is complete. */
async function clientWith(history: History, ids: ReadonlySet<string>): Promise<{ store: PackStore; packs: PackRow[] }> {
  const store: PackStore = { bucket: env.BUCKET, cache: new PackCache(), repositoryId: `fuzz-${crypto.randomUUID()}` };
  const objects = history.objects.filter(({ id }) => ids.has(id));
  if (objects.length === 0) return { store, packs: [] };
  const { pack, idx, edges, packId, objectCount } = makePack(objects);
  await writePackFiles(store, packId, { pack, idx, edges });
  return { store, packs: [{ packId, objectCount, packBytes: pack.byteLength, createdAtMs: 0 }] };
}

/** What is in channel 1 of an answer. */
function packIn(answer: Buffer): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < answer.byteLength;) {
    const length = Math.max(4, Number.parseInt(answer.toString("latin1", at, at + 4), 16));
    const payload = answer.subarray(at + 4, at + length);
    if (payload[0] === 1) parts.push(payload.subarray(1));
    at += length;
  }
  return Buffer.concat(parts);
}

function requestOf(
  version: 0 | 2,
  wants: readonly TinyObject[],
  haves: readonly TinyObject[],
  isThin: boolean,
): Uint8Array {
  const words = isThin ? ["thin-pack", "ofs-delta"] : ["ofs-delta"];
  const haveLines = haves.map(({ id }) => `have ${id}`);
  if (version === 2)
    return wire(
      "command=fetch",
      "0001",
      ...words,
      ...wants.map(({ id }) => `want ${id}`),
      ...haveLines,
      "done",
      "0000",
    );
  const lines = wants.map(({ id }, i) => `want ${id}${i === 0 ? ` side-band-64k ${words.join(" ")}` : ""}`);
  return wire(...lines, "0000", ...haveLines, "done");
}

holds(
  "clones and fetches",
  5,
  fc.asyncProperty(
    histories,
    fc.record({ wants: picks, haves: picks, split: fc.nat(30), ways: storings }),
    fc.constantFrom(0 as const, 2 as const),
    fc.boolean(),
    async (history, { wants, haves, split, ways }, version, isThin) => {
      const repository = await storeHistory(history, split, ways);
      const wanted = choose(history.objects, wants).filter(({ kind }) => kind === "commit" || kind === "tag");
      const had = choose(history.commits, haves);
      if (wanted.length === 0) return;
      const client = await clientWith(history, closureOf(history, had));
      const answer = await uploadPack(repository, version, streamOf(requestOf(version, wanted, had, isThin), 100));
      const pack = packIn(Buffer.from(await new Response(answer).arrayBuffer()));
      const outcome = await ingestPack(streamOf(pack, 1000), client.store, { packs: client.packs, nowMs: 1 });
      // Taking it in checks that nothing is missing.
      expect(outcome.kind).toBe("stored");
      if (!isThin && outcome.kind === "stored") expect(outcome.pack?.objectCount ?? 0).toBe(outcome.objectCount);
      const missing = wanted.filter(({ id }) => !closureOf(history, had).has(id));
      expect(outcome.kind === "stored" && outcome.objectCount >= missing.length).toBe(true);
    },
  ),
);
