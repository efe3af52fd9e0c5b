import { describe, expect, it } from "vitest";
import { findFile, findFolder, findSubmodule, followLinks, indexTree } from "../../build/tree-index.ts";

const index = indexTree({
  files: [
    ["a.ts", 1],
    ["lib/deep/b.ts", 1],
  ],
  links: [
    ["abs", "/etc"],
    ["circle", "circle"],
    ["linked.ts", "a.ts"],
    ["out", "../elsewhere"],
    ["shortcut", "lib/deep"],
    ["twice", "shortcut"],
    ["lib/up", ".."],
  ],
  submodules: ["vendor/x"],
});

describe("followLinks", () => {
  it.each([
    ["a.ts", "a.ts"],
    ["linked.ts", "a.ts"],
    ["twice/b.ts", "lib/deep/b.ts"],
    ["lib/up/a.ts", "a.ts"],
    ["lib/up", ""],
    ["not/there", "not/there"],
  ])("leads %j to %j", (path, end) => {
    expect(followLinks(index, path)).toEqual({ kind: "path", path: end });
  });

  it.each([["abs/passwd"], ["circle"], ["out/a"]])("stops at %j", (path) => {
    expect(followLinks(index, path)).toMatchObject({ kind: "broken", link: path.split("/")[0] });
  });
});

describe("findFile and findFolder", () => {
  it("tell files from folders, through links", () => {
    expect([findFile(index, "twice/b.ts"), findFile(index, "lib"), findFile(index, "out/a")]).toEqual([
      "lib/deep/b.ts",
      undefined,
      undefined,
    ]);
    expect([findFolder(index, "twice"), findFolder(index, ""), findFolder(index, "a.ts")]).toEqual([
      "lib/deep",
      "",
      undefined,
    ]);
  });
});

describe("findSubmodule", () => {
  it("names the submodule that a path is in", () => {
    expect([
      findSubmodule(index, "vendor/x/y.ts"),
      findSubmodule(index, "vendor/x"),
      findSubmodule(index, "vendor"),
    ]).toEqual(["vendor/x", "vendor/x", undefined]);
  });
});
