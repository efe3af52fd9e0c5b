// What a build has to say to the pusher: a message with its place in the source, and the lines that show it. Plain text
// without colours, since most of those who read it are logs and programs.

/** The codes of the host's closed list that a build can give. */
export type BuildCode =
  | "entry-not-found"
  | "config-invalid"
  | "config-unsupported"
  | "syntax-error"
  | "dependency-not-found"
  | "import-not-found"
  | "dependency-missing"
  | "dependency-version-missing"
  | "dependency-unsupported"
  | "dependency-native"
  | "lockfile-invalid"
  | "lockfile-unsupported"
  | "lockfile-drift"
  | "integrity-mismatch"
  | "package-invalid"
  | "registry-unreachable"
  | "registry-unauthorized"
  | "install-script"
  | "build-failed"
  | "build-limit"
  | "build-warning"
  | "bundle-too-large"
  | "lfs-pointer"
  | "submodule"
  | "type-error";

/** A place in a source file. Line and column count from 1, the column and length in UTF-16 code units. */
export interface SourceLocation {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly lineText: string;
}

/** One error or warning. */
export interface BuildMessage {
  readonly code: BuildCode;
  /** A full sentence: what was expected and what came. */
  readonly text: string;
  readonly location?: SourceLocation;
  /** The smallest change that would help. */
  readonly fix?: string;
  /** Further facts, a line each. */
  readonly notes?: readonly string[];
}

/** A build fails with no more messages than these; the rest is a count. */
export const MAX_MESSAGES = 5;

const FRAME_WIDTH = 100;

/** The place of `length` code units at `offset` of a text. */
export function locate(path: string, text: string, offset: number, length: number): SourceLocation {
  // A search back from -1 would look at the first character all the same.
  const start = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", offset);
  const lineText = text.slice(start, newline < 0 ? text.length : newline).replace(/\r$/, "");
  const line = text.slice(0, start).split("\n").length;
  return { path, line, column: offset - start + 1, length: Math.max(1, length), lineText };
}

/** One message as the pusher sees it: place, sentence and code; the source line with a caret; facts; the fix. */
export function formatMessage(message: BuildMessage): string[] {
  const { code, text, location, fix, notes = [] } = message;
  const place = location === undefined ? "" : `${placeOf(location)}: `;
  const facts = [...notes, ...(fix === undefined ? [] : [fix])].map((line) => `  ${printable(line)}`);
  return [printable(`${place}${text} [${code}]`), ...(location === undefined ? [] : formatFrame(location)), ...facts];
}

/** All messages of a failed build, a blank line between them and, where some were left out, their count. */
export function formatMessages(messages: readonly BuildMessage[], total: number): string[] {
  const shown = messages.slice(0, MAX_MESSAGES);
  const lines = shown.flatMap((message, at) => [...(at === 0 ? [] : [""]), ...formatMessage(message)]);
  const left = total - shown.length;
  return left > 0 ? [...lines, "", `and ${left} more ${left === 1 ? "error" : "errors"}`] : lines;
}

/** One line for git's `ng`, which is all that many CI logs keep: code, place and sentence. */
export function formatReason(message: BuildMessage): string {
  const place = message.location === undefined ? "" : ` ${placeOf(message.location)}`;
  return printable(`${message.code}${place} ${message.text}`);
}

/** A warning in one line, with what helps. */
export function formatWarning(message: BuildMessage): string {
  const place = message.location === undefined ? "" : `${placeOf(message.location)}: `;
  return printable(`${place}${message.text}${message.fix === undefined ? "" : ` ${message.fix}`}`);
}

function placeOf(location: SourceLocation): string {
  return `${location.path}:${location.line}:${location.column}`;
}

/** The source line and, below it, a caret under each column that is meant. A long line is cut around the caret. */
export function formatFrame(location: SourceLocation): string[] {
  const number = String(location.line);
  const line = expandTabs(location.lineText);
  const start = expandTabs(location.lineText.slice(0, location.column - 1)).length;
  const end = expandTabs(location.lineText.slice(0, location.column - 1 + location.length)).length;
  const from = line.length <= FRAME_WIDTH ? 0 : Math.max(0, Math.min(start - 30, line.length - FRAME_WIDTH));
  const head = from > 0 ? "..." : "";
  const tail = line.length > from + FRAME_WIDTH ? "..." : "";
  const shown = `${head}${line.slice(from + head.length, from + FRAME_WIDTH)}${tail}`;
  const indent = " ".repeat(widthOf(line.slice(from, start)));
  const carets = "^".repeat(Math.max(1, widthOf(line.slice(start, Math.min(end, from + FRAME_WIDTH)))));
  return [`  ${number} | ${shown}`, `  ${" ".repeat(number.length)} | ${indent}${carets}`];
}

/** Columns on a terminal: the letters of East Asia and most pictographs take two. */
function widthOf(text: string): number {
  const wide =
    /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;
  return Array.from(text, (character) => (wide.test(character) ? 2 : 1)).reduce<number>((sum, width) => sum + width, 0);
}

function expandTabs(text: string): string {
  return printable(text.replaceAll("\t", "  "));
}

/** Source is pushed by anyone: no control character of it reaches a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "?");
}
