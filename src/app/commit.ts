// The commit of a push: the one transaction that makes it visible. Refs by compare-and-swap, their log, the pack's row, the production
// branch, the deploy and the live pointer move together or not at all.
import type { NewBuild } from "../store/builds.ts";
import type { Deploy } from "../store/deploys.ts";
import { addPack, hasPacks, sumPackBytes } from "../store/packs.ts";
import { packKeys } from "../store/pack-store.ts";
import { findDefaultBranch, isDefaultBranch, isProtectedBranch } from "../store/head.ts";
import {
  findRef,
  isDeletion,
  listRefs,
  updateRef,
  type RefCommand,
  type RefRefusal,
  type RefResult,
} from "../store/refs.ts";
import type { PackRow, RepositoryState } from "../store/repository-state.ts";
import { isMigrated } from "../store/schema.ts";
import { findRepository, markCreated, writeHead, type Repository } from "../store/settings.ts";
import { recordAtomicPush } from "./atomic-pushes.ts";
import { scheduleCompaction } from "./compaction.ts";
import { checkDeploy, type PreparedDeploy } from "./deploy-check.ts";
import { recordDeploy } from "./deploy-record.ts";
import { findPreview, listEnvironments } from "../store/previews.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { readLive, runtimeOf, type HostedApp } from "./hosted-app.ts";
import { branchOf, endPreview, endUnused, facetOfBranch, recordPreview, type PreviewDeploy } from "./preview-commit.ts";
import { takeAway } from "./preview-removal.ts";
import { scheduleReport } from "./metrics-report.ts";
import { quotasOf } from "./quotas.ts";
import { listRegistration } from "./registration.ts";
import { MAX_PACK_AGE_MS } from "./upkeep-limits.ts";

/** A push with everything it needs stored already: pack in R2, code in rows. */
export interface PushCommit {
  /** As openForPush said. A push that began before the app was deleted is refused by it. */
  readonly repositoryId: string;
  readonly commands: readonly RefCommand[];
  /** Whether one refusal refuses all. */
  readonly atomic: boolean;
  readonly pack?: PackRow | undefined;
  /** The catalogue against which it was checked that nothing is missing. */
  readonly checkedPackIds: readonly string[];
  readonly deploy?: PreparedDeploy | undefined;
  /** What the deploy's code was built from, where it was built rather than found. */
  readonly build?: NewBuild | undefined;
  /** What other branches deploy. */
  readonly previews?: readonly PreviewDeploy[] | undefined;
  readonly nowMs: number;
}

/** What became of a push. */
export interface CommitOutcome {
  /** In the order of the commands. */
  readonly results: readonly RefResult[];
  /** The deploy, if the push asked for one and its ref moved. */
  readonly deploy?: Deploy;
  /** Those of previews, likewise. */
  readonly previews: readonly Deploy[];
  /** Branches whose previews expired, because there were too many. */
  readonly expired: readonly string[];
  /** Branches that are gone, with their previews; those of an atomic push that deploys end once all of it is live. */
  readonly ended: readonly string[];
  /** The production branch, now. */
  readonly head: RepositoryState["head"];
  /** Whether the push made the app. */
  readonly isNewApp: boolean;
  /** A compaction replaced packs that the push was checked against: all is refused, and may be checked and committed again. */
  readonly mustCheckAgain?: boolean;
}

/** What has nothing to do with previews. */
const NO_PREVIEWS = { previews: [], expired: [], ended: [] } as const;

/** Undoes the transaction of an atomic push. */
class AtomicRefusal extends Error {
  readonly results: readonly RefResult[];

  constructor(results: readonly RefResult[]) {
    super("A ref of an atomic push was refused.");
    this.results = results;
  }
}

/** Commits a push. Synchronous from its first read to its last write: nothing comes in between. */
export function commit(app: HostedApp, push: PushCommit): CommitOutcome {
  const repository = isMigrated(app.db) ? findRepository(app.db) : undefined;
  if (repository === undefined || repository.isDeleting || repository.repositoryId !== push.repositoryId) {
    const reason = "failed to update ref: the app was deleted while this push was under way; push again";
    // Nobody sweeps below a repository that is gone.
    if (push.pack !== undefined) app.ctx.waitUntil(app.env.BUCKET.delete(packKeys(push, push.pack.packId)));
    return { results: refuse(push, reason), head: undefined, isNewApp: false, ...NO_PREVIEWS };
  }
  if (push.pack !== undefined && push.pack.createdAtMs < push.nowMs - MAX_PACK_AGE_MS) {
    const reason = "failed to update ref: this push took too long; push again";
    return { results: refuse(push, reason), head: repository.head, isNewApp: false, ...NO_PREVIEWS };
  }
  const usedBytes = sumPackBytes(app.db) + (push.pack?.packBytes ?? 0);
  const { repositoryBytes } = quotasOf(app);
  if (push.pack !== undefined && usedBytes > repositoryBytes) {
    const reason = `the repository would have ${usedBytes} bytes of the ${repositoryBytes} that it may have`;
    const results = push.commands.map(
      ({ name }) => ({ name, kind: "refused", code: "quota-exceeded", reason }) as const,
    );
    return { results, head: repository.head, isNewApp: false, ...NO_PREVIEWS };
  }
  if (!push.commands.every(isDeletion) && !hasPacks(app.db, push.checkedPackIds)) {
    const reason = "failed to update ref: the repository was compacted while this push was under way; push again";
    return {
      results: refuse(push, reason),
      head: repository.head,
      isNewApp: false,
      ...NO_PREVIEWS,
      mustCheckAgain: true,
    };
  }
  try {
    const outcome = app.db.transaction(() => write(app, push, repository));
    readLive(app, app.production);
    for (const { facet } of outcome.previews) readLive(app, runtimeOf(app, facet));
    for (const { facet } of listEnvironments(app.db)) app.ctx.waitUntil(takeAway(app, facet));
    scheduleCompaction(app);
    scheduleReport(app);
    return outcome;
  } catch (error) {
    if (!(error instanceof AtomicRefusal)) throw error;
    return { results: error.results, head: repository.head, isNewApp: false, ...NO_PREVIEWS };
  }
}

/** Every ref, for what has nothing to do with any of them. */
function refuse(push: PushCommit, reason: string): RefResult[] {
  return push.commands.map(({ name }) => ({ name, kind: "refused", code: "ref-stale", reason }));
}

/** Whether one deploy that does not start undoes all of the push: see atomic-pushes.ts. */
function goesBackWhole({ atomic, commands, deploy, previews = [] }: PushCommit): boolean {
  return atomic && commands.length > 1 && (deploy !== undefined || previews.length > 0);
}

function write(app: HostedApp, push: PushCommit, repository: Repository): CommitOutcome {
  const refsBefore = goesBackWhole(push) ? listRefs(app.db) : [];
  const results = updateRefs(app, push, repository);
  const hasMoved = results.some((result) => result.kind === "ok");
  if (push.atomic && results.some((result) => result.kind === "refused")) throw new AtomicRefusal(refuseAll(results));
  // Previews are of an app that has a production branch, which none of theirs may become for want of it.
  const production = results.find(({ name }) => name === push.deploy?.ref);
  if (repository.head === undefined && production?.kind === "refused" && push.previews !== undefined) {
    throw new AtomicRefusal(refuseAll(results));
  }
  if (!hasMoved) return { results, head: repository.head, isNewApp: false, ...NO_PREVIEWS };

  if (push.pack !== undefined) addPack(app.db, push.pack);
  const isNewApp = repository.createdAtMs === undefined;
  if (isNewApp) {
    markCreated(app.db, push.nowMs);
    listRegistration(app, push.nowMs);
  }
  const head = chooseHead(app, push, { repository, results });
  if (head !== repository.head) writeHead(app.db, head);
  const deploy = recordProduction(app, push, results);
  const previews = recordPreviews(app, push, { results, head });
  if (goesBackWhole(push)) {
    recordAtomicPush(app, push.commands, { deploys: [...(deploy ? [deploy] : []), ...previews.previews], refsBefore });
  }
  return { results, head, isNewApp, ...previews, ...(deploy && { deploy }) };
}

/** Deletions come first, so that refs/heads/a may make way for refs/heads/a/b in one push. */
function updateRefs(app: HostedApp, push: PushCommit, repository: Repository): RefResult[] {
  const refusals = new Map<RefCommand, RefRefusal | undefined>();
  const inOrder = [...push.commands.filter(isDeletion), ...push.commands.filter((command) => !isDeletion(command))];
  for (const command of inOrder) {
    const refusal = checkPrepared(app, push, command);
    refusals.set(
      command,
      refusal ?? checkBranch(app, push, { command, repository }) ?? updateRef(app.db, command, push.nowMs),
    );
  }
  return push.commands.map((command) => {
    const refusal = refusals.get(command);
    if (refusal === undefined) return { name: command.name, kind: "ok" };
    return { name: command.name, kind: "refused", ...refusal };
  });
}

function checkPrepared(app: HostedApp, push: PushCommit, { name }: RefCommand): RefRefusal | undefined {
  if (name === push.deploy?.ref) return checkDeploy(app, PRODUCTION_FACET, push.deploy);
  const preview = push.previews?.find(({ deploy }) => deploy.ref === name);
  return preview && checkDeploy(app, facetOfBranch(app, branchOf(name) ?? ""), preview.deploy);
}

/** What only the production branch, or only others, may and may not. */
function checkBranch(
  app: HostedApp,
  push: PushCommit,
  { command, repository }: { readonly command: RefCommand; readonly repository: Repository },
): RefRefusal | undefined {
  const { head } = repository;
  if (head === undefined) return undefined;
  const isPreviewed = push.previews?.some(({ deploy }) => deploy.ref === command.name) === true;
  if (isPreviewed && command.name === head) {
    const reason = `${head} has become the production branch meanwhile: push again to deploy it as that`;
    return { code: "branch-not-deployed", reason };
  }
  if (!isPreviewed && !isDeletion(command) && command.name !== head && repository.settings.deploy) {
    const preview = findPreview(app.db, branchOf(command.name) ?? "");
    if (preview?.state === "alive") {
      const reason =
        "its preview would not run its commit any more: push it without -o store, or delete the preview first";
      return { code: "preview-exists", reason };
    }
  }
  if (isDeletion(command) && isProtectedBranch(repository, command.name)) {
    return { code: "branch-protected", reason: "deletion of the current branch prohibited" };
  }
  if (command.name === push.deploy?.ref && command.name !== head) {
    // Another first push was faster and made its own branch the production branch.
    return { code: "branch-not-deployed", reason: `${head} has become the production branch: push to it to deploy` };
  }
  return undefined;
}

/** What was right but for another ref is refused with it. */
function refuseAll(results: readonly RefResult[]): RefResult[] {
  const reason = "atomic push failure: another ref was refused";
  return results.map((result) =>
    result.kind === "refused" ? result : { name: result.name, kind: "refused", code: "ref-refused", reason },
  );
}

/** Where HEAD goes: see store/head.ts. */
function chooseHead(
  app: HostedApp,
  push: PushCommit,
  { repository, results }: { readonly repository: Repository; readonly results: readonly RefResult[] },
): RepositoryState["head"] {
  const { head, settings } = repository;
  if (settings.deploy) return head ?? chooseProductionBranch(push, results);
  if (head !== undefined && isDefaultBranch(head)) return head;
  const best = findDefaultBranch(app.db);
  if (best === undefined || isDefaultBranch(best)) return best;
  const isThere = head !== undefined && findRef(app.db, head) !== undefined;
  return isThere ? head : (chooseProductionBranch(push, results) ?? best);
}

/** The first branch that this push made; main or master, if it made several. */
function chooseProductionBranch(push: PushCommit, results: readonly RefResult[]): RepositoryState["head"] {
  const isOk = new Set(results.filter((result) => result.kind === "ok").map((result) => result.name));
  const branches = push.commands
    .filter((command) => isOk.has(command.name) && !isDeletion(command) && command.name.startsWith("refs/heads/"))
    .map((command) => command.name);
  const preferred = branches.find((name) => name === push.deploy?.ref) ?? branches.find(isDefaultBranch);
  return preferred ?? branches[0];
}

/** See preview-commit.ts. Branches that go make place first. */
function recordPreviews(
  app: HostedApp,
  push: PushCommit,
  { results, head }: { readonly results: readonly RefResult[]; readonly head: RepositoryState["head"] },
): Pick<CommitOutcome, "previews" | "expired" | "ended"> {
  const isMoved = new Set(results.filter(({ kind }) => kind === "ok").map(({ name }) => name));
  const moved = push.commands.filter(({ name }) => isMoved.has(name));
  const gone = moved.filter((command) => isDeletion(command) || command.name === head);
  const ended = gone.flatMap((command) => {
    // See settleAtomicPushes.
    const isLater = isDeletion(command) && goesBackWhole(push);
    const preview = isLater ? findPreview(app.db, branchOf(command.name) ?? "") : endPreview(app, command.name);
    return preview?.branch ?? [];
  });
  const previews = (push.previews ?? []).flatMap((preview) => {
    const command = moved.find(({ name }) => name === preview.deploy.ref);
    return command === undefined ? [] : [recordPreview(app, preview, { oldId: command.oldId, nowMs: push.nowMs })];
  });
  if (previews.length === 0) return { previews, expired: [], ended };
  const { maxPreviews } = findRepository(app.db)?.settings ?? { maxPreviews: 0 };
  const expired = endUnused(app, maxPreviews, new Set(previews.map(({ facet }) => facet)));
  return { previews, expired: expired.flatMap(({ branch }) => branch ?? []), ended };
}

function recordProduction(app: HostedApp, push: PushCommit, results: readonly RefResult[]): Deploy | undefined {
  const { deploy, build, nowMs } = push;
  if (deploy === undefined) return undefined;
  const command = push.commands.find(({ name }) => name === deploy.ref);
  const isMoved = results.some((result) => result.name === deploy.ref && result.kind === "ok");
  if (command === undefined || !isMoved) return undefined;
  return recordDeploy(app, { deploy, build }, { facet: PRODUCTION_FACET, refBefore: command.oldId, nowMs });
}
