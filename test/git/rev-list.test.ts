import { describe, expect, test } from "vitest";
import { type ReachGoal, canAllReach, findUnreachable } from "../../src/git/commit-reach.ts";
import { parseObjectFilter } from "../../src/git/object-filter.ts";
import { type RevListRequest, SENT, listObjects } from "../../src/git/rev-list.ts";
import { historyByDepth, historyByRevList } from "../../src/git/shallow.ts";
import { type TinyObject, makeBlob, makeCommit, makeGraph, makeTag, makeTree, numbersOf } from "./tiny-repository.ts";

// c1 - c2 - c3 (main), and c1 - d (topic). Each of c2, c3 and d changes one file two levels down.
const same = makeBlob("same");
const one = makeBlob("one");
const two = makeBlob("two");
const three = makeBlob("three");
const topic = makeBlob("topic");
const dir1 = makeTree({ "file.txt": one });
const dir2 = makeTree({ "file.txt": two });
const dir3 = makeTree({ "file.txt": three });
const dird = makeTree({ "file.txt": topic });
const r1 = makeTree({ a: same, dir: dir1 });
const r2 = makeTree({ a: same, dir: dir2 });
const r3 = makeTree({ a: same, dir: dir3 });
const rd = makeTree({ a: same, dir: dird });
const c1 = makeCommit(r1, [], 1000);
const c2 = makeCommit(r2, [c1], 2000);
const c3 = makeCommit(r3, [c2], 3000);
const d = makeCommit(rd, [c1], 2500);
const tag = makeTag(c3, "v1");
const outer = makeTag(tag, "outer");
const lostBlob = makeBlob("lost");
const lostTree = makeTree({ lost: lostBlob });
const lost = makeCommit(lostTree, [], 10);
const objects = { same, one, two, three, topic, dir1, dir2, dir3, dird, r1, r2, r3, rd, c1, c2, c3, d, tag, outer };
const names = new Map<string, string>(Object.entries(objects).map(([name, object]) => [object.id, name]));
const older = [same, one, two, dir1, dir2, r1, r2, c1, c2];
// The second pack repeats what is in the first, as a completed thin pack does.
const newer = [same, c2, three, topic, dir3, dird, r3, rd, c3, d, tag, outer];
const lostPack = [lost, lostTree, lostBlob];
const graph = makeGraph([older, newer, lostPack]);
const at = (object: TinyObject): number => numbersOf(graph, [object])[0] ?? -1;
const all = (...wanted: TinyObject[]): number[] => numbersOf(graph, wanted);

function list(request: RevListRequest): string[] {
  const { marks, sentCount } = listObjects(graph, request);
  const sent: string[] = [];
  marks.forEach((mark, number) => {
    if (mark & SENT) sent.push(names.get(graph.objects.idAt(number)) ?? "?");
  });
  expect(sent.length).toBe(sentCount);
  return sent.toSorted();
}

describe("listObjects", () => {
  test("takes everything that a want reaches, each object once", () => {
    expect(list({ wants: all(c3), haves: [] })).toEqual([
      "c1",
      "c2",
      "c3",
      "dir1",
      "dir2",
      "dir3",
      "one",
      "r1",
      "r2",
      "r3",
      "same",
      "three",
      "two",
    ]);
  });

  test("leaves out the trees and blobs of what the client has", () => {
    expect(list({ wants: all(c3), haves: all(c2) })).toEqual(["c3", "dir3", "r3", "three"]);
  });

  test("leaves out the trees of the boundary when the have is on another branch", () => {
    expect(list({ wants: all(c3), haves: all(d) })).toEqual(["c2", "c3", "dir2", "dir3", "r2", "r3", "three", "two"]);
  });

  test("takes nothing that the client has, also through tags", () => {
    expect(list({ wants: all(c3, c1), haves: all(outer) })).toEqual([]);
    expect(list({ wants: all(outer), haves: all(c3) })).toEqual(["outer", "tag"]);
  });

  test("ends at shallow commits", () => {
    expect(list({ wants: all(c3), haves: [], shallows: all(c3) })).toEqual(["c3", "dir3", "r3", "same", "three"]);
  });

  test("does not take what lies behind the client's shallow commits for what it has", () => {
    expect(list({ wants: all(c3, c1), haves: all(c2), shallows: all(c2) })).toEqual([
      "c1",
      "c3",
      "dir1",
      "dir3",
      "one",
      "r1",
      "r3",
      "three",
    ]);
  });

  test("takes an object once that a pack has twice", () => {
    const twice = makeGraph([[c1, r1, same, one, dir1, c1, same, c2, r2, two, dir2, c2]]);
    const [want = -1] = numbersOf(twice, [c2]);
    expect(listObjects(twice, { wants: [want], haves: [] }).sentCount).toBe(9);
    expect(listObjects(twice, { wants: [want], haves: numbersOf(twice, [c1]) }).sentCount).toBe(4);
    expect(findUnreachable(twice, [want], numbersOf(twice, [c1, same]))).toBeUndefined();
  });

  test("follows a tag where what it names is sent", () => {
    expect(list({ wants: all(c3), haves: all(c2), followTags: all(outer) })).toContain("tag");
    expect(list({ wants: all(d), haves: all(c1), followTags: all(outer) })).toEqual(["d", "dird", "rd", "topic"]);
  });

  const filters: readonly (readonly [string, readonly string[]])[] = [
    ["blob:none", ["c3", "dir3", "r3"]],
    ["blob:limit=5", ["c3", "dir3", "r3", "same"]],
    ["blob:limit=1k", ["c3", "dir3", "r3", "same", "three"]],
    ["tree:0", ["c3"]],
    ["tree:1", ["c3", "r3"]],
    ["tree:2", ["c3", "dir3", "r3", "same"]],
    ["tree:3", ["c3", "dir3", "r3", "same", "three"]],
    ["object:type=tree", ["c3", "dir3", "r3"]],
    ["object:type=blob", ["c3", "same", "three"]],
    ["object:type=commit", ["c3"]],
    ["combine:tree:2+blob:none", ["c3", "dir3", "r3"]],
  ];
  test.each(filters)("filters by %s", (spec, expected) => {
    const filter = parseObjectFilter(spec);
    expect(filter).toBeDefined();
    if (filter) expect(list({ wants: all(c3), haves: [], shallows: all(c3), filter })).toEqual(expected);
  });

  test("sends what the client names itself whatever the filter says", () => {
    const filter = parseObjectFilter("tree:0");
    if (filter) expect(list({ wants: all(three, r3), haves: [], filter })).toEqual(["r3", "three"]);
    const shallow = parseObjectFilter("tree:1");
    if (shallow) expect(list({ wants: all(r3), haves: [], filter: shallow })).toEqual(["dir3", "r3", "same"]);
  });
});

describe("parseObjectFilter", () => {
  test.each([
    "",
    "blob",
    "blob:limit",
    "blob:limit=-1",
    "blob:limit=1t",
    "tree:",
    "tree:x",
    "object:type=x",
    "sparse:oid=main",
    "combine:",
    "combine:tree:0+x",
    "combine:tree:0+blob:limit=(1",
    `${"combine:".repeat(20)}tree:0`,
  ])("refuses %j", (spec) => expect(parseObjectFilter(spec)).toBeUndefined());

  test("decodes what is nested", () => {
    expect(parseObjectFilter("combine:combine%3Atree%3A3%2Bblob%3Alimit%3D1m+tree:2")).toMatchObject({
      treeDepth: 2,
      blobBytes: 1024 * 1024,
    });
  });
});

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

describe("canAllReach", () => {
  test.each([
    [[c3], [c1], true],
    [[c3, d], [c1], true],
    [[c3, d], [c2], false],
    [[outer], [c3], true],
    [[c1], [c2], false],
    [[one], [], true],
  ] as const)("%#", (from, goal, expected) => expect(canAllReach(graph, all(...from), goalOf(...goal))).toBe(expected));

  test("does not walk past the oldest of the goal", () => {
    expect(canAllReach(graph, all(c3), { ...goalOf(c1), oldestS: 2500 })).toBe(false);
  });
});

describe("historyByDepth", () => {
  test.each([
    [[c3], 1, [c3], []],
    [[c3], 2, [c2], [c3]],
    [[c3, d], 2, [c2, c1], [c3, d]],
    [[outer], 3, [c1], [c3, c2]],
    [[c3], 9, [], [c3, c2, c1]],
  ] as const)("%#", (tips, depth, borders, interior) => {
    const history = historyByDepth(graph, all(...tips), depth);
    expect(new Set(history.borders)).toEqual(new Set(all(...borders)));
    expect(history.interior).toEqual(new Set(all(...interior)));
  });
});

describe("historyByRevList", () => {
  test.each([
    [{ sinceS: 2000, excluded: [] }, [c2], [c3]],
    [{ sinceS: 1, excluded: [] }, [], [c3, c2, c1]],
    [{ sinceS: undefined, excluded: [c1] }, [c2], [c3]],
    [{ sinceS: 3000, excluded: [c1] }, [c3], []],
  ] as const)("%#", ({ sinceS, excluded }, borders, interior) => {
    const history = historyByRevList(graph, all(c3), { sinceS, excluded: all(...excluded) });
    expect(new Set(history?.borders)).toEqual(new Set(all(...borders)));
    expect(history?.interior).toEqual(new Set(all(...interior)));
  });

  test("is undefined where nothing is left", () => {
    expect(historyByRevList(graph, all(c3), { sinceS: 4000, excluded: [] })).toBeUndefined();
    expect(historyByRevList(graph, all(c2), { sinceS: undefined, excluded: all(c3) })).toBeUndefined();
  });
});
