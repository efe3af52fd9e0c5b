import { describe, expect, test } from "vitest";
import { findUnreachable } from "../../src/git/commit-reach.ts";
import { parseObjectFilter } from "../../src/git/object-filter.ts";
import { type RevListRequest, SENT, listObjects } from "../../src/git/rev-list.ts";
import {
  all,
  c1,
  c2,
  c3,
  d,
  dir1,
  dir3,
  dir2,
  graph,
  names,
  one,
  outer,
  r1,
  r2,
  r3,
  same,
  three,
  topic,
  two,
} from "./tiny-history.ts";
import { makeGraph, numbersOf } from "./tiny-repository.ts";

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

  test("leaves out trees and blobs that the client names itself and has", () => {
    expect(list({ wants: all(three, dir3, topic), haves: all(c3) })).toEqual(["topic"]);
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
