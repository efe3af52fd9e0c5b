import { describe, expect, it } from "vitest";
import { chooseSlug } from "../../src/store/previews.ts";

const free = { maxLength: 40, isTaken: () => false };

describe("chooseSlug", () => {
  it.each([
    ["fix", "fix"],
    ["feature/X", "feature-x"],
    ["Über_Größe", "uber-gro-e"],
    ["a--b", "a-b"],
    ["-x-", "x"],
    ["release/1.2", "release-1-2"],
  ])("makes %s %s", (branch, slug) => {
    expect(chooseSlug(branch, free)).toBe(slug);
  });

  it.each([
    ["v12", /^v12-[0-9a-f]{6}$/],
    ["V7", /^v7-[0-9a-f]{6}$/],
    ["xn", /^xn-[0-9a-f]{6}$/],
    ["日本", /^branch-[0-9a-f]{6}$/],
    ["x".repeat(41), /^x{33}-[0-9a-f]{6}$/],
    [`${"x".repeat(32)}-${"y".repeat(20)}`, /^x{32}-[0-9a-f]{6}$/],
  ])("gives %s a suffix that stays the same", (branch, slug) => {
    expect(chooseSlug(branch, free)).toMatch(slug);
    expect(chooseSlug(branch, free)).toBe(chooseSlug(branch, free));
  });

  it("gives branches that would be called the same different slugs", () => {
    const taken = new Set<string>();
    for (const branch of ["feature/x", "feature-x", "Feature/X", "feature_x"]) {
      taken.add(chooseSlug(branch, { maxLength: 40, isTaken: (slug) => taken.has(slug) }));
    }
    expect(taken.size).toBe(4);
    expect([...taken][0]).toBe("feature-x");
  });

  it("finds a free one though the suffix is taken too", () => {
    const first = chooseSlug("v12", free);
    expect(chooseSlug("v12", { maxLength: 40, isTaken: (slug) => slug === first })).toMatch(/^v12-[0-9a-f]{7}$/);
  });
});
