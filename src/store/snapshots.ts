// The catalogue of snapshots: copies of production's data. A row is written when its copy is whole, and goes before the copy does.
import { findFirst, type Database } from "./database.ts";
import type { ObjectId } from "../git/object-id.ts";

/** One kept copy of the data. */
export interface Snapshot {
  readonly id: number;
  /** The deploy that ran on the data. */
  readonly ofDeploy: number;
  /** The deploy that it was made for, just before that one's code started; undefined: made by hand. */
  readonly beforeDeploy: number | undefined;
  /** For people: "deploy 12", "manual", "safety before restore". */
  readonly reason: string;
  readonly takenAtMs: number;
  /** undefined: nobody has asked yet. */
  readonly sizeBytes: number | undefined;
}

interface SnapshotColumns extends Record<string, SqlStorageValue> {
  readonly id: number;
  readonly of_deploy: number;
  readonly before_deploy: number | null;
  readonly reason: string;
  readonly taken_at_ms: number;
  readonly size_bytes: number | null;
}

/** The id of the next snapshot. Until its row is written it stays the next one, so that a copy cut short by a crash is overwritten. */
export function nextSnapshotId(db: Database): number {
  const query = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'snapshots'), 0) + 1 AS id";
  return db.sql.exec<{ id: number }>(query).one().id;
}

export function addSnapshot(db: Database, snapshot: Omit<Snapshot, "sizeBytes">): void {
  db.sql.exec(
    "INSERT INTO snapshots (id, of_deploy, before_deploy, reason, taken_at_ms) VALUES (?, ?, ?, ?, ?)",
    snapshot.id,
    snapshot.ofDeploy,
    snapshot.beforeDeploy ?? null,
    snapshot.reason,
    snapshot.takenAtMs,
  );
}

/** Newest first. */
export function listSnapshots(db: Database): Snapshot[] {
  return [...db.sql.exec<SnapshotColumns>("SELECT * FROM snapshots ORDER BY id DESC")].map(readSnapshot);
}

export function findSnapshot(db: Database, id: number): Snapshot | undefined {
  return findOne(db, "id = ?", id);
}

/** The data as it was just before the deploy's code started. */
export function findSnapshotBefore(db: Database, deployNumber: number): Snapshot | undefined {
  return findOne(db, "before_deploy = ?", deployNumber);
}

/** The data as it was when the deploy was last live: from just before the deploy that replaced it. */
export function findSnapshotOfDeploy(db: Database, deployNumber: number): Snapshot | undefined {
  return findOne(db, "of_deploy = ? AND before_deploy IS NOT NULL", deployNumber);
}

/** The same for the latest deploy of a commit that has one. */
export function findSnapshotOfCommit(db: Database, commitId: ObjectId): Snapshot | undefined {
  const ofCommit = "of_deploy IN (SELECT number FROM deploys WHERE commit_id = ?)";
  return findOne(db, `${ofCommit} AND before_deploy IS NOT NULL`, commitId);
}

function findOne(db: Database, condition: string, value: SqlStorageValue): Snapshot | undefined {
  const query = `SELECT * FROM snapshots WHERE ${condition} ORDER BY id DESC LIMIT 1`;
  const row = findFirst(db.sql.exec<SnapshotColumns>(query, value));
  return row === undefined ? undefined : readSnapshot(row);
}

export function removeSnapshot(db: Database, id: number): void {
  db.sql.exec("DELETE FROM snapshots WHERE id = ?", id);
}

export function noteSnapshotSize(db: Database, id: number, sizeBytes: number): void {
  db.sql.exec("UPDATE snapshots SET size_bytes = ? WHERE id = ?", sizeBytes, id);
}

/** Snapshots that something under way still needs: a deploy that has not started, and the undoing of one. */
export function listNeededSnapshots(db: Database): Set<number> {
  const query = `SELECT restores_snapshot AS id FROM deploys WHERE state = 'committed' AND restores_snapshot IS NOT NULL
    UNION SELECT undo_snapshot FROM live WHERE undo_snapshot IS NOT NULL
    UNION SELECT id FROM snapshots WHERE before_deploy IN (SELECT number FROM deploys WHERE state = 'committed')`;
  return new Set([...db.sql.exec<{ id: number }>(query)].map(({ id }) => id));
}

function readSnapshot(row: SnapshotColumns): Snapshot {
  return {
    id: row.id,
    ofDeploy: row.of_deploy,
    beforeDeploy: row.before_deploy ?? undefined,
    reason: row.reason,
    takenAtMs: row.taken_at_ms,
    sizeBytes: row.size_bytes ?? undefined,
  };
}
