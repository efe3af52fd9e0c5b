import { describe, expect, it } from "vitest";
import { codeId } from "../../src/app/code-id.ts";
import type { CodeDefinition } from "../../src/store/code.ts";

const DEFINITION: CodeDefinition = {
  modules: { "index.js": { kind: "esm", text: "export class App {}" }, "a.txt": { kind: "text", text: "a" } },
  className: "App",
  compatibilityDate: "2026-01-01",
  compatibilityFlags: ["one", "two"],
};

describe("codeId", () => {
  it("is 64 hexadecimal digits, and the same for the same code in another order", () => {
    const { "index.js": index, "a.txt": text } = DEFINITION.modules;
    if (index === undefined || text === undefined) throw new Error("The definition lacks a module.");
    const reordered = {
      ...DEFINITION,
      modules: { "a.txt": text, "index.js": index },
      compatibilityFlags: ["two", "one"],
    };
    expect(codeId(DEFINITION)).toMatch(/^[0-9a-f]{64}$/);
    expect(codeId(reordered)).toBe(codeId(DEFINITION));
  });

  it.each<[string, Partial<CodeDefinition>]>([
    ["class", { className: "Other" }],
    ["compatibility date", { compatibilityDate: "2026-01-02" }],
    ["flags", { compatibilityFlags: ["one"] }],
    ["module text", { modules: { ...DEFINITION.modules, "a.txt": { kind: "text", text: "b" } } }],
    ["module kind", { modules: { ...DEFINITION.modules, "a.txt": { kind: "data", bytes: Buffer.from("a") } } }],
    ["module name", { modules: { "index.js": DEFINITION.modules["index.js"]!, "b.txt": { kind: "text", text: "a" } } }],
  ])("differs for another %s", (_, other) => {
    expect(codeId({ ...DEFINITION, ...other })).not.toBe(codeId(DEFINITION));
  });
});
