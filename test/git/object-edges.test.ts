import { describe, expect, it } from "vitest";
import { edgesOf, forEachEdge, timeOf } from "../../src/git/object-edges.ts";
import type { ObjectKind } from "../../src/git/object.ts";
import { RECORDED_OBJECTS, recordedContent } from "./recorded-pack.ts";

const SECOND = "180d3f98ab2b8977807668f545bf2a26585a84e6";
const FIRST = "be0caa473215730c4ec181ccf6041b186c630799";
const TREE = "c0c7f1ed919a1cc87d80e020c6823fa409f270d1";
const FIRST_TREE = "75d372d3926c61dc5a5438093d7db67a76cfd312";
const TAG = "deafd6a28839f3c0a22acc7d847ade751e09fc8a";
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe("edgesOf", () => {
  it("names a commit's tree, then its parents", () => {
    expect(edgesOf("commit", recordedContent(SECOND))).toEqual([TREE, FIRST]);
    const merge = text(`tree ${TREE}\nparent ${FIRST}\nparent ${SECOND}\nauthor x\n\nparent ${TAG}\n`);
    expect(edgesOf("commit", merge)).toEqual([TREE, FIRST, SECOND]);
  });

  it("names a tree's entries but for gitlinks", () => {
    expect(edgesOf("tree", recordedContent(FIRST_TREE))).toEqual([
      "ce013625030ba8dba906f756967f9e9ca394464a",
      "42061c01a1c70097d1e4579f29a5adf40abdec95",
      "1a2485251c33a70432394c93fb89330ef214bfc9",
      expect.stringMatching(/^[0-9a-f]{40}$/),
    ]);
    expect(edgesOf("tree", new Uint8Array(0))).toEqual([]);
  });

  it("names a tag's target", () => {
    expect(edgesOf("tag", recordedContent(TAG))).toEqual([SECOND]);
  });

  it("finds nothing in a blob", () => {
    expect(edgesOf("blob", text(`tree ${TREE}\n`))).toEqual([]);
  });

  it("reads ids in upper case as git does", () => {
    expect(edgesOf("commit", text(`tree ${TREE.toUpperCase()}\n`))).toEqual([TREE]);
  });

  const MALFORMED: readonly (readonly [kind: ObjectKind, content: string])[] = [
    ["commit", ""],
    ["commit", `tree ${TREE}`],
    ["commit", `tree ${TREE}0\n`],
    ["commit", `tree ${TREE.slice(1)}g\n`],
    ["commit", `parent ${FIRST}\n`],
    ["commit", `tree ${TREE}\nparent ${FIRST.slice(1)}\n`],
    ["tag", `object ${FIRST}\n`],
    ["tag", `object ${FIRST}\ntype branch\n`],
    ["tag", `type commit\nobject ${FIRST}\n`],
    ["tree", "100644 a"],
  ];
  it.each(MALFORMED)("refuses the %s %j", (kind, content) => {
    expect(() => edgesOf(kind, text(content))).toThrow(expect.objectContaining({ code: "object-invalid" }));
  });
});

describe("forEachEdge", () => {
  it("says of what kind each object must be", () => {
    expect(kindsIn("commit", recordedContent(SECOND))).toEqual(["tree", "commit"]);
    expect(kindsIn("tree", recordedContent(FIRST_TREE))).toEqual(["blob", "blob", "blob", "tree"]);
    expect(kindsIn("tag", text(`object ${FIRST}\ntype tree\n`))).toEqual(["tree"]);
  });

  it("agrees with the kinds of the objects that git stored", () => {
    const kinds = new Map(RECORDED_OBJECTS.map(({ id, kind }) => [id, kind]));
    for (const { id, kind } of RECORDED_OBJECTS) {
      forEachEdge(kind, recordedContent(id), (idBytes, offset, edgeKind) => {
        expect(kinds.get(Buffer.from(idBytes.subarray(offset, offset + 20)).toString("hex"))).toBe(edgeKind);
      });
    }
  });
});

describe("timeOf", () => {
  it("is when a commit was committed and a tag made", () => {
    expect(timeOf("commit", recordedContent(SECOND))).toBe(1700000100);
    expect(timeOf("tag", recordedContent(TAG))).toBe(1700000100);
    expect(timeOf("tree", recordedContent(TREE))).toBe(0);
    expect(timeOf("blob", text("committer A <a@b> 5 +0000\n"))).toBe(0);
  });

  it.each([
    [`tree ${TREE}\nparent ${FIRST}\nparent ${SECOND}\nauthor A <> 5 +0000\ncommitter C <c> 6 +0000\n`, 6],
    [`tree ${TREE}\nauthor A <> 5 +0000\ncommitter C <c> 99999999999 +0000\n`, 0xffff_ffff],
    [`tree ${TREE}\nauthor A <> 5 +0000\ncommitter C > <c> 7 +0000\n`, 7],
    [`tree ${TREE}\nauthor A <> 5 +0000\ncommitter C 7 +0000\n`, 0],
    [`tree ${TREE}\nauthor A <> 5 +0000\ncommitter C <c> -7 +0000\n`, 0],
    [`tree ${TREE}\nauthor A <> 5 +0000\n\ncommitter C <c> 7 +0000\n`, 0],
    [`tree ${TREE}\ncommitter C <c> 7 +0000\n`, 0],
    [`tree ${TREE}\n`, 0],
    ["", 0],
  ])("reads the commit %j as git does", (content, timeS) => {
    expect(timeOf("commit", text(content))).toBe(timeS);
  });

  it("is 0 for a tag without a tagger", () => {
    expect(timeOf("tag", text(`object ${FIRST}\ntype commit\ntag v1\n\ntagger A <> 5 +0000\n`))).toBe(0);
  });
});

function kindsIn(kind: ObjectKind, bytes: Uint8Array): string[] {
  const kinds: string[] = [];
  forEachEdge(kind, bytes, (_idBytes, _offset, edgeKind) => kinds.push(edgeKind));
  return kinds;
}
