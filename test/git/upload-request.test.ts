import { describe, expect, test } from "vitest";
import { HostingError } from "../../src/errors.ts";
import { PktLineReader, encodePktLine } from "../../src/git/pkt-line.ts";
import type { FetchArguments } from "../../src/git/fetch-arguments.ts";
import type { ObjectIdTable } from "../../src/git/object-id-table.ts";
import { advertiseVersion2, readCommandRequest } from "../../src/git/protocol-v2.ts";
import { writeLsRefs } from "../../src/git/ls-refs.ts";
import { parseObjectId } from "../../src/git/object-id.ts";
import { advertiseForReceive, advertiseForUpload } from "../../src/git/ref-advertisement.ts";
import { readUploadRequest } from "../../src/git/upload-request.ts";
import { streamOf, text } from "./tiny-repository.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

/** "0000", "0001" and "0002" as they are, anything else as a pkt-line. */
function wire(...lines: string[]): Uint8Array {
  return Buffer.concat(lines.map((line) => (/^000[012]$/.test(line) ? text(line) : encodePktLine(`${line}\n`))));
}

function reader(...lines: string[]): PktLineReader {
  return new PktLineReader(streamOf(wire(...lines)));
}

function linesOf(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = Number.parseInt(Buffer.from(bytes.subarray(at, at + 4)).toString(), 16);
    lines.push(length < 4 ? `000${length}` : Buffer.from(bytes.subarray(at + 4, at + length)).toString());
    at += Math.max(4, length);
  }
  return lines;
}

function idsOf(table: ObjectIdTable): string[] {
  return Array.from({ length: table.size }, (_, number) => table.idAt(number));
}

function plain({ wantIds, shallowIds, deepening, filterSpec }: FetchArguments): unknown {
  return { wants: idsOf(wantIds), shallows: idsOf(shallowIds), deepening, filterSpec };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof HostingError) return error.code;
    throw error;
  }
  return "none";
}

describe("readUploadRequest", () => {
  test("reads wants with capabilities, then haves up to done", async () => {
    const request = await readUploadRequest(
      reader(
        `want ${A} multi_ack_detailed ofs-delta unheard-of agent=git/2.39`,
        `want ${B}`,
        "0000",
        `have ${C}`,
        "done",
      ),
    );
    expect(request && plain(request.wanted)).toMatchObject({ wants: [A, B], shallows: [], deepening: undefined });
    expect([...(request?.capabilities.keys() ?? [])]).toEqual(["multi_ack_detailed", "ofs-delta", "agent"]);
    expect(request && idsOf(request.haveIds)).toEqual([C]);
    expect(request?.ending).toBe("done");
  });

  test.each([
    [["0000"], "absent"],
    [["0000", `have ${A}`, "0000"], "flush"],
    [["0000", "0000"], "flush"],
    [["0000", "done"], "done"],
  ] as const)("tells how %j ends", async (tail, ending) => {
    expect((await readUploadRequest(reader(`want ${A}`, ...tail)))?.ending).toBe(ending);
  });

  test("is undefined without wants", async () => {
    expect(await readUploadRequest(reader("0000"))).toBeUndefined();
    expect(await readUploadRequest(reader(`shallow ${A}`, "0000"))).toBeUndefined();
  });

  const deepenings = [
    [["deepen 3"], { kind: "depth", depth: 3, isRelative: false }],
    [["deepen 2147483647"], { kind: "depth", depth: 2147483647, isRelative: false }],
    [["deepen-since 1600000000"], { kind: "rev-list", sinceS: 1600000000, excludedRefs: [] }],
    [["deepen-not v1", "deepen-not v2"], { kind: "rev-list", sinceS: undefined, excludedRefs: ["v1", "v2"] }],
  ] as const;
  test.each(deepenings)("reads %j", async (lines, deepening) => {
    const request = await readUploadRequest(reader(`want ${A} shallow`, `shallow ${B}`, ...lines, "0000", "done"));
    expect(request && plain(request.wanted)).toMatchObject({ shallows: [B], deepening });
  });

  test("has deepen-relative as a capability", async () => {
    const request = await readUploadRequest(reader(`want ${A} deepen-relative`, "deepen 1", "0000", "done"));
    expect(request?.wanted.deepening).toMatchObject({ isRelative: true });
  });

  test("takes a filter only where it was asked for as a capability", async () => {
    const request = await readUploadRequest(reader(`want ${A} filter`, "filter blob:none", "0000", "done"));
    expect(request?.wanted.filterSpec).toBe("blob:none");
    expect(await codeOf(readUploadRequest(reader(`want ${A}`, "filter blob:none", "0000", "done")))).toBe(
      "protocol-error",
    );
  });

  test.each([
    [[]],
    [[`want ${A}`]],
    [["want 1234", "0000", "done"]],
    [["gimme", "0000"]],
    [[`want ${A}`, "deepen 0", "0000", "done"]],
    [[`want ${A}`, "deepen -1", "0000", "done"]],
    [[`want ${A}`, "deepen x", "0000", "done"]],
    [[`want ${A}`, "deepen 1", "deepen-not v1", "0000", "done"]],
    [[`want ${A}`, "deepen-since x", "0000", "done"]],
    [[`want ${A}`, "shallow x", "0000", "done"]],
    [[`want ${A} filter`, "filter tree:0", "filter tree:0", "0000", "done"]],
    [[`want ${A}`, "0000", `have ${B}`]],
    [[`want ${A}`, "0000", "have x", "done"]],
    [[`want ${A}`, "0000", "DONE"]],
  ])("refuses %j", async (lines) => {
    expect(await codeOf(readUploadRequest(reader(...lines)))).toBe("protocol-error");
  });

  test("refuses more ids than any repository here has", async () => {
    const flood = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(wire(`want ${A}`, "0000")),
      pull(controller) {
        const ids = crypto.getRandomValues(new Uint8Array(20 * 1000));
        const haves = Array.from({ length: 1000 }, (_, i) =>
          Buffer.from(ids.subarray(i * 20, i * 20 + 20)).toString("hex"),
        );
        controller.enqueue(wire(...haves.map((id) => `have ${id}`)));
      },
    });
    expect(await codeOf(readUploadRequest(new PktLineReader(flood)))).toBe("protocol-error");
  });
});

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

const [idA, idB, idC] = [A, B, C].map((id) => parseObjectId(id));
const refs = [
  { name: "refs/tags/v1", id: idB!, peeledId: idA! },
  { name: "refs/heads/main", id: idA! },
  { name: "refs/heads/topic", id: idC! },
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

describe("advertiseVersion2", () => {
  test("names the commands and what they can do", () => {
    const [version, ...capabilities] = linesOf(advertiseVersion2());
    expect(version).toBe("version 2\n");
    expect(capabilities).toContain("ls-refs=unborn\n");
    expect(capabilities).toContain("fetch=shallow wait-for-done filter\n");
    expect(capabilities.at(-1)).toBe("0000");
  });
});

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
