import { describe, expect, test } from "vitest";
import { PackCache } from "../../src/store/pack-cache.ts";

describe("PackCache", () => {
  test("lets the least recently used go", () => {
    const cache = new PackCache(100);
    for (const key of ["a", "b", "c"]) cache.keep(key, new Uint8Array(30));
    cache.find("a");
    cache.keep("d", new Uint8Array(30));
    expect(["a", "b", "c", "d"].filter((key) => cache.find(key) !== undefined)).toEqual(["a", "c", "d"]);
    expect(cache.sizeBytes).toBe(90);
  });

  test("does not keep what takes more than half of it", () => {
    const cache = new PackCache(100);
    cache.keep("small", new Uint8Array(40));
    cache.keep("large", new Uint8Array(51));
    expect(cache.find("large")).toBeUndefined();
    expect(cache.find("small")?.byteLength).toBe(40);
  });

  test("counts a key that is kept again once", () => {
    const cache = new PackCache(100);
    cache.keep("a", new Uint8Array(40));
    cache.keep("a", new Uint8Array(30));
    expect(cache.sizeBytes).toBe(30);
    cache.drop("a");
    expect(cache.sizeBytes).toBe(0);
  });
});
