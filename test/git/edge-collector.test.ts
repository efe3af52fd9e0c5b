import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { EdgeCollector } from "../../src/git/edge-collector.ts";
import { EdgeFile, writeEdgeFile } from "../../src/git/edge-file.ts";
import { edgesOf, timeOf } from "../../src/git/object-edges.ts";
import { ObjectIdTable } from "../../src/git/object-id-table.ts";

import { type ObjectKind, hashObjectBytes } from "../../src/git/object.ts";
import { RECORDED_OBJECTS, recordedContent } from "./recorded-pack.ts";

interface MadeObject {
  readonly kind: ObjectKind;
  readonly bytes: Uint8Array;
}

const hex = (id: Uint8Array): string => Buffer.from(id).toString("hex");
const idOf = (text: string): Uint8Array => createHash("sha1").update(text).digest();

function treeOf(ids: readonly Uint8Array[], mode = "100644"): MadeObject {
  const entries = ids.flatMap((id, i) => [Buffer.from(`${mode} f${String(i).padStart(4, "0")}\0`), id]);
  return { kind: "tree", bytes: Buffer.concat(entries) };
}

/** Collects the objects, and reads for each of them what it names from the edge file that comes of it. */
function namesAfterCollecting(objects: readonly MadeObject[]): {
  names: string[][];
  file: EdgeFile;
  bytes: Uint8Array;
} {
  const table = new ObjectIdTable();
  const collector = new EdgeCollector(table);
  const numbers = objects.map(({ kind, bytes }) => {
    const number = table.add(hashObjectBytes(kind, bytes));
    collector.add({ number, kind, sizeBytes: bytes.byteLength }, bytes);
    return number;
  });
  // Not the order in which they were added.
  const order = [...new Set(numbers)].toSorted((a, b) => Buffer.compare(table.bytesAt(a), table.bytesAt(b)));
  const bytes = writeEdgeFile(collector.columns(order));
  const file = new EdgeFile(bytes);
  const idAt = (target: number): string =>
    target < file.count ? table.idAt(order[target] ?? 0) : file.externalAt(target - file.count);
  const names = numbers.map((number) => file.edgesAt(order.indexOf(number)).map(idAt));
  return { names, file, bytes };
}

describe("EdgeCollector", () => {
  it("says of recorded objects what they name, their kinds, sizes and times", () => {
    const objects = RECORDED_OBJECTS.map(({ id, kind }) => ({ kind, bytes: recordedContent(id) }));
    const { names, file } = namesAfterCollecting(objects.toReversed());
    expect(names.toReversed()).toEqual(objects.map(({ kind, bytes }) => edgesOf(kind, bytes)));
    RECORDED_OBJECTS.forEach(({ kind, sizeBytes }, n) => {
      expect([file.kindAt(n), file.sizeAt(n)]).toEqual([kind, sizeBytes]);
      expect(file.timeAt(n)).toBe(timeOf(kind, objects[n]!.bytes));
    });
    expect(file.externalCount).toBe(0);
  });

  it("keeps every order of entries, and trees that repeat one another take little space", () => {
    const files = Array.from({ length: 400 }, (_, i) => idOf(`0 ${i}`));
    const trees = Array.from({ length: 500 }, (_, version) => {
      files[(version * 7919) % (version % 3 === 0 ? 400 : 12)] = idOf(`${version} x`);
      return treeOf(files);
    });
    const { names, bytes } = namesAfterCollecting(trees);
    expect(names).toEqual(trees.map(({ bytes: tree }) => edgesOf("tree", tree)));
    expect(bytes.byteLength).toBeLessThan((500 * 400 * 4) / 4);
  });

  it("keeps what is named twice, nothing, and what shrinks or is turned round", () => {
    const [a, b, c] = [idOf("a"), idOf("b"), idOf("c")];
    const trees = [[a, b, c], [], [a, a, a, b], [c, b, a], [b, c], [a, b, c, a, b, c], [c, c], [a]].map((ids) =>
      treeOf(ids),
    );
    const { names, file } = namesAfterCollecting(trees);
    expect(names).toEqual(trees.map(({ bytes }) => edgesOf("tree", bytes)));
    expect(file.externalCount).toBe(3);
  });

  it("takes an object once, and a blob without its content", () => {
    const table = new ObjectIdTable();
    const collector = new EdgeCollector(table);
    const blob = table.add(idOf("blob"));
    collector.add({ number: blob, kind: "blob", sizeBytes: 2 ** 40 }, new Uint8Array(0));
    collector.add({ number: blob, kind: "blob", sizeBytes: 7 }, new Uint8Array(0));
    expect(new EdgeFile(writeEdgeFile(collector.columns([blob]))).sizeAt(0)).toBe(0xffff_ffff);
  });

  it("gives an object that the pack has twice its edges the first time, and names that", () => {
    const table = new ObjectIdTable();
    const collector = new EdgeCollector(table);
    const inner = treeOf([idOf("a"), idOf("b")]);
    const outer = treeOf([hashObjectBytes("tree", inner.bytes)], "40000");
    const numbers = [inner, outer].map(({ kind, bytes }) => {
      const number = table.add(hashObjectBytes(kind, bytes));
      collector.add({ number, kind, sizeBytes: bytes.byteLength }, bytes);
      return number;
    });
    const file = new EdgeFile(writeEdgeFile(collector.columns([...numbers, ...numbers])));
    expect([0, 1, 2, 3].map((n) => file.edgesAt(n))).toEqual([[4, 5], [0], [], []]);
    expect([0, 1, 2, 3].map((n) => file.kindAt(n))).toEqual(["tree", "tree", "tree", "tree"]);
  });

  it("refuses an object that cannot be parsed", () => {
    const collector = new EdgeCollector(new ObjectIdTable());
    expect(() => collector.add({ number: 0, kind: "tree", sizeBytes: 1 }, Buffer.from("x"))).toThrow(
      expect.objectContaining({ code: "object-invalid" }),
    );
  });

  it("finds an id that is named as what it is not", () => {
    const collectedWith = (...objects: readonly MadeObject[]): { table: ObjectIdTable; collector: EdgeCollector } => {
      const table = new ObjectIdTable();
      const collector = new EdgeCollector(table);
      for (const { kind, bytes } of objects) {
        collector.add({ number: table.add(hashObjectBytes(kind, bytes)), kind, sizeBytes: bytes.byteLength }, bytes);
      }
      return { table, collector };
    };
    const blob: MadeObject = { kind: "blob", bytes: Buffer.from("blob") };
    const blobId = hashObjectBytes("blob", blob.bytes);
    const asBlob = treeOf([blobId]);
    const asTree = treeOf([blobId], "40000");
    expect(collectedWith(blob, asBlob).collector.findMisnamed()).toBe(-1);
    expect(collectedWith(asTree).collector.findMisnamed()).toBe(-1);
    for (const objects of [
      [blob, asTree],
      [asTree, blob],
      [asTree, asBlob],
    ]) {
      const { table, collector } = collectedWith(...objects);
      expect(hex(table.bytesAt(collector.findMisnamed()))).toBe(hex(blobId));
    }
  });

  it("knows as what an external is named", () => {
    const table = new ObjectIdTable();
    const collector = new EdgeCollector(table);
    const commit = Buffer.from(`tree ${hex(idOf("t"))}\nparent ${hex(idOf("p"))}\nauthor a\n`);
    collector.add({ number: table.add(idOf("c")), kind: "commit", sizeBytes: commit.byteLength }, commit);
    const named = ["t", "p", "c"].map((name) => collector.kindNamed(table.find(idOf(name))));
    expect(named).toEqual(["tree", "commit", undefined]);
  });
});
