import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/git/git-config.ts";

// What `git config --file - --list` of git 2.39.5 lists, up to the first line that it cannot parse.
const CASES: readonly (readonly [text: string, variables: readonly string[]])[] = [
  ["", []],
  ["[a]\nb = c\n", ["a.b=c"]],
  ["[a]b=c", ["a.b=c"]],
  ["[A]\nB-1 = C\n", ["a.b-1=C"]],
  ['[a "B c"]\nd\n', ["a.B c.d"]],
  ['[a\t "x"] b = 1 # no\n c=2;no\n', ["a.x.b=1", "a.x.c=2"]],
  ["[a.B.c]\nd=1\n", ["a.b.c.d=1"]],
  ['[a.B "C"]\nd=1\n', ["a.b.C.d=1"]],
  ['[ "x"]\nb=1\n', [".x.b=1"]],
  ['[a "q\\"\\\\\\x"]\nb=1\n', ['a.q"\\x.b=1']],
  ["[a]\nb =   c  d   \n", ["a.b=c  d"]],
  ["[a]\nb = c\td\n", ["a.b=c d"]],
  ['[a]\nb = " c " d ; e\n', ["a.b= c  d"]],
  ['[a]\nb = "c;d#e"\n', ["a.b=c;d#e"]],
  ["[a]\nb = c\\\n  d\n", ["a.b=c  d"]],
  ['[a]\nb = \\t\\n\\"\\\\\n', ['a.b=\t\n"\\']],
  ["[a]\r\nb = c\r\n", ["a.b=c"]],
  ["[a]\nb =\n", ["a.b="]],
  ["[a]\nb\\\n", []],
  ["[a]\nb=1\n[c\nd=2\n", ["a.b=1"]],
  ["[a]\nb=1\n1=2\n", ["a.b=1"]],
  ["[a]\nb=1\nc=\\x\nd=2", ["a.b=1"]],
  ['[a]\nb=1\nc="\nd=2', ["a.b=1"]],
  ["[a]\nb c=1\n", []],
  ["[]\nb=1\n", []],
  ['[a "b]\nc=1\n', []],
  ['[a "b" ]\nc=1\n', []],
  ["[a b]\nc=1\n", []],
];

describe("readConfig", () => {
  it.each(CASES)("reads %j", (text, expected) => {
    const variables = [...readConfig(Buffer.from(text, "latin1"))].map(({ section, subsection, key, value }) => {
      const name = [section, ...(subsection === undefined ? [] : [subsection]), key].join(".");
      return value === undefined ? name : `${name}=${value}`;
    });
    expect(variables).toEqual(expected);
  });
});
