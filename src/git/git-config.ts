// Git's configuration syntax (config.c, git_parse_source), as far as checking a pushed .gitmodules needs it: every variable up to the
// first line that git could not parse. Nothing is merged, included or interpreted.

/** One variable. `section` and `key` are in lower case; `value` is undefined where there is no "=". */
export interface ConfigVariable {
  readonly section: string;
  readonly subsection: string | undefined;
  readonly key: string;
  readonly value: string | undefined;
}

const BOM = "\u00ef\u00bb\u00bf";
// No group is repeated in these: V8 keeps a stack of repeated groups, which a long file would overflow.
const BLANK = /[ \t\n\r]+|[#;][^\n]*/y;
const SECTION = /\[([A-Za-z0-9.-]*)(?:(\])|[ \t\r]+")/y;
const KEY = /([A-Za-z][A-Za-z0-9-]*)[ \t]*(=|\n|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { t: "\t", b: "\b", n: "\n", "\\": "\\", '"': '"', "\n": "" };

/** The variables in order. `bytes` are taken as one character each; so are the strings that come out. */
export function* readConfig(bytes: Uint8Array): Generator<ConfigVariable> {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const text = latin1.replaceAll("\r\n", "\n");
  let at = text.startsWith(BOM) ? BOM.length : 0;
  let section: Section = { section: "", subsection: undefined, end: at };
  while (at < text.length) {
    const blank = matchAt(BLANK, text, at);
    if (blank) {
      at += blank[0].length;
      continue;
    }
    if (text[at] === "[") {
      const next = readSection(text, at);
      if (!next) return;
      section = next;
      at = next.end;
      continue;
    }
    const entry = matchAt(KEY, text, at);
    if (!entry) return;
    at += entry[0].length;
    const value = entry[2] === "=" ? readValue(text, at) : { text: undefined, end: at };
    if (!value) return;
    at = value.end;
    const { subsection } = section;
    yield { section: section.section, subsection, key: (entry[1] ?? "").toLowerCase(), value: value.text };
  }
}

type Section = Pick<ConfigVariable, "section" | "subsection"> & { readonly end: number };

/** "[a.b]" is the old spelling of '[a "b"]', in which all is lower case (get_base_var, get_extended_base_var). */
function readSection(text: string, start: number): Section | undefined {
  const header = matchAt(SECTION, text, start);
  if (!header || header[0] === "[]") return undefined;
  const end = start + header[0].length;
  const quoted = header[2] === "]" ? { text: undefined, end } : readSubsection(text, end);
  if (!quoted) return undefined;
  const base = (header[1] ?? "").toLowerCase();
  const dot = base.indexOf(".");
  if (dot < 0) return { section: base, subsection: quoted.text, end: quoted.end };
  const rest = base.slice(dot + 1);
  const subsection = quoted.text === undefined ? rest : `${rest}.${quoted.text}`;
  return { section: base.slice(0, dot), subsection, end: quoted.end };
}

/** From after the opening quote to after the "]". Escapes stand for themselves. */
function readSubsection(text: string, start: number): { text: string; end: number } | undefined {
  let subsection = "";
  let at = start;
  for (; text[at] !== '"'; at++) {
    if (text[at] === "\\") at++;
    const char = text[at] ?? "\n";
    if (char === "\n") return undefined;
    subsection += char;
  }
  return text[at + 1] === "]" ? { text: subsection, end: at + 2 } : undefined;
}

/** The value from after "=" to the end of its line, or undefined where git cannot parse it (parse_value). */
function readValue(text: string, start: number): { text: string; end: number } | undefined {
  let value = "";
  let spaces = "";
  let isQuoted = false;
  for (let at = start; ; at++) {
    const char = text[at] ?? "\n";
    if (char === "\n") return isQuoted ? undefined : { text: cString(value), end: at + 1 };
    if (!isQuoted && (char === " " || char === "\t" || char === "\r")) {
      if (value !== "") spaces += " ";
    } else if (!isQuoted && (char === ";" || char === "#")) {
      const end = text.indexOf("\n", at);
      return { text: cString(value), end: end < 0 ? text.length : end + 1 };
    } else {
      const meant = char === "\\" ? ESCAPES[text[++at] ?? "\n"] : char;
      if (meant === undefined) return undefined;
      if (char === '"') isQuoted = !isQuoted;
      value += spaces + (char === '"' ? "" : meant);
      spaces = "";
    }
  }
}

/** Git's strings end at the first NUL. */
function cString(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
