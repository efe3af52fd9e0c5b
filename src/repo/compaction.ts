// Compaction: all that refs and the deploy history reach, written as one new pack. Always all of it, rather than only the small packs:
// what nothing reaches goes for good, deltas find their bases, clones stream one pack, and a repository of 100 MB takes seconds, in the
// background, once in many pushes. Nothing becomes visible here: the supervisor swaps its catalogue, or deletes the pack.
import type { ObjectGraph } from "../git/object-graph.ts";
import { type ObjectId, objectIdToBytes } from "../git/object-id.ts";
import { SENT, listObjects } from "../git/rev-list.ts";
import { loadEdgeFile, loadPackIndex } from "../store/pack-store.ts";
import type { PackRow } from "../store/repository-state.ts";
import { DeltaDepths } from "./delta-depths.ts";
import { sizesOf } from "./fetch-plan.ts";
import { openObjectGraph } from "./open-object-graph.ts";
import { rewritePack } from "./pack-rewrite.ts";
import type { Repository } from "./repository.ts";

/** What is to be compacted, and when it is worth it. */
export interface CompactionOptions {
  /** Commits that stay though no ref may reach them: those of the deploy history. */
  readonly keptIds: readonly ObjectId[];
  /** With so many packs, and nothing in them that is not reached, everything stays as it is. */
  readonly maxPacks: number;
}

/** "rewritten": `pack` holds all that stays and is in R2 with its index and edge file; undefined where nothing stays. */
export type CompactionOutcome =
  | { readonly kind: "unchanged" }
  | { readonly kind: "rewritten"; readonly pack: PackRow | undefined };

/** Writes the pack. Throws where a ref names what no pack has: then nothing may be taken away. */
export async function compactRepository(
  repository: Repository,
  { keptIds, maxPacks }: CompactionOptions,
): Promise<CompactionOutcome> {
  const { store, state } = repository;
  if (state.packs.length === 0) return { kind: "unchanged" };
  const { graph, packs } = await openObjectGraph(repository);
  const { objects } = graph;
  const tips = state.refs.map(({ name, id }) => {
    const number = objects.find(objectIdToBytes(id));
    if (number < 0) throw new Error(`${name} names ${id}, which is in no pack.`);
    return number;
  });
  const kept = keptIds.map((id) => objects.find(objectIdToBytes(id))).filter((number) => number >= 0);
  const { marks, sentCount } = listObjects(graph, { wants: [...tips, ...kept], haves: [] });
  if (packs.length <= maxPacks && !hasUnreached(graph, marks)) return { kind: "unchanged" };
  if (sentCount === 0) return { kind: "rewritten", pack: undefined };
  const sizes = sizesOf(graph, marks);
  const depths = new DeltaDepths(objects.size);
  const options = { allowsOfsDelta: true, allowsThinPack: false };
  const written = await rewritePack({ store, packs, objects, marks, sizes, sentCount, depths, ...options }, graph);
  // As old as the newest pack that it replaces, so that those pushed meanwhile count as newer.
  const createdAtMs = Math.max(...packs.map((pack) => pack.createdAtMs));
  return { kind: "rewritten", pack: { ...written, createdAtMs } };
}

function hasUnreached({ objects }: ObjectGraph, marks: Uint8Array): boolean {
  return objects.indexes.some((index, pack) => {
    const first = objects.firstOf(pack);
    for (let n = 0; n < index.count; n++) {
      if (((marks[first + n] ?? 0) & SENT) === 0 && objects.numberOf(pack, n) === first + n) return true;
    }
    return false;
  });
}

/** Whether the repository's packs have all that their objects name, and the ids besides. Reads nothing but indexes and edge files. */
export async function arePacksClosed({ state, store }: Repository, ids: readonly ObjectId[]): Promise<boolean> {
  const { packs } = state;
  const indexes = await Promise.all(packs.map(({ packId }) => loadPackIndex(store, packId)));
  const has = (idBytes: Uint8Array): boolean => indexes.some((index) => index.find(idBytes) >= 0);
  if (!ids.every((id) => has(objectIdToBytes(id)))) return false;
  for (const { packId } of packs) {
    // oxlint-disable-next-line no-await-in-loop -- one edge file in memory at a time
    const edges = await loadEdgeFile(store, packId);
    for (let k = 0; k < edges.externalCount; k++) if (!has(edges.externalBytesAt(k))) return false;
  }
  return true;
}
