import { describe, expect, it } from "vitest";
import { globToRegExp } from "../../build/glob.ts";

describe("globToRegExp", () => {
  it.each([
    ["**/*.txt", ["a.txt", "a/b/c.txt"], ["a.txt.js", "txt"]],
    ["*.txt", ["a.txt", ".txt"], ["a/b.txt"]],
    ["./src/**", ["src/a", "src/a/b.js"], ["src", "lib/a"]],
    ["packages/*", ["packages/a"], ["packages/a/b", "packages"]],
    ["packages/*/", ["packages/a"], ["packages/a/b"]],
    ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]],
    ["{a,b}/?.{js,ts}", ["a/1.js", "b/2.ts"], ["c/1.js", "a/12.js", "{a,b}/1.js"]],
    ["a+(b)[c].js", ["a+(b)[c].js"], ["ab.js", "abc.js"]],
    ["{a", ["{a"], ["a"]],
    ["a**b", ["a1b"], ["a/b"]],
  ])("of %s", (glob, matching, others) => {
    const pattern = globToRegExp(glob);
    expect(matching.filter((path) => !pattern.test(path))).toEqual([]);
    expect(others.filter((path) => pattern.test(path))).toEqual([]);
  });
});
