// The history of deploys, and the live pointer: which of them each facet runs.
import { ZERO_ID, type ObjectId } from "../git/object-id.ts";
import type { RefName } from "../git/ref-name.ts";
import { findFirst, type Database } from "./database.ts";

/** A deploy that a push asks for. Its code must be stored already. */
export interface NewDeploy {
  /** The production branch. If its update is refused there is no deploy. */
  readonly ref: RefName;
  readonly commitId: ObjectId;
  readonly treeId: ObjectId;
  readonly subject: string;
  readonly codeId: string;
  /** The app's variables, a JSON object; its `env` at run time. Text, so that what is hashed, stored and sent is the same. */
  readonly varsJson: string;
  /** The snapshot whose data comes back with it. */
  readonly restoresSnapshot?: number | undefined;
  /** The name of the token that pushed; undefined: not known. */
  readonly actor?: string | undefined;
  /** The manifest of its static assets, if it has any. */
  readonly assetsId?: string | undefined;
  /** The configuration that it runs with; undefined: nothing was set. */
  readonly envId?: string | undefined;
  /** The path that its rehearsals ask for, if it names one. */
  readonly probe?: string | undefined;
}

/**
 * committed: live by the pointer, but its code has not run as the live version yet. started: it runs, or ran.
 * failed: it, or another deploy of its atomic push, did not start and it was undone. superseded: a later deploy went live before it could, or
 * its preview ended.
 */
export type DeployState = "committed" | "started" | "failed" | "superseded";

/** One deploy, as the history tells it. */
export interface Deploy extends NewDeploy {
  readonly number: number;
  /** The facet it is for. */
  readonly facet: string;
  readonly createdAtMs: number;
  readonly state: DeployState;
  /** Where the ref was before it, ZERO_ID if nowhere. */
  readonly refBefore: ObjectId;
  /** What was live before it, and what undoing it goes back to. */
  readonly previous?: { readonly number: number; readonly commitId: ObjectId };
  /** The newest configuration before it, where it made its own the newest: "" is none. */
  readonly envBefore?: string;
  /** The atomic push that it goes back with: see atomic-pushes.ts. */
  readonly atomicPush?: number;
}

interface DeployColumns extends Record<string, SqlStorageValue> {
  readonly number: number;
  readonly facet: string;
  readonly ref: RefName;
  readonly ref_before: ObjectId | null;
  readonly previous_number: number | null;
  readonly previous_commit_id: ObjectId | null;
  readonly commit_id: ObjectId;
  readonly tree_id: ObjectId;
  readonly subject: string;
  readonly code_id: string;
  readonly vars: string;
  readonly actor: string | null;
  readonly assets_id: string | null;
  readonly env_id: string | null;
  readonly env_before: string | null;
  readonly probe: string | null;
  readonly created_at_ms: number;
  readonly state: DeployState;
  readonly restores_snapshot: number | null;
  readonly atomic_push: number | null;
}

const SELECT_DEPLOYS = `
  SELECT deploys.*, previous.commit_id AS previous_commit_id
  FROM deploys LEFT JOIN deploys AS previous ON previous.number = deploys.previous_number`;

/** Whether a deploy with a higher number was recorded for the facet: within one, numbers are in the order of the commits. */
export function isOutrun(db: Database, facet: string, number: number): boolean {
  const query = "SELECT 1 AS found FROM deploys WHERE facet = ? AND number > ? LIMIT 1";
  return findFirst(db.sql.exec(query, facet, number)) !== undefined;
}

/** Records a deploy, under a number that an attempt was given, and moves the live pointer to it. */
export function addDeploy(
  db: Database,
  deploy: NewDeploy & { readonly number: number },
  place: {
    readonly facet: string;
    readonly refBefore: ObjectId;
    readonly envBefore?: string | undefined;
    readonly nowMs: number;
  },
): Deploy {
  const { number } = deploy;
  db.sql.exec(
    `INSERT INTO deploys (number, facet, ref, ref_before, previous_number, commit_id, tree_id, subject, code_id, vars, actor, assets_id, probe, created_at_ms, restores_snapshot, env_id, env_before, state)
       VALUES (?, ?, ?, ?, (SELECT deploy_number FROM live WHERE facet = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'committed')`,
    number,
    place.facet,
    deploy.ref,
    place.refBefore === ZERO_ID ? null : place.refBefore,
    place.facet,
    deploy.commitId,
    deploy.treeId,
    deploy.subject,
    deploy.codeId,
    deploy.varsJson,
    deploy.actor ?? null,
    deploy.assetsId ?? null,
    deploy.probe ?? null,
    place.nowMs,
    deploy.restoresSnapshot ?? null,
    deploy.envId ?? null,
    place.envBefore ?? null,
  );
  setLive(db, place.facet, number);
  return getDeploy(db, number);
}

/** Throws if there is no such deploy. */
export function getDeploy(db: Database, number: number): Deploy {
  const deploy = findDeploy(db, number);
  if (deploy === undefined) throw new Error(`There is no deploy ${number}.`);
  return deploy;
}

export function findDeploy(db: Database, number: number): Deploy | undefined {
  const row = findFirst(db.sql.exec<DeployColumns>(`${SELECT_DEPLOYS} WHERE deploys.number = ?`, number));
  return row === undefined ? undefined : readDeploy(row);
}

/** The newest deploy of the commit in a facet, among those that ran. */
export function findDeployOfCommit(db: Database, facet: string, commitId: ObjectId): Deploy | undefined {
  const query = `${SELECT_DEPLOYS} WHERE deploys.facet = ? AND deploys.commit_id = ? AND deploys.state = 'started'
    ORDER BY deploys.number DESC LIMIT 1`;
  const row = findFirst(db.sql.exec<DeployColumns>(query, facet, commitId));
  return row === undefined ? undefined : readDeploy(row);
}

/** The newest deploy of the commit that a ref is at, among those that ran. */
export function findDeployOfRef(db: Database, ref: string): Deploy | undefined {
  const query = `${SELECT_DEPLOYS} JOIN refs ON refs.name = deploys.ref AND refs.id = deploys.commit_id
    WHERE deploys.ref = ? AND deploys.state = 'started' ORDER BY deploys.number DESC LIMIT 1`;
  const row = findFirst(db.sql.exec<DeployColumns>(query, ref));
  return row === undefined ? undefined : readDeploy(row);
}

/**
 * The objects that have to stay whatever the refs name: commits of the history, to roll back to, and what an undo may put a ref back to,
 * which it does for deploys since the last one of the same environment that started, and for what an atomic push with such a one moved.
 */
export function listKeptCommits(db: Database): ObjectId[] {
  const rows = db.sql.exec<{ id: ObjectId }>(
    `SELECT commit_id AS id FROM deploys UNION SELECT ref_before AS id FROM deploys WHERE ref_before IS NOT NULL
       AND number > (SELECT coalesce(max(number), 0) FROM deploys AS others
         WHERE others.facet = deploys.facet AND state = 'started')
     UNION SELECT ref_before AS id FROM deploys WHERE ref_before IS NOT NULL
       AND atomic_push IN (SELECT atomic_push FROM deploys WHERE state = 'committed')
     UNION SELECT old_id AS id FROM atomic_refs WHERE old_id IS NOT NULL`,
  );
  return [...rows].map((row) => row.id);
}

function readDeploy(row: DeployColumns): Deploy {
  const deploy = {
    number: row.number,
    facet: row.facet,
    ref: row.ref,
    commitId: row.commit_id,
    treeId: row.tree_id,
    subject: row.subject,
    codeId: row.code_id,
    varsJson: row.vars,
    actor: row.actor ?? undefined,
    assetsId: row.assets_id ?? undefined,
    envId: row.env_id ?? undefined,
    probe: row.probe ?? undefined,
    createdAtMs: row.created_at_ms,
    state: row.state,
    refBefore: row.ref_before ?? ZERO_ID,
    ...(row.restores_snapshot === null ? {} : { restoresSnapshot: row.restores_snapshot }),
    ...(row.env_before === null ? {} : { envBefore: row.env_before }),
    ...(row.atomic_push === null ? {} : { atomicPush: row.atomic_push }),
  };
  if (row.previous_number === null) return deploy;
  return {
    ...deploy,
    previous: { number: row.previous_number, commitId: row.previous_commit_id ?? ZERO_ID },
  };
}

/** The last deploy up to `number` that ran in the facet: whose data it is. */
export function findLastStarted(db: Database, facet: string, number: number): number | undefined {
  const query = "SELECT number FROM deploys WHERE facet = ? AND number <= ? AND state = 'started' ORDER BY number DESC";
  return findFirst(db.sql.exec<{ number: number }>(`${query} LIMIT 1`, facet, number))?.number;
}

/** The snapshot that the deploy brings back, or one that it came after before either ran. */
export function findRestore(db: Database, facet: string, number: number): number | undefined {
  const query = `SELECT restores_snapshot AS id FROM deploys
    WHERE facet = ? AND number <= ? AND state = 'committed' AND restores_snapshot IS NOT NULL ORDER BY number DESC LIMIT 1`;
  return findFirst(db.sql.exec<{ id: number }>(query, facet, number))?.id;
}

/** The snapshot that the facet's data has to go back to before anything runs there. */
export function findUndoSnapshot(db: Database, facet: string): number | undefined {
  const query = "SELECT undo_snapshot AS id FROM live WHERE facet = ?";
  return findFirst(db.sql.exec<{ id: number | null }>(query, facet))?.id ?? undefined;
}

/** Asks for that, or with undefined says that it was done. Whether anything is live is not changed. */
export function setUndoSnapshot(db: Database, facet: string, snapshotId: number | undefined): void {
  db.sql.exec("UPDATE live SET undo_snapshot = ? WHERE facet = ?", snapshotId ?? null, facet);
}

/** The deploy that a facet is to run. */
export function findLiveDeploy(
  db: Database,
  facet: string,
): { readonly deploy: Deploy; readonly hasSockets: boolean } | undefined {
  const row = findFirst(
    db.sql.exec<{ deploy_number: number; has_sockets: number }>("SELECT * FROM live WHERE facet = ?", facet),
  );
  return row === undefined
    ? undefined
    : { deploy: getDeploy(db, row.deploy_number), hasSockets: row.has_sockets === 1 };
}

/** Moves the live pointer; undefined: nothing is live. Whether sockets are open is a fact of the facet and stays. */
export function setLive(db: Database, facet: string, number: number | undefined): void {
  if (number === undefined) {
    db.sql.exec("DELETE FROM live WHERE facet = ?", facet);
    return;
  }
  db.sql.exec(
    "INSERT INTO live (facet, deploy_number) VALUES (?, ?) ON CONFLICT (facet) DO UPDATE SET deploy_number = excluded.deploy_number",
    facet,
    number,
  );
}

/** Remembers whether the facet may have WebSockets open, also hibernating ones that no memory knows of. */
export function setHasSockets(db: Database, facet: string, hasSockets: boolean): void {
  db.sql.exec("UPDATE live SET has_sockets = ? WHERE facet = ?", hasSockets ? 1 : 0, facet);
}

/** What the cutover of a deploy came to, with what is to be told of it (JSON). */
export function recordCutover(db: Database, number: number, state: "started" | "failed", cutoverJson: string): void {
  db.sql.exec("UPDATE deploys SET state = ?, cutover = ? WHERE number = ?", state, cutoverJson, number);
}

/** Deploys of the facet that were never started, now that deploy `number` was. */
export function markSuperseded(db: Database, facet: string, number: number): void {
  db.sql.exec(
    "UPDATE deploys SET state = 'superseded' WHERE facet = ? AND number < ? AND state = 'committed'",
    facet,
    number,
  );
}

/** What recordCutover was given; undefined before that. */
export function findCutover(db: Database, number: number): string | undefined {
  const row = findFirst(
    db.sql.exec<{ cutover: string | null }>("SELECT cutover FROM deploys WHERE number = ?", number),
  );
  return row?.cutover ?? undefined;
}
