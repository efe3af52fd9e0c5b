// What git's receive-pack refuses of a push, ref by ref, before anything is committed (builtin/receive-pack.c, update). A reason
// begins with git's own words, which clients and their scripts know. The supervisor's compare-and-swap decides in the end;
// refusing early spares a build that is in vain.
import { canAllReach } from "../git/commit-reach.ts";
import { ZERO_ID, objectIdToBytes, type ObjectId } from "../git/object-id.ts";
import { readTag } from "../git/object.ts";
import { parseRefName } from "../git/ref-name.ts";
import type { UpdateCommand } from "../git/update-request.ts";
import type { ErrorCode } from "../errors.ts";
import { isProtectedBranch } from "../store/head.ts";
import { findObject, openObjectDatabase, readPlace, type ObjectDatabase } from "../store/object-database.ts";
import type { PackRow, RepositoryState } from "../store/repository-state.ts";
import { openObjectGraph } from "./open-object-graph.ts";
import type { Repository } from "./repository.ts";

/** Why a ref is refused: one line, without the code. */
export interface RefRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** What the new ids of a push turned out to be. */
export interface CheckedTips {
  /** By ref name. */
  readonly refusals: ReadonlyMap<string, RefRefusal>;
  /** What annotated tags name in the end, by ref name. */
  readonly peeledIds: ReadonlyMap<string, ObjectId>;
}

/** A tag may name a tag, and so on; git peels without a bound. */
const MAX_TAG_DEPTH = 100;

/** The commands that cannot be carried out, whatever objects were sent. By ref name. */
export function checkCommands(
  state: RepositoryState,
  commands: readonly UpdateCommand[],
): ReadonlyMap<string, RefRefusal> {
  const current = new Map<string, ObjectId>(state.refs.map(({ name, id }) => [name, id]));
  const seen = new Set<string>();
  const refusals = new Map<string, RefRefusal>();
  for (const command of commands) {
    const refusal = seen.has(command.name)
      ? refuse("ref-refused", "failed to update ref: the push names it more than once")
      : checkCommand(command, current.get(command.name) ?? ZERO_ID, state);
    if (refusal !== undefined) refusals.set(command.name, refusal);
    seen.add(command.name);
  }
  return refusals;
}

function checkCommand(command: UpdateCommand, currentId: ObjectId, state: RepositoryState): RefRefusal | undefined {
  const { name, oldId, newId } = command;
  const isDeletion = newId === ZERO_ID;
  // One level below refs/ is for what git keeps there itself, such as refs/stash: it can be deleted only.
  const isDeepEnough = isDeletion || name.indexOf("/", "refs/".length) > 0;
  if (parseRefName(name) === undefined || !isDeepEnough) {
    return refuse(
      "ref-invalid",
      "funny refname: it must begin with refs/, have two levels below, and be as check-ref-format wants it",
    );
  }
  if (isDeletion && isProtectedBranch(state, name)) {
    return refuse("branch-protected", "deletion of the current branch prohibited");
  }
  if (oldId === currentId) return undefined;
  return refuse("ref-stale", "failed to update ref: it has moved since this push began; fetch, then push again");
}

/**
 * The branches that would lose commits, where the owner does not allow that (receive.denyNonFastForwards). Their new ids are known
 * to be commits. By ref name.
 */
export async function checkForwards(
  repository: Repository,
  commands: readonly UpdateCommand[],
  newPack: PackRow | undefined,
): Promise<ReadonlyMap<string, RefRefusal>> {
  const { state, store } = repository;
  const moves = commands.filter(
    ({ name, oldId, newId }) =>
      name.startsWith("refs/heads/") && oldId !== ZERO_ID && newId !== ZERO_ID && oldId !== newId,
  );
  if (!state.settings.denyNonFastForwards || moves.length === 0) return new Map();
  const packs = newPack === undefined ? state.packs : [...state.packs, newPack];
  const { graph } = await openObjectGraph({ store, state: { ...state, packs } });
  const numberOf = (id: ObjectId): number => graph.objects.find(objectIdToBytes(id));
  const isForward = ({ oldId, newId }: UpdateCommand): boolean => {
    const oldNumber = numberOf(oldId);
    return canAllReach(graph, [numberOf(newId)], { has: (commit) => commit === oldNumber, oldestS: 0 });
  };
  const refusal = refuse("ref-refused", "non-fast-forward: this repository takes only what builds on the branch");
  return new Map(moves.filter((move) => !isForward(move)).map(({ name }) => [name, refusal]));
}

/** Whether each new id is stored, and is a commit where git wants one; and what tags name in the end. */
export async function checkTips(
  repository: Repository,
  commands: readonly UpdateCommand[],
  newPack: PackRow | undefined,
): Promise<CheckedTips> {
  const { store, state } = repository;
  const odb = openObjectDatabase(store, newPack === undefined ? state.packs : [...state.packs, newPack]);
  const refusals = new Map<string, RefRefusal>();
  const peeledIds = new Map<string, ObjectId>();
  for (const { name, newId } of commands) {
    if (newId === ZERO_ID) continue;
    const tip = await peel(odb, newId);
    if (tip === undefined)
      refusals.set(
        name,
        refuse("object-missing", `missing necessary objects: ${newId} was not sent and is not stored`),
      );
    else if (name.startsWith("refs/heads/") && (tip.kind !== "commit" || tip.id !== newId)) {
      refusals.set(name, refuse("ref-invalid", "failed to update ref: a branch can only name a commit"));
    } else if (tip.id !== newId) peeledIds.set(name, tip.id);
  }
  return { refusals, peeledIds };
}

/** What an id names in the end: itself, unless it is a tag. Kinds come from the edge file; only tags are read. */
async function peel(odb: ObjectDatabase, id: ObjectId): Promise<{ id: ObjectId; kind: string } | undefined> {
  let peeledId = id;
  for (let depth = 0; depth < MAX_TAG_DEPTH; depth += 1) {
    const place = await findObject(odb, peeledId);
    if (place === undefined) return undefined;
    const kind = (await place.pack.edges()).kindAt(place.n);
    if (kind !== "tag") return { id: peeledId, kind };
    peeledId = readTag((await readPlace(place)).bytes).targetId;
  }
  return undefined;
}

function refuse(code: ErrorCode, reason: string): RefRefusal {
  return { code, reason };
}
