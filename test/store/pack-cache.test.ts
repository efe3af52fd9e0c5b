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

  test("keeps one file that takes more than half of it, beside the others", () => {
    const cache = new PackCache(100);
    cache.keep("small", new Uint8Array(40));
    cache.keep("large", new Uint8Array(51));
    cache.keep("larger", new Uint8Array(100));
    expect(["small", "large", "larger"].map((key) => cache.find(key)?.byteLength)).toEqual([40, undefined, 100]);
    expect(cache.sizeBytes).toBe(40);
    cache.keep("too large", new Uint8Array(101));
    expect(cache.find("too large")).toBeUndefined();
    expect(cache.find("larger")?.byteLength).toBe(100);
  });

  test("lets the large file go where it is dropped, and where all large files are", () => {
    const cache = new PackCache(100);
    cache.keep("large", new Uint8Array(60));
    cache.drop("large");
    expect(cache.find("large")).toBeUndefined();
    cache.keep("large", new Uint8Array(60));
    cache.dropLarge();
    expect(cache.find("large")).toBeUndefined();
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
