// Which branch HEAD stands for. For an app that is the production branch: the first that was pushed, and it stays. A repository that
// only stores is as git has it: main where it is there, and any other branch can go.
import { findFirst, type Database } from "./database.ts";
import type { RefName } from "../git/ref-name.ts";
import type { RepositoryState } from "./repository-state.ts";

/** Whether the branch may not be deleted (receive.denyDeleteCurrent). */
export function isProtectedBranch(
  { head, settings }: Pick<RepositoryState, "head" | "settings">,
  name: string,
): boolean {
  return name === head && (settings.deploy || isDefaultBranch(name));
}

/** Whether it is of a name that git gives first branches. */
export function isDefaultBranch(name: string): boolean {
  return name === "refs/heads/main" || name === "refs/heads/master";
}

/** The branch for HEAD among those that are there: main or master, else the first by name. */
export function findDefaultBranch(db: Database): RefName | undefined {
  const query = `SELECT name FROM refs WHERE name > 'refs/heads/' AND name < 'refs/heads0'
    ORDER BY name = 'refs/heads/main' DESC, name = 'refs/heads/master' DESC, name LIMIT 1`;
  return findFirst(db.sql.exec<{ name: RefName }>(query))?.name;
}
