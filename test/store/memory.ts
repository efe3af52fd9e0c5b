/// <reference types="@cloudflare/vitest-pool-workers/types" />
// A database of its own for a test of rows: that of a real Durable Object, which no app uses.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { openDatabase, type Database } from "../../src/store/database.ts";
import { migrate, SUPERVISOR_MIGRATIONS } from "../../src/store/schema.ts";

/** Runs `work` on an empty database with the supervisor's tables. */
export function inDatabase<T>(name: string, work: (db: Database) => T): Promise<T> {
  return runInDurableObject(env.SUPERVISOR.getByName(`rows-${name}`), (_, state) => {
    const db = openDatabase(state.storage);
    migrate(db, SUPERVISOR_MIGRATIONS);
    return work(db);
  });
}
