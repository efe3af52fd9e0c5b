import { describe, expect, it } from "vitest";
import { dataLines } from "../src/push-data.ts";

describe("dataLines", () => {
  it.each([
    [800_000_000, []],
    [800_000_001, [expect.stringMatching(/^data {6}800\.0 MB of the 1\.0 GB .* beyond it/)]],
    [1_000_000_001, [expect.stringMatching(/^data {6}1\.0 GB of the 1\.0 GB .* only requests that read or delete/)]],
  ])("of %i bytes of 1 GB", (usedBytes, lines) => {
    expect(dataLines({ usedBytes, limitBytes: 1_000_000_000 })).toEqual(lines);
  });
});
