// The environments beside production: the previews of branches, and old deploys on show, which have no branch. A row says that a facet
// may have data, from before it has any until after it is gone, so that none is ever left behind.
import { createHash } from "node:crypto";
import { findFirst, type Database } from "./database.ts";

/**
 * alive: what the live pointer names answers. expired: nothing is live and there is no data; the branch is still there. removing:
 * nothing is live, the data is being taken away, and the row goes with it. expiring: the same, and the row stays as expired.
 */
export type EnvironmentState = "alive" | "expiring" | "expired" | "removing";

/**
 * What the next start finds: a copy of production's data, none, what is there, or what was there before a start that failed. undefined:
 * no deploy waits for its first start.
 */
export type PendingData = "fork" | "empty" | "keep" | "restore";

/** One environment. */
export interface Environment {
  readonly facet: string;
  /** Without refs/heads/. undefined: a deploy on show. */
  readonly branch: string | undefined;
  readonly state: EnvironmentState;
  readonly createdAtMs: number;
  /** The last request, to a few minutes, or the last push. */
  readonly usedAtMs: number;
  readonly pendingData: PendingData | undefined;
  /**
   * Whether what pendingData replaces is to be kept until the start succeeded, and whether that was done. Without pendingData: what was
   * replaced is kept until the deploy cannot go back with its atomic push any more.
   */
  readonly backup: "wanted" | "made" | undefined;
}

interface EnvironmentColumns extends Record<string, SqlStorageValue> {
  readonly facet: string;
  readonly branch: string | null;
  readonly state: EnvironmentState;
  readonly created_at_ms: number;
  readonly used_at_ms: number;
  readonly pending_data: PendingData | null;
  readonly backup: "wanted" | "made" | null;
}

export function findEnvironment(db: Database, facet: string): Environment | undefined {
  const row = findFirst(db.sql.exec<EnvironmentColumns>("SELECT * FROM environments WHERE facet = ?", facet));
  return row && readEnvironment(row);
}

/** The preview of a branch, whatever its state. */
export function findPreview(db: Database, branch: string): Environment | undefined {
  const row = findFirst(db.sql.exec<EnvironmentColumns>("SELECT * FROM environments WHERE branch = ?", branch));
  return row && readEnvironment(row);
}

/** Every environment, those used last first. */
export function listEnvironments(db: Database): Environment[] {
  const query = "SELECT * FROM environments ORDER BY used_at_ms DESC, facet";
  return [...db.sql.exec<EnvironmentColumns>(query)].map(readEnvironment);
}

function readEnvironment(row: EnvironmentColumns): Environment {
  return {
    facet: row.facet,
    branch: row.branch ?? undefined,
    state: row.state,
    createdAtMs: row.created_at_ms,
    usedAtMs: row.used_at_ms,
    pendingData: row.pending_data ?? undefined,
    backup: row.backup ?? undefined,
  };
}

/** Makes the environment, or gives it another life. Its first start finds `pendingData`. */
export function openEnvironment(
  db: Database,
  { facet, branch, pendingData }: Pick<Environment, "facet" | "branch"> & { readonly pendingData: PendingData },
  nowMs: number,
): void {
  db.sql.exec(
    `INSERT OR REPLACE INTO environments (facet, branch, state, created_at_ms, used_at_ms, pending_data)
     VALUES (?, ?, 'alive', ?, ?, ?)`,
    facet,
    branch ?? null,
    nowMs,
    nowMs,
    pendingData,
  );
}

/**
 * Says what the next start finds; what is there now is kept until that start succeeded. Where a start waits already, its backup stays,
 * and "keep" means what that one was to find.
 */
export function replaceData(db: Database, facet: string, pendingData: PendingData): void {
  db.sql.exec(
    `UPDATE environments SET backup = CASE WHEN pending_data IS NULL THEN 'wanted' ELSE backup END,
       pending_data = CASE WHEN ? = 'keep' THEN coalesce(pending_data, 'keep') ELSE ? END WHERE facet = ?`,
    pendingData,
    pendingData,
    facet,
  );
}

/** The same, of an environment whose backup is as it is to be. */
export function setPending(db: Database, facet: string, pendingData: PendingData): void {
  db.sql.exec("UPDATE environments SET pending_data = ? WHERE facet = ?", pendingData, facet);
}

export function setBackupMade(db: Database, facet: string): void {
  db.sql.exec("UPDATE environments SET backup = 'made' WHERE facet = ?", facet);
}

/** The data is as it was to be, and what it replaced is kept for a while. */
export function keepBackup(db: Database, facet: string): void {
  db.sql.exec("UPDATE environments SET pending_data = NULL WHERE facet = ?", facet);
}

/** The data is as it was to be. */
export function clearPending(db: Database, facet: string): void {
  db.sql.exec("UPDATE environments SET pending_data = NULL, backup = NULL WHERE facet = ?", facet);
}

export function setState(db: Database, facet: string, state: EnvironmentState): void {
  db.sql.exec("UPDATE environments SET state = ? WHERE facet = ?", state, facet);
}

/** Notes a use. Never an earlier one than is known. */
export function setUsed(db: Database, facet: string, usedAtMs: number): void {
  db.sql.exec("UPDATE environments SET used_at_ms = max(used_at_ms, ?) WHERE facet = ?", usedAtMs, facet);
}

export function removeEnvironment(db: Database, facet: string): void {
  db.sql.exec("DELETE FROM environments WHERE facet = ?", facet);
}

/** What a branch is called in a host name if nothing stands against it: "feature/X" is "feature-x". May be empty. */
function plainSlug(branch: string): string {
  return branch
    .normalize("NFKD")
    .replaceAll(/\p{Mark}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}

const HASH_DIGITS = 6;

/**
 * The slug of a branch: as it would be called, or with digits of its hash behind it where that is too long, taken, no name at all,
 * the name of a deploy ("v12") or the beginning of an internationalised host name ("xn--").
 */
export function chooseSlug(
  branch: string,
  { maxLength, isTaken }: { readonly maxLength: number; readonly isTaken: (slug: string) => boolean },
): string {
  const plain = plainSlug(branch);
  const isReserved = plain === "" || plain === "xn" || /^v[0-9]+$/.test(plain);
  if (!isReserved && plain.length <= maxLength && !isTaken(plain)) return plain;
  const digest = createHash("sha256").update(branch).digest("hex");
  for (let digits = HASH_DIGITS; ; digits += 1) {
    const stem = plain.slice(0, maxLength - digits - 1).replace(/-$/, "");
    const slug = `${stem === "" ? "branch" : stem}-${digest.slice(0, digits)}`;
    // Two branches of one stem and one hash: the first has six digits, the second seven.
    if (!isTaken(slug)) return slug;
  }
}
