// The lists of hosts that an app may call, as their owner wrote them.
import { findFirst, type Database } from "./database.ts";

/** Which list: of production, or of previews and of old deploys on show. */
export type EgressScope = "production" | "preview";

/** The rules of a scope, as text; none where none were set. */
export function listEgressRules(db: Database, scope: EgressScope): readonly string[] {
  const row = findFirst(db.sql.exec<{ rules: string }>("SELECT rules FROM egress WHERE scope = ?", scope));
  return row === undefined ? [] : JSON.parse(row.rules);
}

/** Replaces the rules of a scope. */
export function setEgressRules(db: Database, scope: EgressScope, rules: readonly string[]): void {
  db.sql.exec("INSERT OR REPLACE INTO egress (scope, rules) VALUES (?, ?)", scope, JSON.stringify(rules));
}
