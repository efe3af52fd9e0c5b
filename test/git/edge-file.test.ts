import { describe, expect, it } from "vitest";
import { EdgeFile, type EdgeFileColumns, findNamer, writeEdgeFile } from "../../src/git/edge-file.ts";

const X = new Uint8Array(20).fill(0xaa);
const Y = new Uint8Array(20).fill(0xbb);

/** A commit of object 1, the tree of 2, of X and of 2; a blob; a tag of Y; two trees that share a run. */
const COLUMNS: EdgeFileColumns = {
  kinds: Uint8Array.of(1, 2, 3, 4, 2),
  sizes: [200, 90, 2 ** 33, 130, 90],
  times: [1_700_000_000, 0, 0, 2 ** 40, 0],
  firstRuns: [0, 1, 2, 2, 3, 5],
  runs: [0, 1, 1, 3, 4, 1, 4, 1, 2, 2],
  edges: [1, 2, 5, 2, 6],
  externals: Buffer.concat([X, Y]),
};

const WIRE = Buffer.from(
  [
    "53574544 00000001 00000005 00000005 00000005 00000002",
    "0102030402 000000",
    "000000c8 0000005a ffffffff 00000082 0000005a",
    "6553f100 00000000 00000000 ffffffff 00000000",
    "00000000 00000001 00000002 00000002 00000003 00000005",
    "00000000 00000001 00000001 00000003 00000004 00000001 00000004 00000001 00000002 00000002",
    "00000001 00000002 00000005 00000002 00000006",
    "aa".repeat(20) + "bb".repeat(20),
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);

describe("writeEdgeFile", () => {
  it("writes the columns as the format says", () => {
    expect(Buffer.from(writeEdgeFile(COLUMNS)).toString("hex")).toBe(WIRE.toString("hex"));
  });

  it("writes the file of an empty pack", () => {
    const none = new Uint8Array(0);
    const bytes = writeEdgeFile({
      kinds: none,
      sizes: [],
      times: [],
      firstRuns: [0],
      runs: [],
      edges: [],
      externals: none,
    });
    expect(bytes.byteLength).toBe(28);
    expect(new EdgeFile(bytes)).toMatchObject({ count: 0, externalCount: 0 });
  });
});

describe("EdgeFile", () => {
  it("visits an edge once in a walk, whichever object it is reached through", () => {
    const file = new EdgeFile(WIRE);
    const visits = file.startVisits();
    const visited = (n: number): number[] => {
      const targets: number[] = [];
      file.forEachNewEdge(n, visits, (target) => targets.push(target));
      return targets;
    };
    // Objects 1 and 4 share the run of 5 and 2; all that is left of object 4 is what only it has.
    expect([visited(1), visited(1), visited(4), visited(4)]).toEqual([[2, 5, 2], [], [6], []]);
  });

  it("visits all edges of many words once", () => {
    const edges = Array.from({ length: 100 }, () => 0);
    const file = new EdgeFile(
      writeEdgeFile({
        kinds: Uint8Array.of(2, 2),
        sizes: [0, 0],
        times: [0, 0],
        firstRuns: [0, 1, 2],
        runs: [3, 90, 0, 100],
        edges,
        externals: new Uint8Array(0),
      }),
    );
    const visits = file.startVisits();
    let count = 0;
    for (const n of [0, 1, 1, 0]) file.forEachNewEdge(n, visits, () => void count++);
    expect(count).toBe(100);
  });

  for (const [place, bytes] of [
    ["alone", WIRE],
    ["within a larger buffer", Buffer.concat([Buffer.alloc(3), WIRE, Buffer.alloc(5)]).subarray(3, 3 + WIRE.length)],
  ] as const) {
    it(`reads what was written, ${place}`, () => {
      const file = new EdgeFile(bytes);
      const objects = Array.from({ length: file.count }, (_, n) => n);
      expect(objects.map((n) => file.kindAt(n))).toEqual(["commit", "tree", "blob", "tag", "tree"]);
      expect(objects.map((n) => file.sizeAt(n))).toEqual([200, 90, 0xffff_ffff, 130, 90]);
      expect(objects.map((n) => file.timeAt(n))).toEqual([1_700_000_000, 0, 0, 0xffff_ffff, 0]);
      expect(objects.map((n) => file.edgesAt(n))).toEqual([[1], [2, 5, 2], [], [6], [6, 5, 2]]);
      expect([0, 1, 3, 4].map((n) => file.firstEdgeAt(n))).toEqual([1, 2, 6, 6]);
      expect([0, 1].map((k) => file.externalAt(k))).toEqual(["aa".repeat(20), "bb".repeat(20)]);
    });
  }

  it("has no objects, externals or edges beside those", () => {
    const file = new EdgeFile(WIRE);
    for (const n of [-1, 5]) {
      expect(() => file.kindAt(n)).toThrow(RangeError);
      expect(() => file.edgesAt(n)).toThrow(RangeError);
    }
    expect(() => file.externalAt(2)).toThrow(/edge file/);
    expect(() => file.firstEdgeAt(2)).toThrow(/edge file/);
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["a part", WIRE.subarray(0, -1)],
    ["a byte too many", Buffer.concat([WIRE, Buffer.of(0)])],
    ["another format", Buffer.concat([Buffer.from("DIRC"), WIRE.subarray(4)])],
    ["another version", changed(7, 2)],
    ["a count that the bytes do not hold", changed(8, 0x7f)],
  ])("refuses %s", (_claim, bytes) => {
    expect(() => new EdgeFile(bytes)).toThrow(/edge file/);
  });

  it("refuses runs that lie outside of the edges", () => {
    const runsAt = 24 + 8 + 20 + 20 + 24;
    expect(() => new EdgeFile(changed(runsAt + 3, 9)).edgesAt(0)).toThrow(/edge file/);
    expect(() => new EdgeFile(changed(runsAt + 3, 9)).firstEdgeAt(0)).toThrow(/edge file/);
    expect(() => new EdgeFile(changed(runsAt + 7, 9)).edgesAt(0)).toThrow(/edge file/);
    expect(() => new EdgeFile(changed(runsAt - 1, 9)).edgesAt(4)).toThrow(/edge file/);
    expect(() => new EdgeFile(changed(24, 7)).kindAt(0)).toThrow(/edge file/);
  });
});

describe("findNamer", () => {
  it("finds the first object that names a target", () => {
    expect([1, 2, 5, 6, 0].map((target) => findNamer(COLUMNS, target))).toEqual([0, 1, 1, 3, -1]);
  });
});

function changed(at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(WIRE);
  copy[at] = value;
  return copy;
}
