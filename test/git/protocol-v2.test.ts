import { describe, expect, test } from "vitest";
import type { FetchArguments } from "../../src/git/fetch-arguments.ts";
import { PktLineReader } from "../../src/git/pkt-line.ts";
import { advertiseVersion2, readCommandRequest } from "../../src/git/protocol-v2.ts";
import { streamOf } from "./tiny-repository.ts";
import { codeOf, idsOf, linesOf, reader, wire } from "./wire.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

function plain({ wantIds, shallowIds, deepening, filterSpec }: FetchArguments): unknown {
  return { wants: idsOf(wantIds), shallows: idsOf(shallowIds), deepening, filterSpec };
}

describe("readCommandRequest", () => {
  test("reads ls-refs", async () => {
    const asked = ["command=ls-refs", "agent=git/2.39", "object-format=sha1", "server-option=x"];
    expect(
      await readCommandRequest(reader(...asked, "0001", "peel", "symrefs", "unborn", "ref-prefix HEAD", "0000")),
    ).toEqual({
      command: "ls-refs",
      request: { hasPeel: true, hasSymrefs: true, hasUnborn: true, prefixes: new Set(["HEAD"]) },
    });
    expect(await readCommandRequest(reader("command=ls-refs", "0000"))).toMatchObject({ request: { hasPeel: false } });
  });

  test("reads fetch", async () => {
    const command = await readCommandRequest(
      reader(
        "command=fetch",
        "0001",
        "thin-pack",
        "ofs-delta",
        `want ${A}`,
        `have ${B}`,
        `shallow ${C}`,
        "deepen 2",
        "deepen-relative",
        "filter tree:0",
        "wait-for-done",
        "done",
        "0000",
      ),
    );
    if (command?.command !== "fetch") throw new Error("Expected a fetch.");
    expect([...command.request.flags]).toEqual(["thin-pack", "ofs-delta", "wait-for-done", "done"]);
    expect(idsOf(command.request.haveIds)).toEqual([B]);
    expect(plain(command.request.wanted)).toEqual({
      wants: [A],
      shallows: [C],
      deepening: { kind: "depth", depth: 2, isRelative: true },
      filterSpec: "tree:0",
    });
  });

  test("ignores the prefixes where there are too many", async () => {
    const prefixes = Array.from({ length: 65536 }, (_, i) => `ref-prefix ${i}`);
    const command = await readCommandRequest(
      new PktLineReader(streamOf(wire("command=ls-refs", "0001", ...prefixes, "0000"), 65536)),
    );
    expect(command).toMatchObject({ request: { prefixes: new Set() } });
  });

  test.each([[[]], [["0000"]]])("%j says goodbye", async (lines) => {
    expect(await readCommandRequest(reader(...lines))).toBeUndefined();
  });

  test.each([
    [["command=ls-refs"]],
    [["agent=git/2.39", "0000"]],
    [["command=push", "0000"]],
    [["command=ls-refs", "command=fetch", "0000"]],
    [["command=ls-refs", "object-format=sha256", "0000"]],
    [["command=ls-refs", "unheard-of", "0000"]],
    [["command=ls-refs", "fetch", "0000"]],
    [["command=ls-refs", "0002"]],
    [["command=ls-refs", "0001", "peel"]],
    [["command=ls-refs", "0001", "peal", "0000"]],
    [["command=ls-refs", "0001", "peel", "0001", "0000"]],
    [["command=fetch", "0001", `want ${A}`]],
    [["command=fetch", "0001", `want-ref refs/heads/main`, "0000"]],
    [["command=fetch", "0001", "want", "0000"]],
  ])("refuses %j", async (lines) => {
    expect(await codeOf(readCommandRequest(reader(...lines)))).toBe("protocol-error");
  });
});

describe("advertiseVersion2", () => {
  test("names the commands and what they can do", () => {
    const [version, ...capabilities] = linesOf(advertiseVersion2());
    expect(version).toBe("version 2\n");
    expect(capabilities).toContain("ls-refs=unborn\n");
    expect(capabilities).toContain("fetch=shallow wait-for-done filter\n");
    expect(capabilities.at(-1)).toBe("0000");
  });
});
