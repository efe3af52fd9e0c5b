// The format of yarn 1's lockfile, which looks like YAML and is none: keys and values are bare or JSON strings, and what is deeper
// belongs to the line above it.

/** One entry, and where in the text it begins. */
export interface ClassicEntry {
  readonly keys: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
  /** Those that are optional too. */
  readonly dependencies: Readonly<Record<string, string>>;
  readonly offset: number;
}

interface GrowingEntry extends ClassicEntry {
  readonly fields: Record<string, string>;
  readonly dependencies: Record<string, string>;
}

/** The entries in order, or the place of the first line that is none of the format's. */
export function readClassicLock(
  text: string,
):
  | { readonly kind: "read"; readonly entries: readonly ClassicEntry[] }
  | { readonly kind: "failed"; readonly offset: number } {
  const entries: GrowingEntry[] = [];
  let table = "";
  let offset = 0;
  for (const whole of text.split("\n")) {
    const line = whole.replace(/\r$/, "");
    const at = offset;
    offset += whole.length + 1;
    if (/^\s*(#|$)/.test(line)) continue;
    const depth = line.length - line.trimStart().length;
    const words = readWords(line.trim());
    const entry = entries.at(-1);
    if (words === undefined) return { kind: "failed", offset: at };
    if (depth === 0 && words.isOpen) entries.push({ keys: words.words, fields: {}, dependencies: {}, offset: at });
    else if (entry === undefined || depth === 0) return { kind: "failed", offset: at };
    else if (depth === 2 && words.isOpen) table = words.words[0] ?? "";
    else if (words.words.length !== 2) return { kind: "failed", offset: at };
    else addField(entry, depth === 2 ? "" : table, words.words);
  }
  return { kind: "read", entries };
}

function addField(entry: GrowingEntry, table: string, [key = "", value = ""]: readonly string[]): void {
  if (table === "") entry.fields[key] = value;
  if (table === "dependencies" || table === "optionalDependencies") entry.dependencies[key] = value;
}

/** `"a@1", b@2:` or `version "1.0.0"`; undefined where a string has no end. `isOpen`: a colon ends the line. */
function readWords(line: string): { readonly words: readonly string[]; readonly isOpen: boolean } | undefined {
  const words: string[] = [];
  let rest = line;
  while (rest !== "" && rest !== ":") {
    const [word] = /^(?:"(?:[^"\\]|\\.)*"|[^\s",]+?(?=:?$|[\s,]))/.exec(rest) ?? [];
    if (word === undefined) return undefined;
    words.push(word.startsWith('"') ? unquote(word) : word);
    rest = rest.slice(word.length).replace(/^[\s,]+/, "");
  }
  return { words, isOpen: rest === ":" };
}

function unquote(word: string): string {
  const value: unknown = JSON.parse(word.replaceAll(/\\(?!["\\/bfnrtu])/g, "\\\\"));
  return String(value);
}
