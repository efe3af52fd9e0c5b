import { describe, expect, test } from "vitest";
import { type ObjectId, parseObjectId } from "../../src/git/object-id.ts";
import { advertiseForReceive, advertiseForUpload } from "../../src/git/ref-advertisement.ts";
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

describe("advertiseForUpload", () => {
  test("lists HEAD, the refs in order, and what tags name", () => {
    const [service, flush, first, ...others] = linesOf(advertiseForUpload(repository, 0));
    expect([service, flush]).toEqual(["# service=git-upload-pack\n", "0000"]);
    expect(first).toMatch(/^a{40} HEAD\0multi_ack .*symref=HEAD:refs\/heads\/main .*agent=\S+\n$/);
    expect(others).toEqual([
      `${A} refs/heads/main\n`,
      `${C} refs/heads/topic\n`,
      `${B} refs/tags/v1\n`,
      `${A} refs/tags/v1^{}\n`,
      "0000",
    ]);
  });

  test("names its version from version 1 on", () => {
    expect(linesOf(advertiseForUpload(repository, 1))[2]).toBe("version 1\n");
  });

  test("has only capabilities where there are no refs", () => {
    const lines = linesOf(advertiseForUpload(empty, 0));
    expect(lines[2]).toMatch(/^0{40} capabilities\^\{\}\0multi_ack /);
    expect(lines[2]).not.toContain("symref");
    expect(lines.length).toBe(4);
  });
});

describe("advertiseForReceive", () => {
  test("lists the refs alone", () => {
    const [service, flush, first, ...others] = linesOf(advertiseForReceive(refs, 0));
    expect([service, flush]).toEqual(["# service=git-receive-pack\n", "0000"]);
    expect(first).toMatch(/^a{40} refs\/heads\/main\0report-status .*\n$/);
    expect(others).toEqual([`${C} refs/heads/topic\n`, `${B} refs/tags/v1\n`, "0000"]);
  });

  test("has only capabilities where there are no refs", () => {
    expect(linesOf(advertiseForReceive([], 0))[2]).toMatch(/^0{40} capabilities\^\{\}\0report-status /);
  });
});
