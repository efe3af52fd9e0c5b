import * as fc from "fast-check";
import { expect } from "vitest";
import { HostingError } from "../../src/errors.ts";
import { applyDelta, readDeltaSizes } from "../../src/git/delta.ts";
import { checkSpecialBlob } from "../../src/git/fsck-blob.ts";
import { checkObject } from "../../src/git/fsck.ts";
import { readConfig } from "../../src/git/git-config.ts";
import { edgesOf, timeOf } from "../../src/git/object-edges.ts";
import { type ObjectKind, kindOfMode, readCommit, readTag, readTree } from "../../src/git/object.ts";
import { encodeDelta, instructionsFor, resultOf } from "./deltas.ts";
import { applyEdits, edits, nearly } from "./mutation.ts";
import { outcomeOf } from "./outcome.ts";
import { holds } from "./property.ts";

const hexId = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const ident = fc.constantFrom(
  ..."A <a@b> 0 +0000|A <a@b> 1700000000 +0200|A B <> 99999999999 -1200|<a@b> 1 +0000|A <a> 9223372036854775808 +0000".split(
    "|",
  ),
);
const headers = fc.array(
  fc.oneof(
    hexId.map((id) => `tree ${id}`),
    hexId.map((id) => `parent ${id}`),
    hexId.map((id) => `object ${id}`),
    ident.map((person) => `author ${person}`),
    ident.map((person) => `committer ${person}`),
    ident.map((person) => `tagger ${person}`),
    fc.constantFrom("type commit", "type tree", "tag v1", "encoding latin1", "gpgsig -----BEGIN", " continued", ""),
  ),
);
const sound = fc.oneof(
  fc
    .tuple(hexId, fc.array(hexId, { maxLength: 3 }), ident, ident)
    .map(([tree, parents, author, committer]) => [
      `tree ${tree}`,
      ...parents.map((parent) => `parent ${parent}`),
      `author ${author}`,
      `committer ${committer}`,
    ]),
  fc.tuple(hexId, ident).map(([id, tagger]) => [`object ${id}`, "type commit", "tag v1", `tagger ${tagger}`]),
);
const headed = fc
  .tuple(fc.oneof(sound, headers), fc.constantFrom("\n\nmessage\n", "\n", "", "\n\n"))
  .map(([lines, end]) => Buffer.from(lines.join("\n") + end));

const names = fc.oneof(
  fc.constantFrom(
    ...".git .GIT .. . a/b a a.b a-b a0 .gitmodules .gitattributes .gitignore git~1 GITMOD~1 gi7eba~1".split(" "),
  ),
  fc.constantFrom(".g\u200cit", ".git ", ".git.", ".git::$INDEX_ALLOCATION", "x\\.git", ".gitmodules:a", "\ufffd"),
  fc.string({ unit: "binary", minLength: 1, maxLength: 6 }),
);
const treeEntry = fc
  .tuple(
    fc.constantFrom("40000", "100644", "100755", "120000", "160000", "040000", "100664", "0", "777777777777"),
    names,
    fc.uint8Array({ minLength: 20, maxLength: 20 }),
  )
  .map(([mode, name, id]) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), id]));
const tree = fc.array(treeEntry, { maxLength: 8 }).map((parts) => Buffer.concat(parts));

const READERS = { commit: readCommit, tag: readTag, tree: readTree, blob: () => [] };

/** What the readers that make strings say of the object's edges. */
function edgesRead(kind: ObjectKind, bytes: Uint8Array): string[] {
  if (kind === "tree") return readTree(bytes).flatMap(({ mode, id }) => (kindOfMode(mode) ? [id] : []));
  if (kind === "tag") return [readTag(bytes).targetId];
  const { treeId, parentIds } = readCommit(bytes);
  return [treeId, ...parentIds];
}

holds(
  "objects of any bytes",
  100,
  fc.property(nearly(fc.oneof(headed, tree)), (bytes) => {
    for (const kind of ["commit", "tag", "tree"] as const) {
      const problem = checkObject(kind, bytes);
      const read = outcomeOf(["object-invalid"], () => READERS[kind](bytes));
      const edges = outcomeOf(["object-invalid"], () => edgesOf(kind, bytes));
      expect(timeOf(kind, bytes)).toBeLessThanOrEqual(0xffff_ffff);
      if (problem !== undefined) continue;
      // What fsck lets through, everything else must be able to read, and in one way only.
      expect(read).not.toBe("object-invalid");
      expect(edges).toEqual(edgesRead(kind, bytes));
    }
    expect(checkObject("blob", bytes)).toBeUndefined();
  }),
);

const entry = fc.record({
  name: fc.constantFrom(..."a a! a- a. a.b a0 aa b".split(" ")),
  isTree: fc.boolean(),
});

/** What git sorts the entries of a tree by. */
function sortKey({ name, isTree }: { readonly name: string; readonly isTree: boolean }): string {
  return isTree ? `${name}/` : name;
}

holds(
  "trees that git would write",
  100,
  fc.property(fc.array(entry, { maxLength: 6 }), fc.boolean(), (entries, isSorted) => {
    const inOrder = entries.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    const written = isSorted ? inOrder : entries;
    const bytes = Buffer.concat(
      written.map((each) =>
        Buffer.concat([Buffer.from(`${each.isTree ? "40000" : "100644"} ${each.name}\0`), Buffer.alloc(20, 1)]),
      ),
    );
    const isUnique = new Set(entries.map((each) => each.name)).size === entries.length;
    const isGood = isUnique && written.every((each, at) => sortKey(each) === sortKey(inOrder[at]!));
    expect(checkObject("tree", bytes)?.messageId).toEqual(
      isGood
        ? undefined
        : expect.stringMatching(isSorted ? /^duplicateEntries$/ : /^(duplicateEntries|treeNotSorted)$/),
    );
  }),
);

const CONFIG = `[submodule "lib"]
	path = lib ; comment
	url = "https://example.com/a b\\t.git" \\
  more
[a.B]key
[submodule "../x"] url = -u
`;
const ATTRIBUTES = `*.txt text\n${"x".repeat(2047)}\n`;

holds(
  "special blobs",
  50,
  fc.property(nearly(fc.constantFrom(CONFIG, ATTRIBUTES).map((content) => Buffer.from(content))), (bytes) => {
    checkSpecialBlob("gitmodules", bytes);
    const problem = checkSpecialBlob("gitattributes", bytes);
    if (problem !== undefined) expect(bytes.byteLength).toBeGreaterThan(2047);
    for (const { section, key } of readConfig(bytes)) expect(section + key).toBe((section + key).toLowerCase());
  }),
);

/** Instructions for the base, and some for a longer one, of which the base is the beginning. */
const based = fc
  .tuple(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0, 0, 5))
  .chain(([base, more]) =>
    fc.record({ base: fc.constant(base), instructions: instructionsFor(base.byteLength + more) }),
  );

holds(
  "deltas",
  100,
  fc.property(based, edits, fc.nat(1000), ({ base, instructions }, wrong, maxBytes) => {
    const result = resultOf(base, instructions);
    const stated = instructions.reduce(
      (sum, each) => sum + (each.kind === "copy" ? each.count : each.bytes.byteLength),
      0,
    );
    const delta = encodeDelta(base.byteLength, stated, instructions);
    const isInside = instructions.every((each) => each.kind === "insert" || each.from + each.count <= base.byteLength);
    const made = outcomeOf(["pack-invalid"], () => Buffer.from(applyDelta(base, delta, { maxBytes: 10_000 })));
    expect(made).toEqual(isInside ? result : "pack-invalid");
    const broken = applyEdits(delta, wrong);
    const allocate = (sizeBytes: number): Uint8Array => {
      expect(sizeBytes).toBeLessThanOrEqual(maxBytes);
      return new Uint8Array(sizeBytes + 5).fill(255);
    };
    try {
      const applied = applyDelta(base, broken, { maxBytes, allocate });
      expect(applied.byteLength).toBe(readDeltaSizes(broken).resultBytes);
      expect(applied).toEqual(applyDelta(base, broken, { maxBytes }));
    } catch (error) {
      if (!(error instanceof HostingError)) throw error;
      expect(["pack-invalid", "object-too-large"]).toContain(error.code);
    }
  }),
);
