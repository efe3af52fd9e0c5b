import { describe, expect, it } from "vitest";
import { extensionOf, fileName, folderOf, isInNodeModules, joinPath, relativePath } from "../../build/tree-path.ts";

describe("folderOf and fileName", () => {
  it.each([
    ["a", "", "a"],
    ["a/b.ts", "a", "b.ts"],
    ["a/b/c", "a/b", "c"],
  ])("split %j", (path, folder, name) => {
    expect([folderOf(path), fileName(path)]).toEqual([folder, name]);
  });
});

describe("extensionOf", () => {
  it.each([
    ["a.ts", ".ts"],
    ["a.d.ts", ".ts"],
    ["A.TS", ".ts"],
    ["a.b/c", ""],
    [".env", ""],
    ["a/.env.ts", ".ts"],
  ])("of %j is %j", (path, extension) => {
    expect(extensionOf(path)).toBe(extension);
  });
});

describe("joinPath", () => {
  it.each([
    ["src", "./a", "src/a"],
    ["src", "../a", "a"],
    ["", "a//b/./c", "a/b/c"],
    ["a/b", "../..", ""],
    ["a", "../../b", undefined],
    ["a", "/b", undefined],
  ])("joins %j and %j", (folder, relative, path) => {
    expect(joinPath(folder, relative)).toBe(path);
  });
});

describe("relativePath", () => {
  it.each([
    ["", "a.ts", "./a.ts"],
    ["src", "src/a.ts", "./a.ts"],
    ["src/b", "src/a.ts", "../a.ts"],
    ["src", "src/src/a.ts", "./src/a.ts"],
    ["a/b", "c/d", "../../c/d"],
  ])("from %j to %j is %j", (folder, path, relative) => {
    expect(relativePath(folder, path)).toBe(relative);
  });
});

describe("isInNodeModules", () => {
  it("holds for packages at any depth, and not for names that only look like it", () => {
    const paths = ["node_modules/a/b.js", "x/node_modules/a.js", "my_node_modules/a.js", "node_modules.ts"];
    expect(paths.map(isInNodeModules)).toEqual([true, true, false, false]);
  });
});
