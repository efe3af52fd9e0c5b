// What git's receive-pack refuses of a push, ref by ref, before anything is committed (builtin/receive-pack.c, update and
// check_aliased_updates). The supervisor's compare-and-swap decides in the end; refusing early spares a build that is in vain.
import { ZERO_ID, type ObjectId } from "../git/object-id.ts";
import { readTag } from "../git/object.ts";
import { parseRefName } from "../git/ref-name.ts";
import type { UpdateCommand } from "../git/update-request.ts";
import type { ErrorCode } from "../errors.ts";
import { findObject, openObjectDatabase, readPlace, type ObjectDatabase } from "../store/object-database.ts";
import type { PackRow, RepositoryState } from "../store/repository-state.ts";
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
      ? refuse("ref-refused", "the push names this ref more than once")
      : checkCommand(command, current.get(command.name) ?? ZERO_ID, state.head);
    if (refusal !== undefined) refusals.set(command.name, refusal);
    seen.add(command.name);
  }
  return refusals;
}

function checkCommand(command: UpdateCommand, currentId: ObjectId, head: string | undefined): RefRefusal | undefined {
  const { name, oldId, newId } = command;
  if (parseRefName(name) === undefined) return refuse("ref-invalid", "this is not a name that a ref may have");
  if (newId === ZERO_ID && name === head) {
    return refuse("branch-protected", "this is the production branch, which cannot be deleted");
  }
  if (oldId === currentId) return undefined;
  return refuse("ref-stale", "the ref has moved since this push began: fetch, then push again");
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
      refusals.set(name, refuse("object-missing", `the object ${newId} was not sent and is not stored`));
    else if (name.startsWith("refs/heads/") && (tip.kind !== "commit" || tip.id !== newId)) {
      refusals.set(name, refuse("ref-invalid", "a branch can only name a commit"));
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
