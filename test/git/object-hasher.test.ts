import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ObjectHasher } from "../../src/git/object-hasher.ts";

describe("ObjectHasher", () => {
  test.each([
    ["blob", "", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"],
    ["tree", "", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"],
    ["blob", "hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"],
  ] as const)("%s of %j is %s, as for git", (kind, content, id) => {
    expect(Buffer.from(new ObjectHasher().hash(kind, new TextEncoder().encode(content))).toString("hex")).toBe(id);
  });

  test("agrees with node:crypto for every length around its blocks and its limit", () => {
    const hasher = new ObjectHasher();
    const content = Uint8Array.from({ length: 1700 }, (_, at) => (at * 7919) >> 3);
    for (let length = 0; length <= content.byteLength; length++) {
      const bytes = content.subarray(0, length);
      const expected = createHash("sha1").update(`commit ${length}\0`).update(bytes).digest();
      expect(Buffer.compare(hasher.hash("commit", bytes), expected), `${length} bytes`).toBe(0);
    }
  });
});
