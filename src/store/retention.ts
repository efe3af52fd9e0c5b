// How much of an app's past is kept: set by its owner, in the repository's row.
import { findFirst, type Database } from "./database.ts";

/** Limits on what is kept. All of them whole numbers. */
export interface Retention {
  /** How many attempts to deploy are kept, 1 at least. What something needs is kept beside them. */
  readonly keptDeploys: number;
  /** How many of the snapshots that deploys made are kept, 1 at least. */
  readonly keptSnapshots: number;
  /** What they may come to together. The newest is kept whatever its size. */
  readonly keptSnapshotBytes: number;
  /** Data that is larger is not copied for a rehearsal. */
  readonly rehearsedBytes: number;
}

const COLUMNS = {
  keptDeploys: "kept_deploys",
  keptSnapshots: "kept_snapshots",
  keptSnapshotBytes: "kept_snapshot_bytes",
  rehearsedBytes: "rehearsed_bytes",
} as const satisfies Record<keyof Retention, string>;

const SELECTED = Object.entries(COLUMNS).map(([name, column]) => `${column} AS ${name}`);

/** Throws where there is no repository. */
export function getRetention(db: Database): Retention {
  const row = findFirst(
    db.sql.exec<{ [Key in keyof Retention]: number }>(`SELECT ${SELECTED.join(", ")} FROM repository`),
  );
  if (row === undefined) throw new Error("There is no repository here.");
  return row;
}

/** What is not given stays as it is. */
export function writeRetention(db: Database, retention: Partial<Retention>): void {
  const names = Object.keys(COLUMNS).filter((name): name is keyof Retention => name in COLUMNS);
  const assignments = names.map((name) => `${COLUMNS[name]} = coalesce(?, ${COLUMNS[name]})`);
  db.sql.exec(`UPDATE repository SET ${assignments.join(", ")}`, ...names.map((name) => retention[name] ?? null));
}
