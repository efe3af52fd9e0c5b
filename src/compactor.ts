// Where a repository is compacted: an entrypoint of the Worker that supervisors reach through ctx.exports, so that a supervisor is
// neither kept from answering visitors nor fills its own isolate. It has no address outside of the Worker.
import { WorkerEntrypoint } from "cloudflare:workers";
import type { ObjectId } from "./git/object-id.ts";
import {
  arePacksClosed,
  compactRepository,
  type CompactionOptions,
  type CompactionOutcome,
} from "./repo/compaction.ts";
import { createPackHost, openRepository, type Repository } from "./repo/repository.ts";

/** A compaction reads every pack once: what it reads must not push out of the isolate's cache what pushes and fetches need. */
const CACHE_BYTES = 8 * 1024 * 1024;

export class Compactor extends WorkerEntrypoint<Env> {
  /** Writes all that stays of the repository as one pack. Nothing names it yet. */
  compact(state: Repository["state"], options: CompactionOptions): Promise<CompactionOutcome> {
    return compactRepository(this.#open(state), options);
  }

  /** Whether the state's packs have all that their objects name, and these ids besides. */
  areClosed(state: Repository["state"], ids: readonly ObjectId[]): Promise<boolean> {
    return arePacksClosed(this.#open(state), ids);
  }

  #open(state: Repository["state"]): Repository {
    return openRepository(createPackHost(this.env.BUCKET, CACHE_BYTES), state);
  }
}
