import { describe, expect, it } from "vitest";
import { browserReplacement, isFreeOfSideEffects, packageEntryPaths } from "../../../build/package.ts";

describe("browserReplacement", () => {
  const map = { browser: { fs: false, "./lib/node.js": "./lib/browser.js", ws: "./ws.js" } };

  it.each([
    ["fs", false],
    ["./lib/node.js", "./lib/browser.js"],
    ["ws", "./ws.js"],
    ["./lib/other.js", undefined],
  ])("of %s is %s", (wanted, replacement) => {
    expect(browserReplacement(map, wanted)).toBe(replacement);
  });

  it("is nothing where the field is a path", () => {
    expect(browserReplacement({ browser: "./b.js" }, "fs")).toBeUndefined();
  });
});

describe("isFreeOfSideEffects", () => {
  it.each([
    [false, "a.js", true],
    [true, "a.js", false],
    [undefined, "a.js", false],
    [["*.css"], "styles/a.css", false],
    [["*.css"], "a.js", true],
    [["./src/setup.js"], "src/setup.js", false],
    [["./src/setup.js"], "src/other.js", true],
    [["dist/**/*.{js,mjs}"], "dist/a/b/c.mjs", false],
    [["dist/**/*.{js,mjs}"], "dist/c.js", false],
    [["dist/*.js"], "dist/a/b.js", true],
  ])("with %j, %s: %s", (sideEffects, path, isFree) => {
    expect(isFreeOfSideEffects({ sideEffects }, path)).toBe(isFree);
  });
});

describe("packageEntryPaths", () => {
  it("takes what is for a Worker in production, and what is for require()", () => {
    const exports = {
      ".": { development: "./dev.js", node: "./node.js", production: { require: "./p.cjs", default: "./p.js" } },
    };
    expect(packageEntryPaths({ exports }, "", false)).toEqual(["./p.js"]);
    expect(packageEntryPaths({ exports }, "", true)).toEqual(["./p.cjs"]);
  });
});
