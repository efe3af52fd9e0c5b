// Refs and their log. A ref moves only by compare-and-swap, inside the caller's transaction. The rules on names beside each other
// are those of git's refs.c (refs_verify_refname_available): refs/heads/a and refs/heads/a/b cannot both be.
import type { ErrorCode } from "../errors.ts";
import { ZERO_ID, type ObjectId } from "../git/object-id.ts";
import type { RefName } from "../git/ref-name.ts";
import { findFirst, type Database } from "./database.ts";
import type { RefRow } from "./repository-state.ts";

/** One command of a push. ZERO_ID as the old id creates, as the new id deletes. */
export interface RefCommand {
  readonly name: RefName;
  readonly oldId: ObjectId;
  readonly newId: ObjectId;
  /** What an annotated tag names in the end. */
  readonly peeledId?: ObjectId | undefined;
}

/** A command that was not carried out. `reason` is one line for the pusher, git's own words first. */
export interface RefRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** What became of a command. */
export type RefResult =
  | { readonly name: RefName; readonly kind: "ok" }
  | ({ readonly name: RefName; readonly kind: "refused" } & RefRefusal);

interface RefColumns extends Record<string, SqlStorageValue> {
  readonly name: RefName;
  readonly id: ObjectId;
  readonly peeled_id: ObjectId | null;
}

/** Every ref, by name in byte order, as git lists them. */
export function listRefs(db: Database): RefRow[] {
  const refs: RefRow[] = [];
  for (const row of db.sql.exec<RefColumns>("SELECT name, id, peeled_id FROM refs ORDER BY name")) {
    const { name, id } = row;
    refs.push(row.peeled_id === null ? { name, id } : { name, id, peeledId: row.peeled_id });
  }
  return refs;
}

/** Where a ref is, or undefined if there is none. */
export function findRef(db: Database, name: string): ObjectId | undefined {
  return findFirst(db.sql.exec<{ id: ObjectId }>("SELECT id FROM refs WHERE name = ?", name))?.id;
}

export function countRefs(db: Database): number {
  return findFirst(db.sql.exec<{ count: number }>("SELECT count(*) AS count FROM refs"))?.count ?? 0;
}

/** Whether the command takes its ref away. */
export function isDeletion(command: RefCommand): boolean {
  return command.newId === ZERO_ID;
}

/** Carries one command out and logs it, or says why not and changes nothing. */
export function updateRef(db: Database, command: RefCommand, nowMs: number): RefRefusal | undefined {
  const { name, oldId, newId } = command;
  const currentId = findRef(db, name) ?? ZERO_ID;
  if (currentId !== oldId) return { code: "ref-stale", reason: staleReason(currentId, oldId) };
  if (newId === ZERO_ID) {
    db.sql.exec("DELETE FROM refs WHERE name = ?", name);
  } else {
    const neighbour = oldId === ZERO_ID ? findConflictingRef(db, name) : undefined;
    if (neighbour !== undefined) {
      return {
        code: "ref-conflict",
        reason: `failed to update ref: it cannot be beside ${neighbour}, because one name is a folder of the other`,
      };
    }
    db.sql.exec(
      "INSERT OR REPLACE INTO refs (name, id, peeled_id) VALUES (?, ?, ?)",
      name,
      newId,
      command.peeledId ?? null,
    );
  }
  if (oldId !== newId) writeReflog(db, command, nowMs);
  return undefined;
}

function writeReflog(db: Database, { name, oldId, newId }: RefCommand, nowMs: number): void {
  db.sql.exec(
    "INSERT INTO reflog (name, old_id, new_id, at_ms) VALUES (?, ?, ?, ?)",
    name,
    oldId === ZERO_ID ? null : oldId,
    newId === ZERO_ID ? null : newId,
    nowMs,
  );
}

/** A ref that is a folder of `name`, or has `name` as a folder. Index look-ups only: there may be refs by the ten thousand. */
function findConflictingRef(db: Database, name: RefName): string | undefined {
  // "0" is the character after "/".
  const child = findFirst(
    db.sql.exec<{ name: string }>("SELECT name FROM refs WHERE name > ? AND name < ? LIMIT 1", `${name}/`, `${name}0`),
  );
  if (child !== undefined) return child.name;
  for (let slash = name.lastIndexOf("/"); slash > "refs".length; slash = name.lastIndexOf("/", slash - 1)) {
    const parent = name.slice(0, slash);
    if (findFirst(db.sql.exec("SELECT 1 AS found FROM refs WHERE name = ?", parent)) !== undefined) return parent;
  }
  return undefined;
}

function staleReason(currentId: ObjectId, expectedId: ObjectId): string {
  const places = `it is ${place(currentId)}, but this push expected it ${place(expectedId)}`;
  return `failed to update ref: ${places}; fetch, then push again`;
}

function place(id: ObjectId): string {
  return id === ZERO_ID ? "not there" : `at ${id.slice(0, 7)}`;
}
