import { describe, expect, test } from "vitest";
import { parseObjectFilter } from "../../src/git/object-filter.ts";

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
