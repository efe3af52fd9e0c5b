import { describe, expect, it } from "vitest";
import { readStoredNames } from "../../build/class-names.ts";

const rename = (from: string, to: string) => ({ renamed_classes: [{ from, to }] });

describe("readStoredNames", () => {
  it.each<[string, unknown, Record<string, string>]>([
    ["nothing without migrations", undefined, {}],
    ["nothing of new classes", [{ new_sqlite_classes: ["A", "B"] }], {}],
    ["the first name of a class", [{ new_classes: ["A"] }, rename("A", "B")], { B: "A", A: "A$2" }],
    [
      "the first name however often it was renamed",
      [rename("A", "B"), rename("B", "C")],
      { C: "A", A: "A$2", B: "B$2" },
    ],
    [
      "a new name where another class takes the old one",
      [rename("A", "B"), { new_sqlite_classes: ["A"] }],
      { B: "A", A: "A$2" },
    ],
    [
      "the other's name where two change theirs",
      [rename("A", "T"), rename("B", "A"), rename("T", "B")],
      { A: "B", B: "A", T: "T$2" },
    ],
    ["its own name where it goes back to it", [rename("A", "B"), rename("B", "A")], { B: "B$2" }],
    ["a new name for what was deleted", [{ deleted_classes: ["A"] }, { new_sqlite_classes: ["A"] }], { A: "A$2" }],
    ["nothing of what is of no form", [{ renamed_classes: [{ from: 1 }, "A"], deleted_classes: "A" }, 7], {}],
  ])("has %s", (_, migrations, names) => {
    expect(readStoredNames(migrations)).toEqual(names);
  });

  it("never stores two classes under one name", () => {
    const names = readStoredNames([
      rename("A", "B"),
      rename("A", "C"),
      rename("B", "A"),
      { deleted_classes: ["C"] },
      rename("C", "B"),
    ]);
    expect(new Set(Object.values(names)).size).toBe(Object.keys(names).length);
  });
});
