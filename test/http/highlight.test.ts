import { describe, expect, it } from "vitest";
import { highlight } from "../../src/http/dashboard/highlight.ts";

describe("highlight", () => {
  it.each([
    ["a.ts", 'const a = "x"; // end\nlet b = 12;\n'],
    ["a.ts", "/* open\nand on"],
    ["a.ts", "`a\n${b}\n` 'open\n\"\\"],
    ["a.json", '{"a": [1, null]}'],
    ["a.html", "<script>alert(1)</script>\n\n\nend"],
    ["a.ts", ""],
    ["a.ts", "\n\n"],
  ])("returns every character of %s: %j", (path, source) => {
    const text = highlight(path, source)
      .map((line) => line.map((piece) => piece.text).join(""))
      .join("\n");
    expect(text).toBe(source.replace(/\n$/, ""));
  });

  it("tells words, strings, comments and numbers", () => {
    expect(highlight("a.ts", 'const a = "x" + 1; // b\nc')).toEqual([
      [
        { kind: "k", text: "const" },
        { kind: undefined, text: " a = " },
        { kind: "s", text: '"x"' },
        { kind: undefined, text: " + " },
        { kind: "n", text: "1" },
        { kind: undefined, text: "; " },
        { kind: "c", text: "// b" },
      ],
      [{ kind: undefined, text: "c" }],
    ]);
  });

  it("reads a large file of quotes in a moment", () => {
    const source = "'\"`/*".repeat(100_000);
    expect(
      highlight("a.ts", source)
        .flat()
        .reduce((sum, { text }) => sum + text.length, 0),
    ).toBe(source.length);
  });
});
