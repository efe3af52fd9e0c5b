import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { findFirst, openDatabase } from "../../src/store/database.ts";
import { isMigrated, migrate } from "../../src/store/schema.ts";

describe("migrate", () => {
  it("runs each migration once, in order, and later ones on what is there", async () => {
    await runInDurableObject(env.SUPERVISOR.getByName("schema-order"), (_, state) => {
      const db = openDatabase(state.storage);
      expect(isMigrated(db)).toBe(false);
      const first = "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('one');";
      migrate(db, [first]);
      migrate(db, [first]);
      migrate(db, [first, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'two'"]);
      expect(isMigrated(db)).toBe(true);
      expect(db.sql.exec("SELECT * FROM t").toArray()).toEqual([{ a: "one", b: "two" }]);
    });
  });

  it("leaves everything as it was where a migration fails", async () => {
    await runInDurableObject(env.SUPERVISOR.getByName("schema-failure"), (_, state) => {
      const db = openDatabase(state.storage);
      expect(() => migrate(db, ["CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT)"])).toThrow("already exists");
      expect(isMigrated(db)).toBe(false);
      expect(findFirst(db.sql.exec("SELECT 1 AS found FROM sqlite_master WHERE name = 't'"))).toBeUndefined();
    });
  });
});
