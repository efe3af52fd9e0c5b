import { describe, expect, test } from "vitest";
import type { FetchArguments } from "../../src/git/fetch-arguments.ts";
import { PktLineReader } from "../../src/git/pkt-line.ts";
import { readUploadRequest } from "../../src/git/upload-request.ts";
import { codeOf, idsOf, reader, wire } from "./wire.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

function plain({ wantIds, shallowIds, deepening, filterSpec }: FetchArguments): unknown {
  return { wants: idsOf(wantIds), shallows: idsOf(shallowIds), deepening, filterSpec };
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
    expect(await readUploadRequest(reader())).toBeUndefined();
    expect(await readUploadRequest(reader(`shallow ${A}`, "0000"))).toBeUndefined();
  });

  const deepenings = [
    [["deepen 3"], { kind: "depth", depth: 3, isRelative: false }],
    [["deepen 2147483647"], { kind: "depth", depth: 2147483647, isRelative: false }],
    [["deepen-since 0"], { kind: "rev-list", sinceS: 0, excludedRefs: [] }],
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
