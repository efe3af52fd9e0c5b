// A repository as the services see it: its state at one moment, and where its packs are.
import { PackCache } from "../store/pack-cache.ts";
import type { PackStore } from "../store/pack-store.ts";
import type { RepositoryState } from "../store/repository-state.ts";

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

/** Made once for each isolate. */
export function createPackHost(bucket: R2Bucket): PackHost {
  return { bucket, cache: new PackCache() };
}

/** The repository whose state a supervisor gave. */
export function openRepository(host: PackHost, state: RepositoryState): Repository {
  return { state, store: { bucket: host.bucket, cache: host.cache, repositoryId: state.repositoryId } };
}
