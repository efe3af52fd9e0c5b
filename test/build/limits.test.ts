import { describe, expect, it } from "vitest";
import { formatBytes } from "../../build/limits.ts";

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
