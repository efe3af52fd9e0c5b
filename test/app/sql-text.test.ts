import { describe, expect, it } from "vitest";
import { bindLongLiterals, makeStatementSplitter, splitStatements } from "../../src/app/sql-text.ts";

const TRIGGER = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN ';' END; SELECT 1; END";

const CASES: readonly (readonly [text: string, statements: readonly string[]])[] = [
  ["", []],
  [" ; ; -- nothing\n /* ; */ ", []],
  ["SELECT 1", ["SELECT 1"]],
  ["SELECT 1;SELECT 2;", ["SELECT 1", "SELECT 2"]],
  ["SELECT ';' AS \"a;b\", `;`, [;] -- ;\n; SELECT 2 -- end", [`SELECT ';' AS "a;b", \`;\`, [;]`, "SELECT 2"]],
  ["SELECT 'it''s; fine' /* ; */, 1 ; /* x */", ["SELECT 'it''s; fine' /* ; */, 1"]],
  [`${TRIGGER};\nSELECT 3`, [TRIGGER, "SELECT 3"]],
  [`create temp trigger x begin select 1; end; select 2`, ["create temp trigger x begin select 1; end", "select 2"]],
  ["SELECT 4 - -1 / 2;", ["SELECT 4 - -1 / 2"]],
  ["SELECT 'open", ["SELECT 'open"]],
];

describe("splitStatements", () => {
  it.each(CASES)("cuts %j", (text, statements) => {
    expect(splitStatements(text)).toEqual(statements);
  });
});

describe("makeStatementSplitter", () => {
  it("cuts the same wherever the text is cut", () => {
    for (const [text, statements] of CASES) {
      for (let size = 1; size < 6; size += 1) {
        const splitter = makeStatementSplitter(1000);
        const found: string[] = [];
        for (let at = 0; at < text.length; at += size) found.push(...splitter.push(text.slice(at, at + size)));
        expect([...found, ...splitter.end()], `${text} by ${size}`).toEqual(statements);
      }
    }
  });

  it("refuses a statement without an end", () => {
    expect(() => makeStatementSplitter(10).push("SELECT 'without an end")).toThrow(RangeError);
    const slow = makeStatementSplitter(10);
    expect(() => {
      for (const character of "SELECT 'without an end") slow.push(character);
      slow.end();
    }).toThrow(RangeError);
  });
});

describe("bindLongLiterals", () => {
  it("binds long texts and blobs, in their order, and nothing else", () => {
    const text = "it's ".repeat(20_000);
    const statement = `INSERT INTO "a'b" VALUES ('short', '${text.replaceAll("'", "''")}', X'${"00ff".repeat(300)}', x'01')`;
    const { sql, params } = bindLongLiterals(statement);
    expect(sql).toBe(`INSERT INTO "a'b" VALUES ('short', ?, ?, x'01')`);
    expect(params[0]).toBe(text);
    expect(params[1]).toEqual(Uint8Array.from({ length: 600 }, (_, at) => (at % 2) * 255).buffer);
    expect(bindLongLiterals("SELECT 'x'")).toEqual({ sql: "SELECT 'x'", params: [] });
  });
});
