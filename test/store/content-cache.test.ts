import { describe, expect, test } from "vitest";
import { ContentCache } from "../../src/store/content-cache.ts";

function contentOf(number: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(number % 251);
}

describe("ContentCache", () => {
  test("gives back what it keeps, copied", () => {
    const cache = new ContentCache(100);
    const content = contentOf(1, 10);
    expect(cache.keep(1, content)).toEqual(contentOf(1, 10));
    content.fill(9);
    expect(cache.find(1)).toEqual(contentOf(1, 10));
    expect(cache.find(2)).toBeUndefined();
  });

  test("lets the oldest go when there is no room", () => {
    const cache = new ContentCache(100);
    for (let n = 0; n < 6; n++) cache.keep(n, contentOf(n, 20));
    expect(cache.find(0)).toBeUndefined();
    for (let n = 1; n < 6; n++) expect(cache.find(n)).toEqual(contentOf(n, 20));
  });

  test("never gives back anything else, whatever the sizes", () => {
    const cache = new ContentCache(1000);
    let seed = 42;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    const lengths: number[] = [];
    let found = 0;
    for (let n = 0; n < 5000; n++) {
      lengths.push(random(260));
      const kept = cache.keep(n, contentOf(n, lengths[n] ?? 0));
      expect(kept).toEqual(contentOf(n, lengths[n] ?? 0));
      const other = Math.max(0, n - random(12));
      const content = cache.find(other);
      if (content === undefined) continue;
      found += 1;
      expect(content).toEqual(contentOf(other, lengths[other] ?? 0));
    }
    expect(found).toBeGreaterThan(2000);
  });

  test("keeps what takes more than a quarter of it aside, up to a limit of its own", () => {
    const cache = new ContentCache(100);
    for (let n = 0; n < 3; n++) cache.keep(n, contentOf(n, 15_000_000));
    cache.keep(3, contentOf(3, 20));
    expect([0, 1, 2, 3].map((n) => cache.find(n)?.byteLength)).toEqual([undefined, 15_000_000, 15_000_000, 20]);
    cache.keep(4, contentOf(4, 40_000_000));
    expect([1, 2, 4].map((n) => cache.find(n)?.byteLength)).toEqual([undefined, undefined, 40_000_000]);
  });

  test("copies a large view, and takes over a large array", () => {
    const cache = new ContentCache(100);
    const array = contentOf(1, 1000);
    expect(cache.keep(1, array)).toBe(array);
    const kept = cache.keep(2, array.subarray(0, 999));
    array.fill(9);
    expect(kept).toEqual(contentOf(1, 999));
  });

  test("does not keep what is empty", () => {
    const cache = new ContentCache(100);
    expect(cache.keep(1, new Uint8Array(0)).byteLength).toBe(0);
    expect(cache.find(1)).toBeUndefined();
  });

  test("forgets everything when it is cleared", () => {
    const cache = new ContentCache(100);
    cache.keep(1, contentOf(1, 10));
    cache.keep(2, contentOf(2, 50));
    cache.clear();
    expect([cache.find(1), cache.find(2)]).toEqual([undefined, undefined]);
  });
});
