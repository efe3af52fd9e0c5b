import { describe, expect, it } from "vitest";
import {
  getCodeDefinition,
  getSourceMap,
  hasUnusedCode,
  pruneCode,
  putCode,
  touchCode,
  type Code,
} from "../../src/store/code.ts";
import { inDatabase } from "./memory.ts";

const LARGE = new Uint8Array(4_000_000).map((_, at) => at % 251);

const CODE: Code = {
  codeId: "c1",
  className: "App",
  compatibilityDate: "2026-01-01",
  compatibilityFlags: ["nodejs_compat"],
  crons: ["0 * * * *"],
  sourceMap: `{"version":3,"note":"ä ${"x".repeat(2_000_000)}"}`,
  modules: {
    "index.js": { kind: "esm", text: `// ü ${"y".repeat(3_000_000)}` },
    "empty.txt": { kind: "text", text: "" },
    "large.bin": { kind: "data", bytes: LARGE },
    "add.wasm": { kind: "wasm", bytes: Uint8Array.of(0, 97, 115, 109) },
  },
};

describe("putCode", () => {
  it("stores modules of every kind and size in rows below 2 MB, and gives them back", async () => {
    await inDatabase("code", (db) => {
      putCode(db, CODE, 1);
      putCode(db, CODE, 2);
      const { modules, ...rest } = getCodeDefinition(db, "c1");
      expect(rest).toEqual({
        className: "App",
        compatibilityDate: "2026-01-01",
        compatibilityFlags: ["nodejs_compat"],
        crons: ["0 * * * *"],
      });
      expect(Object.keys(modules).toSorted()).toEqual(Object.keys(CODE.modules).toSorted());
      for (const [name, module] of Object.entries(CODE.modules)) {
        const stored = modules[name];
        expect(stored?.kind).toBe(module.kind);
        const isSame =
          "text" in module
            ? stored !== undefined && "text" in stored && stored.text === module.text
            : stored !== undefined && "bytes" in stored && Buffer.compare(stored.bytes, module.bytes) === 0;
        expect([name, isSame]).toEqual([name, true]);
      }
      expect(getSourceMap(db, "c1") === CODE.sourceMap).toBe(true);
      const [largest] = db.sql.exec("SELECT max(length(bytes)) AS size FROM code_chunks").toArray();
      expect(Number(largest?.["size"])).toBeLessThan(2_000_000);
    });
  });
});

describe("pruneCode", () => {
  it("deletes what is old and named by nothing", async () => {
    await inDatabase("prune", (db) => {
      for (const codeId of ["old", "new", "built"])
        putCode(db, { ...CODE, codeId, modules: {} }, codeId === "new" ? 100 : 1);
      db.sql.exec(
        "INSERT INTO builds (build_key, code_id, vars, facts, deploy_number) VALUES ('k', 'built', '{}', '{}', 1)",
      );
      pruneCode(db, 50);
      expect(db.sql.exec("SELECT code_id FROM code ORDER BY code_id").toArray()).toEqual([
        { code_id: "built" },
        { code_id: "new" },
      ]);
      expect(db.sql.exec("SELECT DISTINCT code_id FROM code_chunks ORDER BY code_id").toArray()).toHaveLength(2);
      expect(hasUnusedCode(db)).toBe(true);
      pruneCode(db, 101);
      expect(hasUnusedCode(db)).toBe(false);
      expect(touchCode(db, "old", 5)).toBe(false);
      expect(() => getCodeDefinition(db, "old")).toThrow("not stored");
    });
  });
});
