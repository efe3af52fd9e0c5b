// What an app's owner set for its `env`. A configuration is a list of values that never changes again; deploys name the one that they run
// with, and the repository's row names the newest, from which the next change and the next commit's deploy begin. Ids are random, so that
// they may stand anywhere without saying anything about what is behind them.
import { findFirst, type Database } from "./database.ts";

/** Which environments a value is for: production, or previews and old deploys on show. */
export type VariableScope = "production" | "preview";

/** A value as it is kept: in the clear, or sealed (app/secret-box.ts). */
export interface Variable {
  readonly valueId: string;
  readonly scope: VariableScope;
  readonly name: string;
  readonly content: { readonly plain: string } | { readonly sealed: Uint8Array };
  readonly setAtMs: number;
  /** The name of a token. */
  readonly setBy: string;
}

interface VariableColumns extends Record<string, SqlStorageValue> {
  readonly value_id: string;
  readonly scope: VariableScope;
  readonly name: string;
  readonly plain: string | null;
  readonly sealed: ArrayBuffer | null;
  readonly set_at_ms: number;
  readonly set_by: string;
}

/** By name, production's before previews'. undefined is the configuration of an app that nothing was set for. */
export function listVariables(db: Database, envId: string | undefined): readonly Variable[] {
  if (envId === undefined) return [];
  const query = `SELECT scope, variables.* FROM configuration_entries JOIN variables USING (value_id)
    WHERE env_id = ? ORDER BY name, scope DESC`;
  return [...db.sql.exec<VariableColumns>(query, envId)].map(readVariable);
}

function readVariable({ sealed, plain, ...row }: VariableColumns): Variable {
  const content = sealed === null ? { plain: plain ?? "" } : { sealed: new Uint8Array(sealed) };
  const { value_id: valueId, scope, name, set_at_ms: setAtMs, set_by: setBy } = row;
  return { valueId, scope, name, content, setAtMs, setBy };
}

/** Keeps a configuration under a new id. Values that are kept already are named again. */
export function addConfiguration(
  db: Database,
  {
    envId,
    variables,
    nowMs,
  }: { readonly envId: string; readonly variables: readonly Variable[]; readonly nowMs: number },
): void {
  db.transaction(() => {
    db.sql.exec("INSERT INTO configurations (env_id, created_at_ms) VALUES (?, ?)", envId, nowMs);
    for (const { valueId, scope, name, content, setAtMs, setBy } of variables) {
      db.sql.exec(
        "INSERT OR IGNORE INTO variables (value_id, name, plain, sealed, set_at_ms, set_by) VALUES (?, ?, ?, ?, ?, ?)",
        valueId,
        name,
        "plain" in content ? content.plain : null,
        "sealed" in content ? Uint8Array.from(content.sealed).buffer : null,
        setAtMs,
        setBy,
      );
      db.sql.exec("INSERT INTO configuration_entries VALUES (?, ?, ?, ?)", envId, scope, name, valueId);
    }
  });
}

/** Whether the configuration is kept. */
export function hasConfiguration(db: Database, envId: string): boolean {
  return findFirst(db.sql.exec("SELECT 1 AS found FROM configurations WHERE env_id = ?", envId)) !== undefined;
}

/** The newest configuration; undefined: nothing was ever set. */
export function findNewestEnvId(db: Database): string | undefined {
  return findFirst(db.sql.exec<{ env_id: string | null }>("SELECT env_id FROM repository"))?.env_id ?? undefined;
}

export function setNewestEnvId(db: Database, envId: string | undefined): void {
  db.sql.exec("UPDATE repository SET env_id = ?", envId ?? null);
}

// Named neither by a deploy nor as the newest.
const IS_UNUSED = `
  NOT EXISTS (SELECT 1 FROM deploys WHERE deploys.env_id = configurations.env_id)
  AND NOT EXISTS (SELECT 1 FROM deploys WHERE deploys.env_before = configurations.env_id AND deploys.state = 'committed')
  AND NOT EXISTS (SELECT 1 FROM repository WHERE repository.env_id = configurations.env_id)`;

/** Whether there are configurations that may have to be pruned one day. */
export function hasUnusedConfigurations(db: Database): boolean {
  return findFirst(db.sql.exec(`SELECT 1 AS found FROM configurations WHERE ${IS_UNUSED} LIMIT 1`)) !== undefined;
}

/** Deletes configurations from before `createdBeforeMs` that nothing names, and the values that only they had. */
export function pruneConfigurations(db: Database, createdBeforeMs: number): void {
  db.transaction(() => {
    db.sql.exec(`DELETE FROM configurations WHERE created_at_ms < ? AND ${IS_UNUSED}`, createdBeforeMs);
    db.sql.exec("DELETE FROM configuration_entries WHERE env_id NOT IN (SELECT env_id FROM configurations)");
    db.sql.exec("DELETE FROM variables WHERE value_id NOT IN (SELECT value_id FROM configuration_entries)");
  });
}
