// An app's supervisor: one Durable Object for each app, named by the app. It owns the app's refs, pack catalogue, deploys and code in
// its SQLite database, and runs the app as its facet. This class only routes: each method is a line or two that calls a verb.
import { DurableObject } from "cloudflare:workers";
import type { KnownBuild } from "../store/builds.ts";
import type { Deploy } from "../store/deploys.ts";
import type { RepositorySettings, RepositoryState } from "../store/repository-state.ts";
import type { CommitOutcome, PushCommit } from "./commit.ts";
import type { CutoverOutcome } from "./cutover.ts";
import type { AppDescription } from "./description.ts";
import type { Candidate, RehearsalOutcome } from "./rehearsal.ts";

export declare class Supervisor extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env);

  /** A visitor's request. */
  override fetch(request: Request): Promise<Response>;

  /** undefined: the app does not exist. */
  readRepository(): RepositoryState | undefined;

  /** The repository to push to. Where the app does not exist yet: an empty one, whose repositoryId is kept for the commit. */
  openForPush(): Promise<RepositoryState>;

  /** Idempotent. The settings count only where the repository is created. */
  createRepository(settings: RepositorySettings): Promise<{ kind: "created" | "exists"; state: RepositoryState }>;

  findBuild(buildKey: string): KnownBuild | undefined;

  rehearse(candidate: Candidate): Promise<RehearsalOutcome>;

  commit(push: PushCommit): Promise<CommitOutcome>;

  /** Makes the deploy that `commit` recorded the one that answers. */
  cutOver(deployNumber: number): Promise<CutoverOutcome>;

  /** undefined: the app does not exist. */
  describe(): AppDescription | undefined;

  /** Newest first; before: a deploy's number. */
  listDeploys(page: { limit: number; before?: number | undefined }): readonly Deploy[];

  /** undefined: the app does not exist. */
  changeSettings(settings: RepositorySettings): RepositoryState | undefined;

  /** Data, packs and name; once it returns all are gone. Also of an app that does not exist. */
  destroy(): Promise<void>;
}
