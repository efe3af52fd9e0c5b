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
const BLANK = /(?:[ \t\n\r]|[#;][^\n]*)+/y;
const SECTION = /\[([A-Za-z0-9.-]*)(?:[ \t\r]+"((?:[^"\\\n]|\\[^\n])*)")?\]/y;
const KEY = /([A-Za-z][A-Za-z0-9-]*)[ \t]*(=|\n|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { t: "\t", b: "\b", n: "\n", "\\": "\\", '"': '"', "\n": "" };

/** The variables in order. `bytes` are taken as one character each; so are the strings that come out. */
export function* readConfig(bytes: Uint8Array): Generator<ConfigVariable> {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const text = latin1.replaceAll("\r\n", "\n");
  let at = text.startsWith(BOM) ? BOM.length : 0;
  let section: Pick<ConfigVariable, "section" | "subsection"> = { section: "", subsection: undefined };
  for (;;) {
    at += matchAt(BLANK, text, at)?.[0].length ?? 0;
    const header = matchAt(SECTION, text, at);
    if (header) {
      at += header[0].length;
      if (header[0] === "[]") return;
      section = splitSection(header[1] ?? "", header[2]);
      continue;
    }
    const entry = matchAt(KEY, text, at);
    if (!entry) return;
    at += entry[0].length;
    const key = (entry[1] ?? "").toLowerCase();
    if (entry[2] !== "=") {
      yield { ...section, key, value: undefined };
      continue;
    }
    const value = readValue(text, at);
    if (!value) return;
    at = value.end;
    yield { ...section, key, value: cString(value.text) };
  }
}

/** "[a.b]" is the old spelling of '[a "b"]', in which all is lower case. Escapes in a subsection stand for themselves. */
function splitSection(base: string, quoted: string | undefined): Pick<ConfigVariable, "section" | "subsection"> {
  const lower = base.toLowerCase();
  const dot = lower.indexOf(".");
  const section = dot < 0 ? lower : lower.slice(0, dot);
  const parts = dot < 0 ? [] : [lower.slice(dot + 1)];
  if (quoted !== undefined) parts.push(quoted.replaceAll(/\\([^])/g, "$1"));
  return { section, subsection: parts.length > 0 ? parts.join(".") : undefined };
}

/** The value from after "=" to the end of its line, or undefined where git cannot parse it (parse_value). */
function readValue(text: string, start: number): { text: string; end: number } | undefined {
  let value = "";
  let spaces = "";
  let isQuoted = false;
  for (let at = start; ; at++) {
    const char = text[at] ?? "\n";
    if (char === "\n") return isQuoted ? undefined : { text: value, end: at + 1 };
    if (!isQuoted && (char === " " || char === "\t" || char === "\r")) {
      if (value !== "") spaces += " ";
    } else if (!isQuoted && (char === ";" || char === "#")) {
      const end = text.indexOf("\n", at);
      return { text: value, end: end < 0 ? text.length : end + 1 };
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
