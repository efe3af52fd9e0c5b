// What a supervisor says of its repository: refs, packs and settings, as plain values that cross an RPC boundary.
// Always read from the supervisor, never cached: a fetch right after a push must see that push.
import type { ObjectId } from "../git/object-id.ts";
import type { RefName } from "../git/ref-name.ts";

/** One ref. `peeledId` is what an annotated tag names in the end, where the ref names a tag. */
export interface RefRow {
  readonly name: RefName;
  readonly id: ObjectId;
  readonly peeledId?: ObjectId;
}

/** One stored pack: `pack-<packId>.pack`, `.idx` and `.edges` below the repository's prefix in R2. */
export interface PackRow {
  readonly packId: string;
  readonly objectCount: number;
  readonly packBytes: number;
  readonly createdAtMs: number;
}

/** What the owner set for one app. */
export interface RepositorySettings {
  /** false: pushes are stored and deploy nothing. */
  readonly deploy: boolean;
  /** true: no push takes commits from a branch (receive.denyNonFastForwards). */
  readonly denyNonFastForwards: boolean;
  /** The folder of the repository that the app is in; "" finds it by itself. */
  readonly root: string;
  /** Whether pushes have their types checked, and whether errors stop them. */
  readonly typecheck: "off" | "warn" | "strict";
  /** How many previews may be alive at once; 0: other branches than production do not deploy. */
  readonly maxPreviews: number;
  /** A preview without a request for so long expires. */
  readonly previewIdleHours: number;
  /** Whether alarms ring in previews and deploys on show. */
  readonly previewAlarms: boolean;
  /** Whether cron triggers run there. */
  readonly previewCrons: boolean;
}

/** A repository at one moment. `head` is the production branch, undefined until a branch was pushed. */
export interface RepositoryState {
  readonly repositoryId: string;
  readonly head: RefName | undefined;
  readonly refs: readonly RefRow[];
  readonly packs: readonly PackRow[];
  readonly settings: RepositorySettings;
  /** Set where the app was deleted and its name is kept until then: nothing is to be pushed to it. */
  readonly deletedUntilMs?: number;
}
