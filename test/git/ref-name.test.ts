import { describe, expect, it } from "vitest";
import { parseRefName } from "../../src/git/ref-name.ts";

// What `git check-ref-format` of git 2.39.5 says of each.
const VALID = [
  "refs/heads/main",
  "refs/heads/feature/a-b_c.d",
  "refs/heads/é",
  "refs/heads/-x",
  "refs/heads/@",
  "refs/heads/{",
  "refs/heads/a@b",
  "refs/tags/v1.0",
  "refs/stash",
  "refs/heads/a.lockx",
  "refs/heads/HEAD",
  "refs/heads/a'b\"c$d",
];

const INVALID = [
  "refs/heads/",
  "refs/heads//a",
  "refs//heads",
  "refs/heads/.a",
  "refs/heads/a.",
  "refs/heads/a..b",
  "refs/heads/a.lock",
  "refs/heads/a.lock/b",
  "refs/heads/a b",
  "refs/heads/a~b",
  "refs/heads/a^b",
  "refs/heads/a:b",
  "refs/heads/a?b",
  "refs/heads/a*b",
  "refs/heads/a[b",
  "refs/heads/a\\b",
  "refs/heads/a@{b",
  "refs/heads/a\tb",
  "refs/heads/a\nb",
  "refs/heads/a\u007fb",
  "refs/.x/a",
];

/** Fine for git check-ref-format, but not for pushing here. */
const REFUSED_HERE = [
  "HEAD",
  "main",
  "heads/main",
  "ref/heads/main",
  "xrefs/heads/main",
  "refs/heads/\ufffd",
  "refs/heads/\u009b31m",
];

describe("parseRefName", () => {
  it.each(VALID)("takes %j", (name) => {
    expect(parseRefName(name)).toBe(name);
  });

  it.each([...INVALID, ...REFUSED_HERE, "", "refs", "refs/", "refs/heads/a\0b"])("does not take %j", (name) => {
    expect(parseRefName(name)).toBeUndefined();
  });
});
