import { describe, expect, it } from "vitest";
import { ZERO_ID, objectIdFromBytes, objectIdToBytes, parseObjectId } from "../../src/git/object-id.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";

describe("parseObjectId", () => {
  it.each([ID, ZERO_ID])("takes %s", (text) => {
    expect(parseObjectId(text)).toBe(text);
  });

  it.each(["", ID.slice(1), `${ID}0`, ID.toUpperCase(), `${ID}\n`, `g${ID.slice(1)}`, ` ${ID.slice(1)}`])(
    "does not take %j",
    (text) => {
      expect(parseObjectId(text)).toBeUndefined();
    },
  );
});

describe("objectIdFromBytes and objectIdToBytes", () => {
  it("are each other's inverse, at any offset of any view", () => {
    const bytes = objectIdToBytes(parseObjectId(ID)!);
    expect(bytes.byteLength).toBe(20);
    expect(objectIdFromBytes(bytes)).toBe(ID);
    const larger = new Uint8Array(64);
    larger.set(bytes, 13);
    expect(objectIdFromBytes(larger.subarray(3), 10)).toBe(ID);
  });
});
