import { describe, expect, it } from "vitest";
import { mapStack } from "../../src/app/source-maps.ts";

/** Line 1 of index.js is line 1 of src/a.ts; lines 2 and 3 are lines 1 and 2 of src/lib/b.ts, shifted by four columns. */
const SOURCE_MAP = JSON.stringify({
  version: 3,
  sources: ["../src/a.ts", "src/lib/b.ts"],
  sourcesContent: ["first line\nsecond line", "    one\n    two"],
  names: [],
  mappings: "AAAA;ACAI;AACA",
});

describe("mapStack", () => {
  it.each([
    [
      "a function",
      "    at new App (index.js:2:1)",
      { functionName: "new App", path: "src/lib/b.ts", line: 1, column: 5, lineText: "    one" },
    ],
    [
      "an async function",
      "    at async App.fetch (index.js:3:1)",
      { functionName: "App.fetch", path: "src/lib/b.ts", line: 2, column: 5, lineText: "    two" },
    ],
    ["no function", "    at index.js:1:3", { path: "src/a.ts", line: 1, column: 1, lineText: "first line" }],
    [
      "no function, async",
      "    at async index.js:1:1",
      { path: "src/a.ts", line: 1, column: 1, lineText: "first line" },
    ],
  ])("maps a frame of %s", (_, frame, expected) => {
    expect(mapStack(`Error: no\n${frame}`, SOURCE_MAP)).toEqual([expected]);
  });

  it("leaves out what is not in the bundle, and places that the map does not know", () => {
    const stack = [
      "Error: at index.js:1:1 of it",
      "    at slipway-wrapper.js:9:1",
      "    at node:internal/x:1:1",
      "    at index.js:99:1",
    ];
    expect(mapStack(stack.join("\n"), SOURCE_MAP)).toEqual([]);
  });
});
