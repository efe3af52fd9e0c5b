import { describe, expect, test } from "vitest";
import { writeLsRefs } from "../../src/git/ls-refs.ts";
import { type ObjectId, parseObjectId } from "../../src/git/object-id.ts";
import { linesOf } from "./wire.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

function objectId(text: string): ObjectId {
  const id = parseObjectId(text);
  if (id === undefined) throw new Error(`${text} is no object id.`);
  return id;
}

const refs = [
  { name: "refs/tags/v1", id: objectId(B), peeledId: objectId(A) },
  { name: "refs/heads/main", id: objectId(A) },
  { name: "refs/heads/topic", id: objectId(C) },
];
const repository = { head: "refs/heads/main", refs };
const empty = { head: undefined, refs: [] };
const all = { hasPeel: true, hasSymrefs: true, hasUnborn: true, prefixes: new Set<string>() };

describe("writeLsRefs", () => {
  test.each([
    [
      all,
      [
        `${A} HEAD symref-target:refs/heads/main\n`,
        `${A} refs/heads/main\n`,
        `${C} refs/heads/topic\n`,
        `${B} refs/tags/v1 peeled:${A}\n`,
      ],
    ],
    [
      { ...all, hasPeel: false, hasSymrefs: false },
      [`${A} HEAD\n`, `${A} refs/heads/main\n`, `${C} refs/heads/topic\n`, `${B} refs/tags/v1\n`],
    ],
    [
      { ...all, prefixes: new Set(["refs/heads/t", "refs/tags/"]) },
      [`${C} refs/heads/topic\n`, `${B} refs/tags/v1 peeled:${A}\n`],
    ],
    [{ ...all, prefixes: new Set(["HE"]) }, [`${A} HEAD symref-target:refs/heads/main\n`]],
  ])("%#", (request, expected) => expect(linesOf(writeLsRefs(repository, request))).toEqual([...expected, "0000"]));

  test.each([
    [empty, all, ["unborn HEAD symref-target:refs/heads/main\n"]],
    [{ head: "refs/heads/gone", refs: [] }, all, ["unborn HEAD symref-target:refs/heads/gone\n"]],
    [empty, { ...all, hasUnborn: false }, []],
    [empty, { ...all, hasSymrefs: false }, []],
  ])("names an unborn HEAD %#", (unborn, request, expected) => {
    expect(linesOf(writeLsRefs(unborn, request))).toEqual([...expected, "0000"]);
  });
});
