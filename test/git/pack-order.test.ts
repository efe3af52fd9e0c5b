import { describe, expect, test } from "vitest";
import { PackIndex } from "../../src/git/pack-index.ts";
import { PackOrder } from "../../src/git/pack-order.ts";
import { makeBlob, makePack } from "./tiny-repository.ts";

describe("PackOrder", () => {
  const blobs = ["a", "b", "c", "d", "e"].map((content) => makeBlob(content));
  const index = new PackIndex(makePack(blobs).idx);
  const order = new PackOrder(index);

  test("has the objects as they lie in the pack", () => {
    const inPack = blobs.map((_, position) => index.idAt(order.objectAt(position)));
    expect(inPack).toEqual(blobs.map(({ id }) => id));
    expect(order.objectAt(blobs.length)).toBe(-1);
  });

  test("has them in order where offsets have several digits", () => {
    const many = Array.from({ length: 500 }, (_, i) => makeBlob(`${i} `.repeat(200 * (i % 7))));
    const distinct = [...new Map(many.map((blob) => [blob.id, blob])).values()];
    const manyIndex = new PackIndex(makePack(distinct).idx);
    const manyOrder = new PackOrder(manyIndex);
    const inPack = distinct.map((_, position) => manyIndex.idAt(manyOrder.objectAt(position)));
    expect(inPack).toEqual(distinct.map(({ id }) => id));
  });

  test("finds the object at an offset", () => {
    for (let n = 0; n < index.count; n++) expect(order.findOffset(index.offsetAt(n))).toBe(n);
    expect(order.findOffset(13)).toBe(-1);
    expect(order.findOffset(0)).toBe(-1);
  });
});
