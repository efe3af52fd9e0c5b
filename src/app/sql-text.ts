// SQL as text: where one statement ends and the next begins, after sqlite3_complete (complete.c), and statements whose literals are too
// long for one. It checks nothing: what is no SQL is refused by SQLite. Part of the data reader. Pure.

/** Cuts SQL into statements as it comes, each without its semicolon and without comments around it. */
export interface StatementSplitter {
  /** The statements that are complete by now. */
  push(text: string): string[];
  /** What is left at the end, without space and comments. */
  end(): string[];
}

/** A piece of SQL that is never cut: what stands between two quotes, a comment, a word, one other character. */
const TOKEN =
  /'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$)|[\w$\u0080-\uffff]+|\s+|[\s\S]/y;
const OPENING = /^['"`[]/;

/** `maxLength`: a statement that grows over it is an error. */
export function makeStatementSplitter(maxLength: number): StatementSplitter {
  let rest = "";
  /** What came since `rest` was last looked at. */
  let more = "";
  /** How far `rest` has been looked at, and where its statement begins and ended so far. */
  let at = 0;
  let begin = -1;
  let stop = 0;
  let shape = openShape();

  const take = (isLast: boolean): string[] => {
    const statements: string[] = [];
    for (;;) {
      TOKEN.lastIndex = at;
      const token = TOKEN.exec(rest)?.[0];
      if (token === undefined || (!isLast && isUnfinished(token, rest, at))) break;
      at += token.length;
      if (isFiller(token)) continue;
      if (token === ";" && shape.isComplete()) {
        if (begin !== -1) statements.push(rest.slice(begin, stop));
        begin = -1;
        shape = openShape();
        continue;
      }
      if (begin === -1) begin = at - token.length;
      stop = at;
      shape.add(token);
    }
    const from = begin === -1 ? at : begin;
    rest = rest.slice(from);
    at -= from;
    stop -= from;
    if (begin !== -1) begin = 0;
    if (rest.length > maxLength) throw new RangeError(`A statement is longer than ${maxLength} characters.`);
    return statements;
  };
  return {
    push(text) {
      more += text;
      // A long literal is looked at from its beginning each time: as much as that must have come, or it would take the square of its length.
      if (more.length < rest.length - at && rest.length + more.length <= maxLength) return [];
      rest += more;
      more = "";
      return take(false);
    },
    end() {
      rest += more;
      more = "";
      const statements = take(true);
      if (begin !== -1) statements.push(rest.slice(0, stop));
      return statements;
    },
  };
}

/** A text's statements. */
export function splitStatements(text: string): string[] {
  const splitter = makeStatementSplitter(Infinity);
  return [...splitter.push(`${text}\n`), ...splitter.end()];
}

function isFiller(token: string): boolean {
  return /^\s/.test(token) || token.startsWith("--") || token.startsWith("/*");
}

/** More text could make it another token. */
function isUnfinished(token: string, text: string, at: number): boolean {
  if (token.length === 1 && OPENING.test(token)) return true;
  return at + token.length === text.length && /^[\w$\u0080-\uffff/-]/.test(token);
}

/** Whether a semicolon ends the statement: inside of a trigger only the one behind "; END" does. */
function openShape() {
  const words: string[] = [];
  let last = "";
  let beforeLast = "";
  return {
    add(token: string): void {
      beforeLast = last;
      last = token.toUpperCase();
      if (words.length < 3) words.push(last);
    },
    isComplete(): boolean {
      const [first, second, third] = words;
      const isTemporary = second === "TEMP" || second === "TEMPORARY";
      const isTrigger = first === "CREATE" && (isTemporary ? third : second) === "TRIGGER";
      if (!isTrigger || (last === "END" && beforeLast === ";")) return true;
      this.add(";");
      return false;
    },
  };
}

/** A statement with its parameters. */
export interface BoundStatement {
  readonly sql: string;
  readonly params: readonly (string | ArrayBuffer)[];
}

/** Literals as long as these are bound: the runtime takes 100,000 bytes of SQL, and 100 parameters. */
const LONG_LITERAL = 500;
const MAX_SQL_LENGTH = 90_000;

/** The same statement, in a form that the runtime takes. */
export function bindLongLiterals(statement: string): BoundStatement {
  if (statement.length <= MAX_SQL_LENGTH / 3) return { sql: statement, params: [] };
  const params: (string | ArrayBuffer)[] = [];
  const literal = /"[^"]*"|`[^`]*`|\[[^\]]*\]|--[^\n]*\n|\/\*[\s\S]*?\*\/|(?<blob>\b[xX])?'(?<text>(?:[^']|'')*)'/g;
  const sql = statement.replace(literal, (whole: string, blob: string | undefined, text: string | undefined) => {
    if (text === undefined || text.length < LONG_LITERAL) return whole;
    params.push(blob === undefined ? text.replaceAll("''", "'") : readHex(text));
    return "?";
  });
  return { sql, params };
}

function readHex(text: string): ArrayBuffer {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new SyntaxError("A blob literal is not hexadecimal.");
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16))
    .buffer;
}
