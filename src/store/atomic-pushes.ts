// What an atomic push moved, for as long as it may have to go back whole: until each of its deploys has started or was superseded. Its deploys
// name it (deploys.atomic_push, the number of the first of them); the refs that it moved without deploying them are rows here.
import { ZERO_ID, type ObjectId } from "../git/object-id.ts";
import type { RefName } from "../git/ref-name.ts";
import { findFirst, type Database } from "./database.ts";
import { getDeploy, type Deploy } from "./deploys.ts";

/** A ref from where to where; ZERO_ID is nowhere. */
export interface MovedRef {
  readonly name: RefName;
  readonly oldId: ObjectId;
  readonly newId: ObjectId;
  /** What the annotated tag named in the end that was at the old ID. */
  readonly oldPeeledId: ObjectId | undefined;
}

interface MovedRefColumns extends Record<string, SqlStorageValue> {
  readonly name: RefName;
  readonly old_id: ObjectId | null;
  readonly new_id: ObjectId | null;
  readonly old_peeled_id: ObjectId | null;
}

/** Binds deploys, and refs that they do not move themselves, to each other. */
export function addAtomicPush(db: Database, deploys: readonly Deploy[], refs: readonly MovedRef[]): void {
  const push = Math.min(...deploys.map(({ number }) => number));
  for (const { number } of deploys) db.sql.exec("UPDATE deploys SET atomic_push = ? WHERE number = ?", push, number);
  for (const { name, oldId, newId, oldPeeledId } of refs) {
    db.sql.exec(
      "INSERT INTO atomic_refs (push, name, old_id, new_id, old_peeled_id) VALUES (?, ?, ?, ?, ?)",
      push,
      name,
      oldId === ZERO_ID ? null : oldId,
      newId === ZERO_ID ? null : newId,
      oldPeeledId ?? null,
    );
  }
}

/** The deploy and those that moved together with it. */
export function listDeploysOfPush(db: Database, deploy: Deploy): Deploy[] {
  if (deploy.atomicPush === undefined) return [deploy];
  const query = "SELECT number FROM deploys WHERE atomic_push = ? ORDER BY number";
  return [...db.sql.exec<{ number: number }>(query, deploy.atomicPush)].map(({ number }) => getDeploy(db, number));
}

export function listMovedRefs(db: Database, push: number): MovedRef[] {
  const rows = db.sql.exec<MovedRefColumns>("SELECT * FROM atomic_refs WHERE push = ? ORDER BY name", push);
  return [...rows].map(({ name, old_id: oldId, new_id: newId, old_peeled_id: oldPeeledId }) => {
    return { name, oldId: oldId ?? ZERO_ID, newId: newId ?? ZERO_ID, oldPeeledId: oldPeeledId ?? undefined };
  });
}

export function removeMovedRefs(db: Database, push: number): void {
  db.sql.exec("DELETE FROM atomic_refs WHERE push = ?", push);
}

/** An environment whose live deploy waits for its start, and is of an atomic push. */
export function findWaitingFacet(db: Database): string | undefined {
  const query = `SELECT live.facet FROM live JOIN deploys ON deploys.number = live.deploy_number
    WHERE deploys.state = 'committed' AND deploys.atomic_push IS NOT NULL LIMIT 1`;
  return findFirst(db.sql.exec<{ facet: string }>(query))?.facet;
}

/** Whether the environment's live deploy may still have to go back with another of its atomic push. */
export function mayGoBack(db: Database, facet: string): boolean {
  const query = `SELECT 1 AS found FROM live JOIN deploys AS own ON own.number = live.deploy_number
    JOIN deploys AS other ON other.atomic_push = own.atomic_push AND other.number <> own.number
    WHERE live.facet = ? AND other.state = 'committed' LIMIT 1`;
  return findFirst(db.sql.exec(query, facet)) !== undefined;
}

/** A push of which refs are kept although no deploy of it waits for its start any more. */
export function findSettledPush(db: Database): number | undefined {
  const query = `SELECT push FROM atomic_refs
    WHERE push NOT IN (SELECT atomic_push FROM deploys WHERE atomic_push IS NOT NULL AND state = 'committed') LIMIT 1`;
  return findFirst(db.sql.exec<{ push: number }>(query))?.push;
}
