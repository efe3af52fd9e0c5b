import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, formatBytes, nearLimits, readLimits } from "../../build/limits.ts";

describe("formatBytes", () => {
  it.each([
    [0, "0 bytes"],
    [1023, "1023 bytes"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [10 * 1024 * 1024, "10 MiB"],
  ])("of %i is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("readLimits", () => {
  it("puts what is given over the default limits", () => {
    expect(readLimits(undefined)).toEqual(DEFAULT_LIMITS);
    expect(readLimits({ modules: 7 })).toEqual({ ...DEFAULT_LIMITS, modules: 7 });
  });

  it.each([["modules"], [7], [{ module: 7 }], [{ modules: "7" }], [{ modules: 0 }], [{ timeMs: 1.5 }]])(
    "refuses %j",
    (given) => {
      expect(() => readLimits(given)).toThrow(/BUILD_LIMITS/);
    },
  );
});

describe("nearLimits", () => {
  it("says which limits are more than half used", () => {
    const limits = { ...DEFAULT_LIMITS, modules: 10, bundleBytes: 4096 };
    expect(nearLimits({ treeFiles: 1, modules: 5, sourceBytes: 1, bundleBytes: 2048 }, limits)).toEqual([]);
    expect(nearLimits({ treeFiles: 1, modules: 6, sourceBytes: 1, bundleBytes: 3072 }, limits)).toEqual([
      "The app has 6 modules, more than half of the limit of 10.",
      "The app has 3 KiB of bundle, more than half of the limit of 4 KiB.",
    ]);
  });
});
