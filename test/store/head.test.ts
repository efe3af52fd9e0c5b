import { describe, expect, it } from "vitest";
import { parseRefName } from "../../src/git/ref-name.ts";
import { parseObjectId, ZERO_ID } from "../../src/git/object-id.ts";
import { findDefaultBranch, isProtectedBranch } from "../../src/store/head.ts";
import { updateRef } from "../../src/store/refs.ts";
import { inDatabase } from "./memory.ts";
import { STORED_SETTINGS } from "./stored-settings.ts";

describe("findDefaultBranch", () => {
  it.each<[string, string[], string | undefined]>([
    ["main", ["heads/a", "heads/main", "heads/master", "tags/1"], "refs/heads/main"],
    ["master without main", ["heads/a", "heads/master", "heads/main-2"], "refs/heads/master"],
    ["the first by name without either", ["heads/b", "heads/a/main", "tags/a"], "refs/heads/a/main"],
    ["none without branches", ["tags/a", "heads-up/x"], undefined],
  ])("finds %s", async (name, refs, expected) => {
    const found = await inDatabase(`head-${name}`, (db) => {
      for (const ref of refs) {
        updateRef(db, { name: parseRefName(`refs/${ref}`)!, oldId: ZERO_ID, newId: parseObjectId("1".repeat(40))! }, 1);
      }
      return findDefaultBranch(db);
    });
    expect(found).toBe(expected);
  });
});

describe("isProtectedBranch", () => {
  it.each<[string, boolean, string, boolean]>([
    ["refs/heads/trunk", true, "refs/heads/trunk", true],
    ["refs/heads/trunk", true, "refs/heads/main", false],
    ["refs/heads/trunk", false, "refs/heads/trunk", false],
    ["refs/heads/main", false, "refs/heads/main", true],
  ])("with HEAD at %s, deploys %s, of %s is %s", (head, deploy, name, expected) => {
    const settings = { ...STORED_SETTINGS, deploy };
    expect(isProtectedBranch({ head: parseRefName(head), settings }, name)).toBe(expected);
  });
});
