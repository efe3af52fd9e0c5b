import { describe, expect, test } from "vitest";
import { historyByDepth, historyByRevList } from "../../src/git/shallow.ts";
import { all, c1, c2, c3, d, graph, outer } from "./tiny-history.ts";

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
