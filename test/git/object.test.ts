import { describe, expect, it } from "vitest";
import {
  OBJECT_KIND_NUMBERS,
  hashObject,
  kindOfMode,
  objectKindOf,
  readCommit,
  readTag,
  readTree,
} from "../../src/git/object.ts";
import { RECORDED_OBJECTS, recordedContent } from "./recorded-pack.ts";

const SECOND = "180d3f98ab2b8977807668f545bf2a26585a84e6";
const FIRST = "be0caa473215730c4ec181ccf6041b186c630799";
const TREE = "c0c7f1ed919a1cc87d80e020c6823fa409f270d1";
const FIRST_TREE = "75d372d3926c61dc5a5438093d7db67a76cfd312";
const TAG = "deafd6a28839f3c0a22acc7d847ade751e09fc8a";
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe("hashObject", () => {
  it("names objects as git does", () => {
    for (const { id, kind, sizeBytes } of RECORDED_OBJECTS) {
      const content = recordedContent(id);
      expect(content.byteLength).toBe(sizeBytes);
      expect(hashObject(kind, content)).toBe(id);
    }
    expect(hashObject("blob", new Uint8Array(0))).toBe("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    expect(hashObject("tree", new Uint8Array(0))).toBe("4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  });
});

describe("readCommit", () => {
  it("reads a commit of git's", () => {
    expect(readCommit(recordedContent(SECOND))).toEqual({
      treeId: TREE,
      parentIds: [FIRST],
      author: { name: "A U Thor", email: "author@example.com", timeS: 1700000000, timezone: "+0100" },
      committer: { name: "A U Thor", email: "author@example.com", timeS: 1700000100, timezone: "-0230" },
      committerTime: 1700000100,
      message: "second\n\nWith a body.\n",
    });
    expect(readCommit(recordedContent(FIRST)).parentIds).toEqual([]);
  });

  it("reads around a signature, and names in any script", () => {
    const commit = readCommit(
      text(
        `tree ${TREE}\nparent ${FIRST}\nparent ${SECOND}\nauthor Zoë 山 <z@例> 5 +0000\ncommitter C <> 6 -0100\n` +
          "gpgsig -----BEGIN\n \n author x\n -----END\nencoding UTF-8\n\n\nsubject\n",
      ),
    );
    expect(commit.parentIds).toEqual([FIRST, SECOND]);
    expect(commit.author).toEqual({ name: "Zoë 山", email: "z@例", timeS: 5, timezone: "+0000" });
    expect(commit.committer).toMatchObject({ name: "C", email: "" });
    expect(commit.message).toBe("\nsubject\n");
  });

  it.each([
    ["", { name: "", email: "", timeS: 0 }],
    ["A <a@b>", { name: "A", email: "a@b", timeS: 0 }],
    ["A <a@b> now +0000", { name: "A", email: "a@b", timeS: 0 }],
    ["A <a@b> 99999999999999999999 +0000", { timeS: 0 }],
    ["<a@b> 1 +0000", { name: "", email: "a@b", timeS: 1 }],
    ["A <a> b> 1 -0700", { name: "A", email: "a", timeS: 1, timezone: "-0700" }],
    ["A a@b", { name: "A a@b", email: "", timeS: 0 }],
    [`A ${"<".repeat(1_000_000)}`, { email: "", timeS: 0 }],
  ])("takes the committer %j as git does", (committer, expected) => {
    const commit = readCommit(text(`tree ${TREE}\nauthor A <a@b> 1 +0000\ncommitter ${committer}\n\nx`));
    expect(commit.committer).toMatchObject(expected);
  });

  it.each([
    "",
    "\n\nmessage",
    `parent ${FIRST}\ntree ${TREE}\n\n`,
    `tree ${TREE.slice(1)}\n\n`,
    "tree\n\n",
    `xtree ${TREE}\n`,
  ])("refuses %j", (content) => {
    expect(() => readCommit(text(content))).toThrow(expect.objectContaining({ code: "object-invalid" }));
  });
});

describe("readTag", () => {
  it("reads an annotated tag of git's", () => {
    expect(readTag(recordedContent(TAG))).toEqual({
      targetId: SECOND,
      targetKind: "commit",
      name: "v1",
      message: "version one\n",
    });
  });

  it.each([
    "",
    `type commit\nobject ${FIRST}\n\n`,
    `object ${FIRST}\ntype branch\n\n`,
    `object ${FIRST}\n\ntype commit`,
  ])("refuses %j", (content) => {
    expect(() => readTag(text(content))).toThrow(expect.objectContaining({ code: "object-invalid" }));
  });
});

describe("readTree", () => {
  it("reads a tree of git's", () => {
    const entries = readTree(recordedContent(FIRST_TREE)).map(
      ({ mode, name, id }) => `${mode.toString(8)} ${name} ${id}`,
    );
    expect(entries).toEqual([
      "100644 README.md ce013625030ba8dba906f756967f9e9ca394464a",
      "120000 link 42061c01a1c70097d1e4579f29a5adf40abdec95",
      "100755 run.sh 1a2485251c33a70432394c93fb89330ef214bfc9",
      expect.stringMatching(/^40000 src /),
      "160000 sub 1234567890123456789012345678901234567890",
    ]);
  });

  it("keeps the bytes of a name that is not UTF-8", () => {
    const [entry] = readTree(Buffer.from(`100644 caf\xe9\0${"x".repeat(20)}`, "latin1"));
    expect(entry?.name).toBe("caf\ufffd");
    expect(Buffer.from(entry?.nameBytes ?? []).toString("latin1")).toBe("caf\xe9");
  });

  it.each([
    "x",
    "100644",
    "100644 a",
    "100644 a\0x",
    `100644 \0${"x".repeat(20)}`,
    ` a\0${"x".repeat(20)}`,
    `8 a\0${"x".repeat(20)}`,
  ])("refuses %j", (content) => {
    expect(() => readTree(text(content))).toThrow(expect.objectContaining({ code: "object-invalid" }));
  });
});

describe("kindOfMode", () => {
  it.each([
    [0o100644, "blob"],
    [0o100755, "blob"],
    [0o100664, "blob"],
    [0o120000, "blob"],
    [0o040000, "tree"],
    [0o160000, undefined],
    [0o000644, undefined],
    [0o060000, undefined],
  ])("takes %i for %s", (mode, kind) => {
    expect(kindOfMode(mode)).toBe(kind);
  });
});

describe("objectKindOf", () => {
  it("is the inverse of OBJECT_KIND_NUMBERS", () => {
    const kinds = Object.entries(OBJECT_KIND_NUMBERS).map(([, number]) => objectKindOf(number));
    expect(kinds).toEqual(Object.keys(OBJECT_KIND_NUMBERS));
    expect([0, 5, 6, 7, -1].map(objectKindOf)).toEqual(Array(5).fill(undefined));
  });
});
