import { describe, expect, it } from "vitest";
import { type BuildMessage, formatMessage, formatMessages, formatReason, locate } from "../../build/messages.ts";

const at = (line: string, column: number, length: number): BuildMessage => ({
  code: "syntax-error",
  text: "Wrong.",
  location: { path: "a.ts", line: 7, column, length, lineText: line },
});

describe("formatMessage", () => {
  it.each<[string, BuildMessage, string[]]>([
    ["a caret under each column", at("let a = b;", 9, 1), ["  7 | let a = b;", "    |         ^"]],
    ["carets to the end of the line only", at("abc", 2, 50), ["  7 | abc", "    |  ^^"]],
    ["a caret behind the last column", at("abc", 4, 1), ["  7 | abc", "    |    ^"]],
    ["tabs as two columns", at("\ta\tb", 4, 1), ["  7 |   a  b", "    |      ^"]],
    ["no control characters", at("a\u001b[31m\u0007b", 1, 1), ["  7 | a?[31m?b", "    | ^"]],
  ])("shows %s", (_, message, frame) => {
    expect(formatMessage(message).slice(1)).toEqual(frame);
  });

  it("cuts a long line around the caret", () => {
    const [, line = "", carets = ""] = formatMessage(at(`${"x".repeat(500)}HERE${"y".repeat(500)}`, 501, 4));
    expect(line.length).toBeLessThan(120);
    expect(line.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe("HERE");
  });

  it("puts facts and the fix below, and the code behind the sentence", () => {
    const message: BuildMessage = { code: "build-limit", text: "Too much.", notes: ["First."], fix: "Less." };
    expect(formatMessage(message)).toEqual(["Too much. [build-limit]", "  First.", "  Less."]);
  });
});

describe("formatMessages", () => {
  it("shows five messages and counts the rest", () => {
    const messages = Array.from({ length: 6 }, () => ({ code: "build-failed", text: "No." }) as const);
    const lines = formatMessages(messages, 9);
    expect(lines.filter((line) => line === "No. [build-failed]")).toHaveLength(5);
    expect(lines.at(-1)).toBe("and 4 more errors");
  });
});

describe("formatReason", () => {
  it("is one line of code, place and sentence", () => {
    expect(formatReason(at("let", 1, 1))).toBe("syntax-error a.ts:7:1 Wrong.");
    expect(formatReason({ code: "build-limit", text: "Two\nlines." })).toBe("build-limit Two?lines.");
  });
});

describe("locate", () => {
  it.each([
    { text: "a", offset: 0, line: 1, column: 1, lineText: "a" },
    { text: "a\nbc\nd", offset: 3, line: 2, column: 2, lineText: "bc" },
    { text: "a\r\nbc\r\n", offset: 4, line: 2, column: 2, lineText: "bc" },
    { text: "a\n", offset: 2, line: 2, column: 1, lineText: "" },
  ])("finds the line and column in $text at $offset", ({ text, offset, line, column, lineText }) => {
    expect(locate("p", text, offset, 1)).toEqual({ path: "p", line, column, length: 1, lineText });
  });

  it("counts the first line of a text that begins with an empty one", () => {
    expect(locate("p", "\na", 0, 1)).toEqual({ path: "p", line: 1, column: 1, length: 1, lineText: "" });
  });
});
