import { describe, expect, it } from "vitest";
import { editDistance, nearestName } from "../../build/nearest.ts";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["kitten", "sitting", 3],
    ["flaw", "lawn", 2],
  ])("from %j to %j is %i", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });
});

describe("nearestName", () => {
  it("finds the closest name, whatever its case", () => {
    expect(nearestName("src/idnex", ["src/main", "src/index", "src/inbox"])).toBe("src/index");
    expect(nearestName("ROOM", ["groom", "room"])).toBe("room");
  });

  it("takes the first of equally close names, in any order of them", () => {
    expect(nearestName("cat", ["hat", "bat", "rat"])).toBe("bat");
    expect(nearestName("cat", ["bat", "rat", "hat"])).toBe("bat");
  });

  it("finds nothing where nothing is close", () => {
    expect(nearestName("zod", ["react", "hono"])).toBeUndefined();
  });
});
