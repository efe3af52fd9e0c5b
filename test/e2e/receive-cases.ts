// Pushes for receive-pack, right and wrong, as the bodies of POST git-receive-pack. Made by hand: a git client sends few of them.
import { deflateSync } from "node:zlib";
import { encodeOfsDeltaHeader, encodeRefDeltaHeader } from "../../src/git/pack-entry.ts";
import { encodePktLine } from "../../src/git/pkt-line.ts";
import { makeBlob, makeCommit, makeObject, makeTag, makeTree, text, type TinyObject } from "../git/tiny-repository.ts";
import { CAPABILITIES, FLUSH, ZERO, entryOf, packOf, pushBody, type Command, type PushParts } from "./push-wire.ts";

export interface ReceiveCase {
  readonly name: string;
  readonly body: Uint8Array;
  /** Whether the answer is in a side-band. */
  readonly hasSideBand: boolean;
  readonly commands: readonly Command[];
  /** Where the host means to do other than git. */
  readonly differs?: Difference;
}

export interface Difference {
  readonly why: string;
  /** "ok" or the code, by ref name. */
  readonly refs?: Readonly<Record<string, string>>;
}

const blob = makeBlob("hello\n");
const blob2 = makeBlob("other\n");
const tree = makeTree({ "a.txt": blob });
const tree2 = makeTree({ "b.txt": blob2 });
const first = makeCommit(tree, []);
const next = makeCommit(tree2, [first], 1_700_000_001);
const last = makeCommit(tree, [next], 1_700_000_002);
const unrelated = makeCommit(tree2, [], 1_700_000_003);
const tag = makeTag(first, "v1");
const unknown = { id: "1234567890123456789012345678901234567890" };

const main = "refs/heads/main";
const side = "refs/heads/b/c";
const empty = packOf([]);
const nextPack = packOf([blob2, tree2, next]);

/** What every case begins with: main, b/c and the annotated tag v1, all of one commit. */
export const seed = pushBody({
  commands: [create(first, main), create(first, side), create(tag, "refs/tags/v1")],
  pack: packOf([blob, tree, first, tag]),
});

/** The refs after it: ids by name. */
export const seedRefs: Readonly<Record<string, string>> = {
  [main]: first.id,
  [side]: first.id,
  "refs/tags/v1": tag.id,
};

/** What only a repository that refuses non-fast-forwards refuses, and what not even that does. */
export const forwardCases: readonly ReceiveCase[] = [
  pushed("a non-fast-forward", { commands: [update(unrelated, main)], pack: packOf([blob2, tree2, unrelated]) }),
  pushed("a fast-forward over two commits", {
    commands: [update(last, main)],
    pack: packOf([blob2, tree2, next, last]),
  }),
  pushed("the same id again", { commands: [update(first, main)], pack: empty }),
  pushed("a new branch", { commands: [create(unrelated, "refs/heads/x")], pack: packOf([blob2, tree2, unrelated]) }),
  pushed("a deletion", { commands: [remove(side)] }),
  pushed("a tag that moves", { commands: [[tag.id, first.id, "refs/tags/v1"]], pack: empty }),
  pushed("one that is and one that is not", {
    commands: [update(unrelated, main), update(next, side)],
    pack: packOf([blob2, tree2, unrelated, next]),
  }),
];

const acceptedCases: readonly ReceiveCase[] = [
  ...forwardCases,
  pushed("a fast-forward", { commands: [update(next, main)], pack: nextPack }),
  pushed("a new branch at a known commit, with an empty pack", {
    commands: [create(first, "refs/heads/x")],
    pack: empty,
  }),
  pushed("a new branch, a move and a deletion at once", {
    commands: [create(next, "refs/heads/x"), update(next, main), remove(side)],
    pack: nextPack,
  }),
  pushed("a deletion with a pack that nobody needs", { commands: [remove(side)], pack: empty }),
  pushed("a tag of a blob", { commands: [create(blob, "refs/tags/blob")], pack: empty }),
  pushed("a tag of a tree", { commands: [create(tree, "refs/tags/tree")], pack: empty }),
  pushed("a tag of a tag", {
    commands: [create(makeTag(tag, "v2"), "refs/tags/v2")],
    pack: packOf([makeTag(tag, "v2")]),
  }),
  pushed("an annotated tag of a tree", {
    commands: [create(makeTag(tree, "t"), "refs/tags/t")],
    pack: packOf([makeTag(tree, "t")]),
  }),
  pushed("a note", { commands: [create(first, "refs/notes/commits")], pack: empty }),
  pushed("a ref of one level", { commands: [create(first, "refs/x")], pack: empty }),
  pushed("a branch HEAD", { commands: [create(first, "refs/heads/HEAD")], pack: empty }),
  pushed("a long name", { commands: [create(first, `refs/heads/${"x".repeat(200)}`)], pack: empty }),
  pushed("objects that no ref needs", { commands: [create(first, "refs/heads/x")], pack: packOf([blob2, tree2]) }),
  pushed("objects that are stored already", {
    commands: [create(first, "refs/heads/x")],
    pack: packOf([blob, tree, first]),
  }),
  pushed("an object twice in one pack", { commands: [update(next, main)], pack: packOf([blob2, blob2, tree2, next]) }),
  pushed("a gitlink", {
    commands: [create(gitlinkCommit(), "refs/heads/x")],
    pack: packOf([gitlinkTree(), gitlinkCommit()]),
  }),
  pushed("an empty tree", {
    commands: [create(emptyCommit(), "refs/heads/x")],
    pack: packOf([makeTree({}), emptyCommit()]),
  }),
  pushed("an offset delta", {
    commands: [update(next, main)],
    pack: packOf([blob, ofsDelta(entryOf(blob).byteLength), tree2, next]),
  }),
  pushed("a delta against a stored object", {
    commands: [update(next, main)],
    pack: packOf([refDelta(blob.id), tree2, next]),
  }),
  pushed("a delta before its base", {
    commands: [create(unrelated, "refs/heads/x")],
    pack: packOf([refDelta(blob.id), tree2, unrelated, blob]),
  }),
];

const protocolCases: readonly ReceiveCase[] = [
  pushed("push options", {
    commands: [update(next, main)],
    capabilities: `${CAPABILITIES} push-options`,
    pushOptions: ["one", "two=three"],
    pack: nextPack,
  }),
  pushed("no push options where they were announced", {
    commands: [update(next, main)],
    capabilities: `${CAPABILITIES} push-options`,
    pushOptions: [],
    pack: nextPack,
  }),
  pushed("report-status-v2", {
    commands: [update(next, main), create(next, "refs/heads/bad..name")],
    capabilities: "report-status-v2 side-band-64k",
    pack: nextPack,
  }),
  pushed("both reports asked for", {
    commands: [update(next, main)],
    capabilities: "report-status report-status-v2 side-band-64k",
    pack: nextPack,
  }),
  pushed("a report without a side-band", {
    commands: [update(next, main)],
    capabilities: "report-status",
    pack: nextPack,
  }),
  pushed("no report, with a side-band", {
    commands: [update(next, main)],
    capabilities: "side-band-64k",
    pack: nextPack,
  }),
  pushed("neither report nor side-band", { commands: [update(next, main)], capabilities: "", pack: nextPack }),
  pushed("a bad pack and no report", { commands: [update(next, main)], capabilities: "", pack: packOf([blob2]) }),
  pushed("capabilities that were never announced", {
    commands: [update(next, main)],
    capabilities: `${CAPABILITIES} frobnicate session-id=abc`,
    pack: nextPack,
  }),
  pushed("quiet", { commands: [update(next, main)], capabilities: `${CAPABILITIES} quiet`, pack: nextPack }),
  pushed("ids in capital letters", {
    commands: [[first.id.toUpperCase(), next.id.toUpperCase(), main]],
    pack: nextPack,
  }),
  raw("lines that end in line feeds", [packet(`${first.id} ${next.id} ${main}\0${CAPABILITIES}\n`), FLUSH, nextPack]),
  raw("no space before the capabilities", [packet(`${first.id} ${next.id} ${main}\0${CAPABILITIES}`), FLUSH, nextPack]),
  raw("capabilities on the second line as well", [
    packet(`${first.id} ${next.id} ${main}\0 ${CAPABILITIES}`),
    packet(`${ZERO} ${next.id} refs/heads/x\0 ${CAPABILITIES}`),
    FLUSH,
    nextPack,
  ]),
  pushed("SHA-256", {
    commands: [update(next, main)],
    capabilities: "report-status side-band-64k object-format=sha256",
    pack: nextPack,
  }),
  raw("a delimiter in place of the flush", [
    packet(`${first.id} ${next.id} ${main}\0 ${CAPABILITIES}`),
    "0001",
    nextPack,
  ]),
  pushed("atomic", {
    commands: [update(next, main), create(next, "refs/heads/x")],
    capabilities: `${CAPABILITIES} atomic`,
    pack: nextPack,
  }),
];

const refusedCases: readonly ReceiveCase[] = [
  pushed("a stale old id", {
    commands: [[next.id, last.id, main], create(next, "refs/heads/x")],
    pack: packOf([blob2, tree2, next, last]),
  }),
  pushed("the creation of a ref that is there", { commands: [create(next, main)], pack: nextPack }),
  pushed("the move of a ref that is not there", { commands: [update(next, "refs/heads/x")], pack: nextPack }),
  pushed("the deletion of a ref that is not there", {
    commands: [remove("refs/heads/x"), update(next, main)],
    pack: nextPack,
  }),
  pushed("a deletion with a stale old id", { commands: [remove(side, tag.id)] }),
  pushed(
    "a deletion with an old id that is not here",
    { commands: [remove(side, unknown.id)] },
    { why: "git takes it for damage and deletes; here every move is compare-and-swap", refs: { [side]: "ref-stale" } },
  ),
  pushed(
    "a deletion without an old id",
    { commands: [remove(side, ZERO)] },
    { why: "as before", refs: { [side]: "ref-stale" } },
  ),
  pushed("a deletion without an old id of a ref that is not there", { commands: [remove("refs/heads/x", ZERO)] }),
  pushed("the deletion of the current branch", { commands: [remove(main)] }),
  pushed(
    "a ref twice",
    { commands: [update(next, main), update(next, main)], pack: nextPack },
    { why: "git moves it once and refuses the rest; here neither", refs: { [main]: "ref-refused" } },
  ),
  pushed(
    "a ref twice with different ids",
    {
      commands: [create(next, "refs/heads/x"), create(first, "refs/heads/x")],
      pack: nextPack,
    },
    { why: "git moves it once and refuses the rest; here neither", refs: { "refs/heads/x": "ref-refused" } },
  ),
  pushed("a folder in the place of a ref", {
    commands: [create(first, "refs/heads/main/x"), update(next, side)],
    pack: nextPack,
  }),
  pushed("a ref in the place of a folder", {
    commands: [create(first, "refs/heads/b"), update(next, main)],
    pack: nextPack,
  }),
  pushed("two names, one the folder of the other", {
    commands: [create(first, "refs/heads/x"), create(first, "refs/heads/x/y")],
    pack: empty,
  }),
  pushed("a folder's ref goes and the folder comes", {
    commands: [remove(side), create(first, "refs/heads/b")],
    pack: empty,
  }),
  pushed(
    "a deletion and what depends on it, atomic",
    {
      commands: [remove(side), create(first, "refs/heads/b")],
      capabilities: `${CAPABILITIES} atomic`,
      pack: empty,
    },
    {
      why: "git refuses in one transaction what it takes in two; here the deletion comes first",
      refs: { [side]: "ok", "refs/heads/b": "ok" },
    },
  ),
  pushed("atomic with one stale ref", {
    commands: [update(next, main), [next.id, last.id, side], create(next, "refs/heads/x")],
    capabilities: `${CAPABILITIES} atomic`,
    pack: packOf([blob2, tree2, next, last]),
  }),
  pushed("atomic with one bad name", {
    commands: [update(next, main), create(next, "refs/heads/bad..name")],
    capabilities: `${CAPABILITIES} atomic`,
    pack: nextPack,
  }),
  pushed("atomic with a D/F conflict", {
    commands: [update(next, main), create(next, "refs/heads/main/x")],
    capabilities: `${CAPABILITIES} atomic`,
    pack: nextPack,
  }),
  pushed(
    "atomic with an unknown object",
    {
      commands: [update(next, main), create(unknown, "refs/heads/x")],
      capabilities: `${CAPABILITIES} atomic`,
      pack: nextPack,
    },
    { why: "git moves main all the same", refs: { [main]: "ref-refused", "refs/heads/x": "object-missing" } },
  ),
  pushed("an unknown object", { commands: [create(unknown, "refs/heads/x"), update(next, main)], pack: nextPack }),
  pushed("an unknown object with an empty pack", { commands: [create(unknown, "refs/heads/x")], pack: empty }),
  pushed("a tag of an unknown object", { commands: [create(unknown, "refs/tags/x")], pack: empty }),
  pushed("a branch to a blob", { commands: [create(blob, "refs/heads/x"), update(next, main)], pack: nextPack }),
  pushed("a branch to a tree", { commands: [create(tree, "refs/heads/x")], pack: empty }),
  pushed("a branch to a tag", { commands: [create(tag, "refs/heads/x")], pack: empty }),
  pushed("a missing parent", {
    commands: [create(next, "refs/heads/x")],
    pack: packOf([blob2, tree2, makeCommit(tree2, [unrelated])]),
  }),
  pushed("a commit without its tree", { commands: [update(next, main)], pack: packOf([blob2, next]) }),
  pushed("a tree without its blob", { commands: [update(next, main)], pack: packOf([tree2, next]) }),
  pushed("a commit without its parent", { commands: [create(last, "refs/heads/x")], pack: packOf([last]) }),
  pushed("a tag without its commit", {
    commands: [create(makeTag(next, "x"), "refs/tags/x")],
    pack: packOf([makeTag(next, "x")]),
  }),
  pushed("a missing object behind a ref that is not pushed", {
    commands: [create(first, "refs/heads/x")],
    pack: packOf([tree2]),
  }),
  pushed("a shallow commit whose parent is missing", {
    commands: [create(last, "refs/heads/x")],
    shallowIds: [last.id],
    pack: packOf([last]),
  }),
  pushed("a shallow commit whose parent is here", {
    commands: [update(next, main)],
    shallowIds: [first.id],
    pack: nextPack,
  }),
  pushed("a blob as a tree", { commands: [create(blobAsTree(), "refs/heads/x")], pack: packOf([blobAsTree()]) }),
  pushed("a blob as a tree in one pack", {
    commands: [create(blobAsTree(blob2), "refs/heads/x")],
    pack: packOf([blob2, blobAsTree(blob2)]),
  }),
  pushed("a tree that names a commit as a blob", {
    commands: [create(misnamed(first), "refs/heads/x")],
    pack: packOf([misnamedTree(first), misnamed(first)]),
  }),
  pushed("a parent that is a tree", { commands: [create(treeParent(), "refs/heads/x")], pack: packOf([treeParent()]) }),
  pushed("a tag that names a commit as a tree", {
    commands: [create(misTag(), "refs/tags/x")],
    pack: packOf([misTag()]),
  }),
  ...[
    "bad..name",
    "a b",
    "x.lock",
    ".x",
    "x/",
    "x//y",
    "x~1",
    "x^",
    "x:y",
    "x?",
    "x*",
    "x[y",
    "x\\y",
    "x@{y",
    "x.",
    "x/.y",
    "x.lock/y",
    "\u0001",
    "x\u007f",
    "",
  ].map((name) =>
    pushed(`the name ${JSON.stringify(name)}`, {
      commands: [create(first, `refs/heads/${name}`), update(next, main)],
      pack: nextPack,
    }),
  ),
  ...["@", "größe-☃", "-x", "a@b", "x{y", "x.lock-", "HEAD/x", "a.b", "(x)", "x'y", "%41"].map((name) =>
    pushed(`the name ${JSON.stringify(name)}`, { commands: [create(first, `refs/heads/${name}`)], pack: empty }),
  ),
  pushed(
    "the creation of HEAD beside a move of its branch",
    { commands: [create(first, "HEAD"), update(next, main)], pack: nextPack },
    { why: "git resolves HEAD and refuses both; here HEAD is no ref", refs: { HEAD: "ref-invalid", [main]: "ok" } },
  ),
  ...[
    "refs",
    "foo",
    "foo/bar",
    "/refs/heads/x",
    "refs/",
    "refs//x",
    "../x",
    "refs/../x",
    "FETCH_HEAD",
    "refs/heads",
    "ref/x",
    "refs/heads/../x",
  ].map((name) =>
    pushed(`the full name ${name}`, { commands: [create(first, name), update(next, main)], pack: nextPack }),
  ),
  pushed("a move of HEAD", { commands: [update(next, "HEAD")], pack: nextPack }),
  pushed("a deletion of HEAD", { commands: [remove("HEAD")] }),
];

/** Packs that are wrong in one place. */
const packCases: readonly ReceiveCase[] = [
  ...(
    [
      ["no pack at all", Buffer.alloc(0)],
      ["a pack cut off in its header", nextPack.subarray(0, 7)],
      ["a pack cut off after its header", nextPack.subarray(0, 12)],
      ["a pack cut off in an entry's header", nextPack.subarray(0, 13)],
      ["a pack cut off in an entry", nextPack.subarray(0, 20)],
      ["a pack cut off before its trailer", nextPack.subarray(0, -20)],
      ["a pack cut off in its trailer", nextPack.subarray(0, -7)],
      ["a wrong signature", Buffer.concat([Buffer.from("JUNK"), nextPack.subarray(4)])],
      ["a pack of version 3", packOf([blob2, tree2, next], { version: 3 })],
      ["a pack of version 4", packOf([blob2, tree2, next], { version: 4 })],
      ["a wrong checksum", packOf([blob2, tree2, next], { checksum: Buffer.alloc(20, 7) })],
      ["a count that is too large", packOf([blob2, tree2, next], { count: 4 })],
      ["a count that is too small", packOf([blob2, tree2, next], { count: 2 })],
      [
        "bad zlib",
        packOf([Buffer.concat([entryOf(blob2).subarray(0, 1), Buffer.from("no zlib at all")]), tree2, next]),
      ],
      ["a size that is too small", packOf([resized(blob2, -1), tree2, next])],
      ["a size that is too large", packOf([resized(blob2, 1), tree2, next])],
      ["an entry of type 0", packOf([Buffer.concat([Buffer.of(6), deflateSync(blob2.bytes)]), tree2, next])],
      ["an entry of type 5", packOf([Buffer.concat([Buffer.of(0x56), deflateSync(blob2.bytes)]), tree2, next])],
      ["an offset before the pack", packOf([ofsDelta(5000), tree2, next])],
      ["an offset of nothing", packOf([ofsDelta(0), tree2, next])],
      ["an offset into the middle of an entry", packOf([blob, ofsDelta(entryOf(blob).byteLength - 3), tree2, next])],
      ["a delta against nothing", packOf([refDelta(unknown.id), tree2, next])],
      ["a delta against itself", packOf([refDelta(blob2.id), tree2, next])],
      ["a delta of another base size", packOf([refDelta(blob.id, delta(99, blob2.bytes)), tree2, next])],
      ["a delta that copies past its base", packOf([refDelta(blob.id, copyPast()), tree2, next])],
      ["a delta with a reserved instruction", packOf([refDelta(blob.id, Buffer.of(6, 6, 0)), tree2, next])],
      ["a delta of nothing", packOf([refDelta(blob.id, Buffer.alloc(0)), tree2, next])],
    ] as const
  ).map(([name, pack]) => pushed(name, { commands: [update(next, main), remove(side)], pack })),
  pushed("a count of four billion", {
    commands: [update(next, main)],
    pack: packOf([blob2, tree2, next], { count: 0xffff_ffff }),
  }),
  ...[Buffer.from("garbage"), nextPack].map((rest) =>
    pushed(
      `${rest.byteLength} bytes after the trailer`,
      { commands: [update(next, main)], pack: Buffer.concat([nextPack, rest]) },
      { why: "git leaves them unread", refs: { [main]: "pack-invalid" } },
    ),
  ),
  ...(
    [
      ["a tree that is not sorted", rawTree(["100644", "b", blob2], ["100644", "a", blob2])],
      ["a tree with an entry twice", rawTree(["100644", "a", blob2], ["100644", "a", blob2])],
      ["a tree with .git", rawTree(["100644", ".git", blob2])],
      ["a tree with .GIT", rawTree(["100644", ".GIT", blob2])],
      ["a tree with git~1", rawTree(["100644", "git~1", blob2])],
      ["a tree with ..", rawTree(["100644", "..", blob2])],
      ["a tree with .", rawTree(["100644", ".", blob2])],
      ["a tree with a slash in a name", rawTree(["100644", "a/b", blob2])],
      ["a tree with an empty name", rawTree(["100644", "", blob2])],
      ["a tree with a mode that is no mode", rawTree(["100600", "a", blob2])],
      ["a tree with a padded mode", rawTree(["0100644", "a", blob2])],
      ["a tree with a null id", rawTree(["100644", "a", { id: ZERO }])],
      ["a tree that ends early", makeObject("tree", Buffer.from("100644 a\0short"))],
      ["a symbolic link .gitmodules", rawTree(["120000", ".gitmodules", blob2])],
    ] as const
  ).map(([name, bad]) => {
    const commit = makeCommit(bad, []);
    return pushed(name, { commands: [create(commit, "refs/heads/x")], pack: packOf([blob2, bad, commit]) });
  }),
  ...(
    [
      ["a commit without an author", `tree ${tree.id}\ncommitter A <a@b> 1 +0000\n\nx\n`],
      ["a commit without a committer", `tree ${tree.id}\nauthor A <a@b> 1 +0000\n\nx\n`],
      ["a commit without a tree", "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n"],
      ["a commit with a bad date", `tree ${tree.id}\nauthor A <a@b> x +0000\ncommitter A <a@b> 1 +0000\n\nx\n`],
      ["a commit with a bad zone", `tree ${tree.id}\nauthor A <a@b> 1 +00\ncommitter A <a@b> 1 +0000\n\nx\n`],
      ["a commit with a padded date", `tree ${tree.id}\nauthor A <a@b> 01 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`],
      ["a commit without an address", `tree ${tree.id}\nauthor A 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`],
      [
        "a commit with two authors",
        `tree ${tree.id}\nauthor A <a@b> 1 +0000\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`,
      ],
      [
        "a commit with a short parent",
        `tree ${tree.id}\nparent 123\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`,
      ],
      [
        "a commit with NUL in its header",
        `tree ${tree.id}\nauthor A\0 <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`,
      ],
      [
        "a commit with NUL in its message",
        `tree ${tree.id}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\0y\n`,
      ],
      ["a commit without a message", `tree ${tree.id}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n`],
      ["an empty commit", ""],
    ] as const
  ).map(([name, bad]) => {
    const commit = makeObject("commit", text(bad));
    return pushed(name, { commands: [create(commit, "refs/heads/x")], pack: packOf([commit]) });
  }),
  ...(
    [
      ["a tag without an object", `type commit\ntag x\ntagger A <a@b> 1 +0000\n\nx\n`],
      ["a tag without a type", `object ${first.id}\ntag x\ntagger A <a@b> 1 +0000\n\nx\n`],
      ["a tag without a name", `object ${first.id}\ntype commit\ntagger A <a@b> 1 +0000\n\nx\n`],
      ["a tag without a tagger", `object ${first.id}\ntype commit\ntag x\n\nx\n`],
      ["a tag of a type that is none", `object ${first.id}\ntype thing\ntag x\ntagger A <a@b> 1 +0000\n\nx\n`],
      ["a tag with a bad name", `object ${first.id}\ntype commit\ntag x..y\ntagger A <a@b> 1 +0000\n\nx\n`],
    ] as const
  ).map(([name, bad]) => {
    const made = makeObject("tag", text(bad));
    return pushed(name, { commands: [create(made, "refs/tags/x")], pack: packOf([made]) });
  }),
];

const line = `${first.id} ${next.id} ${main}`;
const requestCases: readonly ReceiveCase[] = [
  raw("an empty body", []),
  raw("a probe", ["0000"]),
  raw("a probe and more", ["0000PACKgarbage"]),
  raw("two flushes", ["00000000"]),
  raw("a body cut off in a length", ["00"]),
  raw("a body cut off in a command", [packet(`${line}\0 ${CAPABILITIES}`).subarray(0, 60)]),
  raw("a body cut off after a command", [packet(`${line}\0 ${CAPABILITIES}`)]),
  raw("a body cut off in the push options", [packet(`${line}\0 ${CAPABILITIES} push-options`), FLUSH, packet("one")]),
  raw("a length that is not hexadecimal", ["zzzz"]),
  raw("a length of 3", ["0003"]),
  raw("a length past the longest packet", ["fff1", "x".repeat(70_000)]),
  raw("an empty packet", ["0004", FLUSH]),
  raw("an empty packet between commands", [packet(`${line}\0 ${CAPABILITIES}`), "0004", FLUSH, nextPack]),
  raw("a short old id", [packet(`1234 ${next.id} ${main}\0 ${CAPABILITIES}`), FLUSH, nextPack]),
  raw("an id that is not hexadecimal", [
    packet(`${"z".repeat(40)} ${next.id} ${main}\0 ${CAPABILITIES}`),
    FLUSH,
    nextPack,
  ]),
  raw("tabs in place of spaces", [packet(`${line.replaceAll(" ", "\t")}\0 ${CAPABILITIES}`), FLUSH, nextPack]),
  raw("a command without a name", [packet(`${first.id} ${next.id}\0 ${CAPABILITIES}`), FLUSH, nextPack]),
  raw("a bad shallow line", [packet("shallow 1234"), packet(`${line}\0 ${CAPABILITIES}`), FLUSH, nextPack]),
  raw("a push certificate", [
    packet(`push-cert\0 ${CAPABILITIES}`),
    packet("certificate version 0.1\n"),
    packet("push-cert-end\n"),
    FLUSH,
    nextPack,
  ]),
  raw("nothing but noise", ["GET / HTTP/1.1\r\n\r\n"]),
];

export const receiveCases: readonly ReceiveCase[] = [
  ...acceptedCases,
  ...protocolCases,
  ...refusedCases,
  ...packCases,
  ...requestCases,
];

function pushed(name: string, parts: PushParts, differs?: Difference): ReceiveCase {
  const hasSideBand = (parts.capabilities ?? CAPABILITIES).includes("side-band-64k");
  const { commands } = parts;
  return { name, body: pushBody(parts), hasSideBand, commands, ...(differs === undefined ? {} : { differs }) };
}

function raw(name: string, parts: readonly (string | Uint8Array)[]): ReceiveCase {
  return { name, body: Buffer.concat(parts.map((part) => Buffer.from(part))), hasSideBand: true, commands: [] };
}

function packet(payload: string): Uint8Array {
  return encodePktLine(payload);
}

function create(object: { readonly id: string }, name: string): Command {
  return [ZERO, object.id, name];
}

function update(object: { readonly id: string }, name: string): Command {
  return [first.id, object.id, name];
}

function remove(name: string, id: string = first.id): Command {
  return [id, ZERO, name];
}

/** An entry that makes blob2 of a base of blob's size. */
function refDelta(baseId: string, content: Uint8Array = delta(blob.bytes.byteLength, blob2.bytes)): Uint8Array {
  return Buffer.concat([encodeRefDeltaHeader(content.byteLength, Buffer.from(baseId, "hex")), deflateSync(content)]);
}

function ofsDelta(distance: number): Uint8Array {
  const content = delta(blob.bytes.byteLength, blob2.bytes);
  return Buffer.concat([encodeOfsDeltaHeader(content.byteLength, distance), deflateSync(content)]);
}

/** Inserts everything. Sizes below 128 only. */
function delta(baseBytes: number, result: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(baseBytes, result.byteLength, result.byteLength), result]);
}

function copyPast(): Uint8Array {
  return Buffer.of(blob.bytes.byteLength, blob2.bytes.byteLength, 0x91, 3, blob2.bytes.byteLength);
}

/** An entry whose header gives a size that is off by so many bytes. */
function resized(object: TinyObject, by: number): Uint8Array {
  const entry = Buffer.from(entryOf(object));
  entry[0] = (entry[0] ?? 0) + by;
  return entry;
}

function rawTree(
  ...entries: readonly (readonly [mode: string, name: string, object: { readonly id: string }])[]
): TinyObject {
  const parts = entries.flatMap(([mode, name, { id }]) => [text(`${mode} ${name}\0`), Buffer.from(id, "hex")]);
  return makeObject("tree", Buffer.concat(parts));
}

function gitlinkTree(): TinyObject {
  return rawTree(["160000", "module", unknown]);
}

function gitlinkCommit(): TinyObject {
  return makeCommit(gitlinkTree(), []);
}

function emptyCommit(): TinyObject {
  return makeCommit(makeTree({}), []);
}

function blobAsTree(object: TinyObject = blob): TinyObject {
  return makeCommit(object, []);
}

function misnamedTree(object: TinyObject): TinyObject {
  return rawTree(["100644", "a", object]);
}

function misnamed(object: TinyObject): TinyObject {
  return makeCommit(misnamedTree(object), []);
}

function treeParent(): TinyObject {
  return makeCommit(tree, [tree]);
}

function misTag(): TinyObject {
  return makeObject("tag", text(`object ${first.id}\ntype tree\ntag x\ntagger A <a@b> 1 +0000\n\nx\n`));
}
