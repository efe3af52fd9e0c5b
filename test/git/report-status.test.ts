import { describe, expect, it } from "vitest";
import { parseObjectId } from "../../src/git/object-id.ts";
import { type PushReport, writeReportStatus } from "../../src/git/report-status.ts";

const wireOf = (report: PushReport, version: 1 | 2): string =>
  Buffer.concat(writeReportStatus(report, version)).toString("utf8");

describe("writeReportStatus", () => {
  it("reports each ref, and ends with a flush", () => {
    const report: PushReport = {
      refs: [
        { kind: "ok", name: "refs/heads/main" },
        { kind: "refused", name: "refs/heads/b", reason: "stale info" },
      ],
    };
    const wire = "000eunpack ok\n0017ok refs/heads/main\n001fng refs/heads/b stale info\n0000";
    expect(wireOf(report, 1)).toBe(wire);
    expect(wireOf(report, 2)).toBe(wire);
  });

  it("says why the pack was not stored", () => {
    const report: PushReport = {
      unpackError: "pack is truncated",
      refs: [{ kind: "refused", name: "refs/heads/a", reason: "unpacker error" }],
    };
    expect(wireOf(report, 1)).toBe("001dunpack pack is truncated\n0023ng refs/heads/a unpacker error\n0000");
  });

  it("says in version 2 alone what was done instead", () => {
    const oldId = parseObjectId("1".repeat(40))!;
    const newId = parseObjectId("2".repeat(40))!;
    const options = { refName: "refs/heads/x", oldId, newId, isForced: true };
    const report: PushReport = { refs: [{ kind: "ok", name: "refs/for/x", options }] };
    expect(wireOf(report, 1)).toBe("000eunpack ok\n0012ok refs/for/x\n0000");
    expect(wireOf(report, 2)).toBe(
      "000eunpack ok\n0012ok refs/for/x\n" +
        "0020option refname refs/heads/x\n" +
        `003coption old-oid ${oldId}\n` +
        `003coption new-oid ${newId}\n` +
        "0019option forced-update\n0000",
    );
  });

  it("keeps a reason or name on its line", () => {
    const reason = "line one\nok refs/heads/b\r\n\0\u001b[31mred\n";
    const report: PushReport = { refs: [{ kind: "refused", name: "refs/heads/a\nx", reason }] };
    expect(wireOf(report, 1)).toBe("000eunpack ok\n0037ng refs/heads/a x line one ok refs/heads/b [31mred\n0000");
  });

  it("leaves a name as it was sent, for the client looks for it", () => {
    const report: PushReport = { refs: [{ kind: "refused", name: "refs/heads/\u0001x", reason: "funny refname" }] };
    expect(wireOf(report, 1)).toBe("000eunpack ok\n0023ng refs/heads/\u0001x funny refname\n0000");
  });

  it("keeps within the longest packet", () => {
    const report: PushReport = {
      unpackError: "é".repeat(100_000),
      refs: [{ kind: "refused", name: "refs/heads/a", reason: "x".repeat(100_000) }],
    };
    const [unpack, ng] = writeReportStatus(report, 1);
    expect(unpack?.byteLength).toBe(65520);
    expect(ng?.byteLength).toBe(65520);
    expect(ng?.at(-1)).toBe(0x0a);
  });

  it("reports a push of nothing", () => {
    expect(wireOf({ refs: [] }, 1)).toBe("000eunpack ok\n0000");
  });
});
