import { describe, expect, it } from "vitest";
import { type ConfigFile, type ConfigKeys, isTable, parseConfigFile } from "../../build/config-file.ts";

function parse(path: string, text: string): ConfigFile {
  const outcome = parseConfigFile(path, new TextEncoder().encode(text));
  if (outcome.kind === "failed") throw new Error(outcome.message.text);
  return outcome.file;
}

const JSONC = `\uFEFF{
  // comment
  "a": { "b": [1, { "c": "x" }] }, /* and */
  "d": {
    "e": 1
  },
}
`;
const TOML = `a = 1
[table]
"quoted-key" = 2
when = 2026-01-02
[[list]]
name = "x"
[nested.inner]
key = true
`;

describe("parseConfigFile", () => {
  it.each<[ConfigKeys, number, string]>([
    [["a", "b", 1, "c"], 3, `"x"`],
    [["a", "b"], 3, `[1, { "c": "x" }]`],
    [["d"], 4, "{"],
    [["d", "absent"], 4, "{"],
    [["absent"], 1, "{"],
  ])("knows where %j is in JSONC", (keys, line, marked) => {
    const { line: found, lineText, column, length } = parse("wrangler.jsonc", JSONC).locate(keys);
    expect([found, lineText.slice(column - 1, column - 1 + length)]).toEqual([line, marked]);
  });

  it.each([
    ["wrangler.jsonc", "[".repeat(100_000)],
    ["package.json", `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["tsconfig.json", '{"a":'.repeat(100_000)],
    ["wrangler.toml", `a = ${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["wrangler.toml", `${"a.".repeat(100_000)}a = 1`],
    ["wrangler.toml", `[${"a.".repeat(100_000)}a]`],
  ])("refuses %s nested deeper than a stack is", (path, text) => {
    const outcome = parseConfigFile(path, new TextEncoder().encode(text));
    expect(outcome).toMatchObject({ kind: "failed", message: { code: "config-invalid", location: { line: 1 } } });
  });

  it("takes brackets in strings and comments for what they are", () => {
    expect(parse("wrangler.jsonc", `{ /* ${"[".repeat(500)} */ "a": "${"{".repeat(500)}" }`).value).toHaveProperty("a");
  });

  it.each<[ConfigKeys, string]>([
    [["a"], "a = 1"],
    [["table"], "[table]"],
    [["table", "quoted-key"], `"quoted-key" = 2`],
    [["list", 0, "name"], `name = "x"`],
    [["list"], "[[list]]"],
    [["nested", "inner"], "[nested.inner]"],
    [["nested"], "[nested.inner]"],
  ])("knows the line of %j in TOML", (keys, lineText) => {
    expect(parse("wrangler.toml", TOML).locate(keys).lineText).toBe(lineText);
  });

  it("gives TOML as JSON would", () => {
    expect(parse("wrangler.toml", TOML).value["table"]).toEqual({ "quoted-key": 2, when: "2026-01-02" });
  });

  it.each([
    ["package.json", `{ "a": 1, }`],
    ["wrangler.jsonc", `[]`],
    ["wrangler.jsonc", ``],
    ["wrangler.jsonc", `{ "a": 'x' }`],
    ["wrangler.toml", `a = 1\na = 2\n`],
    ["wrangler.toml", `[`],
  ])("refuses %s with %j at a place", (path, text) => {
    const outcome = parseConfigFile(path, new TextEncoder().encode(text));
    expect(outcome).toMatchObject({ kind: "failed", message: { code: "config-invalid", location: { path } } });
  });
});

describe("isTable", () => {
  it("holds for objects that are no lists", () => {
    expect([{}, [], null, "a", 1].map(isTable)).toEqual([true, false, false, false, false]);
  });
});
