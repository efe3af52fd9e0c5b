import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { openDatabase, type Database } from "../../src/store/database.ts";
import { listMetrics } from "../../src/store/metrics.ts";
import { DIRECTORY_MIGRATIONS, migrate, SUPERVISOR_MIGRATIONS, type Migrations } from "../../src/store/schema.ts";
import { addUsage, listUsage, NO_USAGE, pruneUsage, sumUsage } from "../../src/store/usage.ts";

const NOW_MS = Date.UTC(2026, 0, 1, 12);
const DAY_MS = 24 * 60 * 60 * 1000;

function withDatabase(name: string, use: (db: Database) => void): Promise<void> {
  return runInDurableObject(env.SUPERVISOR.getByName(name), (_, { storage }) => use(openDatabase(storage)));
}

/** All but the migrations from the one on that has these words. */
function before(migrations: Migrations, words: string): Migrations {
  const at = migrations.findIndex((statements) => statements.includes(words));
  expect(at).toBeGreaterThan(0);
  return migrations.slice(0, at);
}

describe("pruneUsage", () => {
  it("takes old days away and leaves what they come to in the sum", () =>
    withDatabase("usage-pruned", (db) => {
      migrate(db, SUPERVISOR_MIGRATIONS);
      const days = ["2024-11-25", "2024-11-26", "2024-11-27", "2026-01-01"];
      for (const day of days) {
        addUsage(db, { ...NO_USAGE, day, facet: "app", deployNumber: 1, requests: 2, cpuMs: 0.5 });
      }
      pruneUsage(db, NOW_MS);
      expect(listUsage(db, "0").map(({ day }) => day)).toEqual(["2024-11-27", "2026-01-01"]);
      pruneUsage(db, NOW_MS + DAY_MS);
      pruneUsage(db, NOW_MS + DAY_MS);
      expect(listUsage(db, "0").map(({ day }) => day)).toEqual(["2026-01-01"]);
      expect(sumUsage(db)).toEqual({ ...NO_USAGE, requests: 8, cpuMs: 2 });
    }));
});

describe("what was counted before", () => {
  it("has the deploys of the history on their days", () =>
    withDatabase("usage-history", (db) => {
      migrate(db, before(SUPERVISOR_MIGRATIONS, "ALTER TABLE usage ADD COLUMN deploys"));
      db.sql.exec(`INSERT INTO usage VALUES ('2026-01-01', 'app', 1, 7, 0, 0, 0, 0, 0, 0, 0, 0);
        INSERT INTO deploys (number, facet, ref, commit_id, tree_id, subject, code_id, vars, created_at_ms, state)
          VALUES (1, 'app', '', '', '', '', '', '', ${NOW_MS}, 'started'), (2, 'app', '', '', '', '', '', '', ${NOW_MS + DAY_MS}, 'failed')`);
      migrate(db, SUPERVISOR_MIGRATIONS);
      expect(listUsage(db, "0")).toMatchObject([
        { day: "2026-01-01", deployNumber: 1, requests: 7, deploys: 1 },
        { day: "2026-01-02", deployNumber: 2, requests: 0, deploys: 1 },
      ]);
    }));

  it("is what the directory knows of an app until it reports again", () =>
    withDatabase("usage-directory", (db) => {
      migrate(db, before(DIRECTORY_MIGRATIONS, "CREATE TABLE reports"));
      db.sql.exec("INSERT INTO metrics VALUES ('x', 5, 1, 2.5, 3, 4)");
      migrate(db, DIRECTORY_MIGRATIONS);
      const counts = { requests: 5, errors: 1, cpuMs: 2.5, egressRequests: 3, deploys: 4 };
      expect(listMetrics(db, 10)).toEqual([{ app: "x", counts }]);
    }));
});
