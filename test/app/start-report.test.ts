import { describe, expect, it } from "vitest";
import { readStartReport } from "../../src/app/start-report.ts";

describe("readStartReport", () => {
  it("takes a report as it is", () => {
    const report = {
      exports: [{ name: "App", kind: "class" }],
      phase: "constructor",
      thrown: { name: "Error", message: "no", stack: "at index.js:1:1" },
    };
    expect(readStartReport(report)).toEqual(report);
  });

  it.each([
    ["nothing", undefined],
    ["text", "started"],
    ["exports that are none", { exports: "all" }],
    ["exports of unknown kinds", { exports: [{ name: "a", kind: "toString" }, { name: 7, kind: "class" }, null] }],
    ["an unknown phase", { phase: "party", thrown: {} }],
  ])("leaves out %s", (_, forged) => {
    expect(readStartReport(forged)).toEqual({ exports: [] });
  });

  it("leaves out what was thrown if it is not text, and cuts what is long", () => {
    expect(readStartReport({ phase: "export", thrown: { name: {}, message: "", stack: "" } })).toEqual({
      exports: [],
      phase: "export",
    });
    const thrown = { name: "n".repeat(9999), message: "m".repeat(99_999), stack: "s".repeat(99_999) };
    const read = readStartReport({ phase: "constructor", thrown }).thrown;
    expect([read?.name.length, read?.message.length, read?.stack.length]).toEqual([200, 2000, 10_000]);
  });
});
