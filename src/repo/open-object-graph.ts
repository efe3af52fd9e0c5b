// The object graph of a repository: its packs' indexes and edge files, from R2 or the isolate's cache.
import { MultiPackIndex } from "../git/multi-pack-index.ts";
import { ObjectGraph } from "../git/object-graph.ts";
import { loadEdgeFile, loadPackIndex } from "../store/pack-store.ts";
import type { PackRow } from "../store/repository-state.ts";
import type { Repository } from "./repository.ts";

/** A repository's packs in the order in which the graph numbers their objects. */
export interface OpenGraph {
  readonly packs: readonly PackRow[];
  readonly graph: ObjectGraph;
}

/**
 * Two R2 operations for each pack that is not cached. The oldest pack comes first: a push completes its thin pack with copies of older
 * objects, and where those count in the older pack, every delta is sent after its base. Some clients drop deltas that are not.
 */
export async function openObjectGraph(repository: Repository): Promise<OpenGraph> {
  const { state, store } = repository;
  const packs = state.packs.toSorted((a, b) => a.createdAtMs - b.createdAtMs || b.objectCount - a.objectCount);
  const [indexes, edgeFiles] = await Promise.all([
    Promise.all(packs.map(({ packId }) => loadPackIndex(store, packId))),
    Promise.all(packs.map(({ packId }) => loadEdgeFile(store, packId))),
  ]);
  return { packs, graph: new ObjectGraph(new MultiPackIndex(indexes), edgeFiles) };
}
