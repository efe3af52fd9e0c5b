/// <reference types="@cloudflare/vitest-pool-workers/types" />
// A database of its own for a test of rows: that of a real Durable Object, which no app uses.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { openDatabase, type Database } from "../../src/store/database.ts";
import { migrate, SUPERVISOR_MIGRATIONS, type Migrations } from "../../src/store/schema.ts";

/** Runs `work` on an empty database with the supervisor's tables. */
export function inDatabase<T>(name: string, work: (db: Database) => T): Promise<T> {
  return inTables(name, SUPERVISOR_MIGRATIONS, work);
}

/** Runs `work` on an empty database with other tables. */
export function inTables<T>(name: string, tables: Migrations, work: (db: Database) => T): Promise<T> {
  return runInDurableObject(env.SUPERVISOR.getByName(`rows-${name}`), (_, state) => {
    const db = openDatabase(state.storage);
    migrate(db, tables);
    return work(db);
  });
}
