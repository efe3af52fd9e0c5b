import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ObjectIdTable } from "../../src/git/object-id-table.ts";

const idOf = (n: number): Uint8Array => createHash("sha1").update(String(n)).digest();

describe("ObjectIdTable", () => {
  it("numbers ids in order of first appearance", () => {
    const table = new ObjectIdTable();
    expect([idOf(7), idOf(8), idOf(7), idOf(9)].map((id) => table.add(id))).toEqual([0, 1, 0, 2]);
    expect(table.size).toBe(3);
    expect([idOf(9), idOf(10)].map((id) => table.find(id))).toEqual([2, -1]);
  });

  it("keeps its numbers as it grows", () => {
    const table = new ObjectIdTable();
    for (let n = 0; n < 5000; n++) expect(table.add(idOf(n))).toBe(n);
    for (let n = 0; n < 5000; n++) expect(table.find(idOf(n))).toBe(n);
    expect(table.find(idOf(5000))).toBe(-1);
    expect(table.size).toBe(5000);
    expect(Buffer.from(table.bytesAt(4321)).equals(idOf(4321))).toBe(true);
    expect(table.idAt(4321)).toBe(Buffer.from(idOf(4321)).toString("hex"));
    expect(table.bytes.byteLength).toBe(5000 * 20);
  });

  it("reads ids at an offset", () => {
    const table = new ObjectIdTable();
    const bytes = Buffer.concat([Buffer.from("xyz"), idOf(1), idOf(2)]);
    expect([table.add(bytes, 3), table.add(bytes, 23), table.find(idOf(2))]).toEqual([0, 1, 1]);
  });

  it("knows the id of zeros, and ids that differ in one byte", () => {
    const table = new ObjectIdTable();
    const ids = Array.from({ length: 20 }, (_, at) => new Uint8Array(20).fill(1, at, at + 1));
    expect(table.find(new Uint8Array(20))).toBe(-1);
    expect([new Uint8Array(20), ...ids].map((id) => table.add(id))).toEqual(Array.from({ length: 21 }, (_, i) => i));
  });

  it("finds ids that share their slot", () => {
    const table = new ObjectIdTable(new Uint32Array(20 * 256));
    for (let n = 0; n < 300; n++) table.add(idOf(n));
    for (let n = 0; n < 300; n++) expect(table.find(idOf(n))).toBe(n);
    expect(table.find(idOf(300))).toBe(-1);
  });
});
