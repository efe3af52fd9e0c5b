import { describe, expect, it } from "vitest";
import { parseObjectId, ZERO_ID } from "../../src/git/object-id.ts";
import { parseRefName } from "../../src/git/ref-name.ts";
import { countRefs, listRefs, updateRef } from "../../src/store/refs.ts";
import { inDatabase } from "./memory.ts";

const A = parseObjectId("a".repeat(40))!;
const B = parseObjectId("b".repeat(40))!;
const MAIN = parseRefName("refs/heads/main")!;

describe("updateRef", () => {
  it("logs what every ref was before", async () => {
    const log = await inDatabase("reflog", (db) => {
      updateRef(db, { name: MAIN, oldId: ZERO_ID, newId: A }, 1);
      updateRef(db, { name: MAIN, oldId: A, newId: A }, 2);
      updateRef(db, { name: MAIN, oldId: A, newId: B }, 3);
      updateRef(db, { name: MAIN, oldId: A, newId: B }, 4);
      updateRef(db, { name: MAIN, oldId: B, newId: ZERO_ID }, 5);
      return db.sql.exec("SELECT old_id, new_id, at_ms FROM reflog ORDER BY entry").toArray();
    });
    expect(log).toEqual([
      { old_id: null, new_id: A, at_ms: 1 },
      { old_id: A, new_id: B, at_ms: 3 },
      { old_id: B, new_id: null, at_ms: 5 },
    ]);
  });

  it("takes refs by the ten thousand, with names below each other checked", async () => {
    const tookMs = await inDatabase("many-refs", (db) => {
      const begunMs = performance.now();
      db.transaction(() => {
        for (let number = 0; number < 20_000; number += 1) {
          const name = parseRefName(`refs/tags/release/${number % 100}/v${number}`)!;
          expect(updateRef(db, { name, oldId: ZERO_ID, newId: A }, 1)).toBeUndefined();
        }
      });
      expect(countRefs(db)).toBe(20_000);
      expect(listRefs(db)).toHaveLength(20_000);
      const conflict = parseRefName("refs/tags/release/7")!;
      expect(updateRef(db, { name: conflict, oldId: ZERO_ID, newId: A }, 1)?.code).toBe("ref-conflict");
      return performance.now() - begunMs;
    });
    expect(tookMs).toBeLessThan(20_000);
  });
});
