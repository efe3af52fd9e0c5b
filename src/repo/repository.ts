// A repository as the services see it: its state at one moment, and where its packs are.
import { PackCache } from "../store/pack-cache.ts";
import type { PackStore } from "../store/pack-store.ts";
import type { PackRow, RepositoryState } from "../store/repository-state.ts";

/** One repository at one moment. */
export interface Repository {
  readonly state: RepositoryState;
  readonly store: PackStore;
}

/** Where every repository's packs are: the bucket, and what this isolate remembers of it. */
export interface PackHost {
  readonly bucket: R2Bucket;
  readonly cache: PackCache;
}

/** Made once for each isolate, and for work that is not to use the isolate's cache. */
export function createPackHost(bucket: R2Bucket, cacheBytes?: number): PackHost {
  return { bucket, cache: new PackCache(cacheBytes) };
}

/** The repository whose state a supervisor gave. */
export function openRepository(host: PackHost, state: RepositoryState): Repository {
  return { state, store: { bucket: host.bucket, cache: host.cache, repositoryId: state.repositoryId } };
}

/** The same repository with one more pack, which the supervisor's catalogue does not name yet. */
export function withPack({ state, store }: Repository, pack: PackRow | undefined): Repository {
  return { store, state: pack === undefined ? state : { ...state, packs: [...state.packs, pack] } };
}
