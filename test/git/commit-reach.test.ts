import { describe, expect, test } from "vitest";
import { type ReachGoal, canAllReach, findUnreachable, reachCommits } from "../../src/git/commit-reach.ts";
import { all, at, c1, c2, c3, d, graph, lost, lostBlob, lostTree, one, outer, r1, tag, topic } from "./tiny-history.ts";
import type { TinyObject } from "./tiny-repository.ts";

describe("findUnreachable", () => {
  const tips = all(outer, d);
  test.each([
    ["tips", [outer, d]],
    ["commits and tags", [c1, tag]],
    ["trees and blobs", [r1, one, topic]],
  ] as const)("finds %s reached", (_, wants) => expect(findUnreachable(graph, tips, all(...wants))).toBeUndefined());

  test("names the first object that no ref reaches", () => {
    expect(findUnreachable(graph, tips, all(c1, lost))).toBe(at(lost));
    expect(findUnreachable(graph, tips, all(c1, lostBlob, lostTree))).toBe(at(lostBlob));
    expect(findUnreachable(graph, [], all(c1))).toBe(at(c1));
  });
});

const goalOf = (...goals: TinyObject[]): ReachGoal => {
  const goal = new Set(all(...goals));
  return { has: (commit) => goal.has(commit), oldestS: 0 };
};

describe("reachCommits", () => {
  test("has the commits alone", () => {
    expect(reachCommits(graph, all(outer, r1))).toEqual(new Set(all(c3, c2, c1)));
    expect(reachCommits(graph, [])).toEqual(new Set());
  });
});

describe("canAllReach", () => {
  test.each([
    [[c3], [c1], true],
    [[c3, d], [c1], true],
    [[c3, d], [c2], false],
    [[outer], [c3], true],
    [[c1], [c2], false],
    [[one], [], true],
  ] as const)("%#", (from, goal, expected) => expect(canAllReach(graph, all(...from), goalOf(...goal))).toBe(expected));

  test("does not walk past shallow commits", () => {
    expect(canAllReach(graph, all(c3), { ...goalOf(c1), shallows: new Set(all(c2)) })).toBe(false);
    expect(canAllReach(graph, all(c3), { ...goalOf(c2), shallows: new Set(all(c2)) })).toBe(true);
  });

  test("does not walk past the oldest of the goal", () => {
    expect(canAllReach(graph, all(c3), { ...goalOf(c1), oldestS: 2500 })).toBe(false);
  });
});
