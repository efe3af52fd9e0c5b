// Source text in pieces for colours: words, strings, comments, numbers. One scanner for C-like languages and JSON, made for reading:
// where it is wrong, a colour is wrong. It returns every character of its input, in order, and no markup.

/** A piece of a line; `kind` is undefined for plain text. */
export interface Piece {
  readonly kind: "k" | "s" | "c" | "n" | undefined;
  readonly text: string;
}

const LANGUAGES = /\.(?:[cm]?[jt]sx?|jsonc?|css)$/;

const PIECES =
  /(?<c>\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<s>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\[\s\S])*`?)|(?<n>\b\d[\w.]*)|(?<w>[A-Za-z_$][\w$]*)/g;

const KEYWORDS = new Set(
  (
    "abstract as async await break case catch class const continue declare default delete do else enum export extends false " +
    "finally for from function get if implements import in instanceof interface let new null of override private readonly return " +
    "satisfies set static super switch this throw true try type typeof undefined var void while yield"
  ).split(" "),
);

/** The file line by line. Only for what it can read the rest has colours. */
export function highlight(path: string, source: string): readonly (readonly Piece[])[] {
  return splitLines(LANGUAGES.test(path) ? scan(source) : [{ kind: undefined, text: source }]);
}

function scan(source: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of source.matchAll(PIECES)) {
    const kind = kindOf(match);
    if (kind === undefined) continue;
    if (match.index > end) pieces.push({ kind: undefined, text: source.slice(end, match.index) });
    pieces.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < source.length) pieces.push({ kind: undefined, text: source.slice(end) });
  return pieces;
}

function kindOf({ groups = {} }: RegExpExecArray): Piece["kind"] {
  if (groups["c"] !== undefined) return "c";
  if (groups["s"] !== undefined) return "s";
  if (groups["n"] !== undefined) return "n";
  return KEYWORDS.has(groups["w"] ?? "") ? "k" : undefined;
}

function splitLines(pieces: readonly Piece[]): Piece[][] {
  let line: Piece[] = [];
  const lines = [line];
  for (const { kind, text } of pieces) {
    const [first = "", ...more] = text.split("\n");
    if (first !== "") line.push({ kind, text: first });
    for (const part of more) {
      line = part === "" ? [] : [{ kind, text: part }];
      lines.push(line);
    }
  }
  // A newline at the end ends the last line and begins none.
  if (line.length === 0 && lines.length > 1) lines.pop();
  return lines;
}
