// One call of the SQL console, inside the facet whose database it is for: part of the data reader. Rows are stepped one by one, so that
// rows, bytes and time are limited; a single step that does not end is for the isolate's CPU limit. What the runtime itself refuses
// (ATTACH, BEGIN, most PRAGMAs, its own tables) fails here with its words.
import { splitStatements } from "./sql-text.ts";

/** A parameter, bound in the order of the question marks. Numbers are bound as REAL: see the API's description. */
export type SqlParameter = null | number | string | boolean | { readonly base64: string };

/** A value of a row, as JSON can have it. An integer that a JavaScript number does not hold is text; so is an infinite REAL. */
export type SqlCell =
  | null
  | number
  | string
  | { readonly base64: string }
  | { readonly integer: string }
  | { readonly real: string };

/** What is asked of one database. */
export interface SqlQuestion {
  readonly sql: string;
  readonly params: readonly SqlParameter[];
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly maxMs: number;
}

/** A column and the types of the values that came: one, or "mixed"; "null" where nothing else came. */
export interface SqlColumn {
  readonly name: string;
  readonly type: "integer" | "real" | "text" | "blob" | "null" | "mixed";
}

/** What SQLite said to it. `offset`: in characters of the statement that failed. */
export type SqlAnswer =
  | {
      readonly kind: "rows";
      readonly columns: readonly SqlColumn[];
      readonly rows: readonly (readonly SqlCell[])[];
      /** Which limit cut the rows off. */
      readonly truncated: "rows" | "bytes" | "time" | undefined;
      readonly rowsRead: number;
      readonly rowsWritten: number;
    }
  /** It changes something and may not. */
  | { readonly kind: "writes" }
  | { readonly kind: "failed"; readonly message: string; readonly sqliteCode: string; readonly offset?: number };

/** After so many rows the clock is read, and others get a turn: it stands still in between. */
const ROWS_A_TURN = 250;

/** The statements that only read begin with one of these; so may others. */
const READS = /^(?:SELECT|WITH|VALUES|EXPLAIN|PRAGMA)\b/i;

/** Reads. The database must be a copy: what turns out to change something is refused after it was done there. */
export async function askSql(sql: SqlStorage, question: SqlQuestion): Promise<SqlAnswer> {
  const statements = splitStatements(question.sql);
  if (statements.some((statement) => !READS.test(statement)))
    return checkSyntax(sql, question.sql) ?? { kind: "writes" };
  const before = readState(sql);
  try {
    const answer = await readRows(sql, question, statements);
    return readState(sql) === before ? answer : { kind: "writes" };
  } catch (error) {
    return explain(error, question.sql);
  }
}

/** Reads and writes, in one transaction that a failure undoes whole; several statements are done one after the other. */
export function changeBySql(storage: DurableObjectStorage, question: SqlQuestion): SqlAnswer {
  const { sql } = storage;
  try {
    return storage.transactionSync(() => {
      const statements = splitStatements(question.sql);
      const cursor = sql.exec(withoutEnd(question.sql, statements), ...question.params.map(readParameter));
      const page = openPage(question);
      // Read to the end whatever the limits: a statement that returns rows is done when its last row is.
      for (const row of cursor.raw<SqlStorageValue[]>()) page.add(row);
      return { kind: "rows", ...page.end(cursor.columnNames), ...counts(cursor) };
    });
  } catch (error) {
    return explain(error, question.sql);
  }
}

/** The text up to the end of its last statement: the runtime takes what follows, be it a comment, for a statement that is missing. */
function withoutEnd(text: string, statements: readonly string[]): string {
  const last = statements.at(-1);
  return last === undefined ? text : text.slice(0, text.lastIndexOf(last) + last.length);
}

async function readRows(sql: SqlStorage, question: SqlQuestion, statements: readonly string[]): Promise<SqlAnswer> {
  const params = question.params.map(readParameter);
  const first = await step(sql.exec(withoutEnd(question.sql, statements), ...params), question, (cell) => cell);
  if (first.inexact.size === 0) return first.answer;
  const names = first.answer.columns.map((_, at) => `c${at}`);
  // Once more, with the columns as text that have integers which do not fit into a number.
  const exact = names.map((name, at) => (first.inexact.has(at) ? asText(name) : name));
  const body = statements.at(-1) ?? "";
  const query = `WITH slipway_rows(${names.join(", ")}) AS (${body}\n) SELECT ${exact.join(", ")} FROM slipway_rows`;
  let cursor: SqlStorageCursor<Record<string, SqlStorageValue>>;
  try {
    cursor = sql.exec(query, ...params);
  } catch {
    // A statement that cannot stand inside of another, EXPLAIN for one: then as numbers have it.
    return first.answer;
  }
  const again = await step(cursor, question, (cell, at) => (first.inexact.has(at) ? fromText(cell) : cell));
  const columns = first.answer.columns.map(({ name }, at) => ({
    name,
    type: again.answer.columns[at]?.type ?? ("null" as const),
  }));
  return { ...again.answer, columns };
}

/** What asText makes of a value: integers and texts become texts that say which they are. */
function asText(name: string): string {
  return `CASE typeof(${name}) WHEN 'integer' THEN 'i' || ${name} WHEN 'text' THEN 't' || ${name} ELSE ${name} END`;
}

function fromText(cell: SqlStorageValue): SqlStorageValue | { readonly integer: string } {
  if (typeof cell !== "string") return cell;
  if (cell.startsWith("t")) return cell.slice(1);
  const number = Number(cell.slice(1));
  return Number.isSafeInteger(number) ? number : { integer: cell.slice(1) };
}

type Rows = Extract<SqlAnswer, { kind: "rows" }>;

async function step(
  cursor: SqlStorageCursor<Record<string, SqlStorageValue>>,
  question: SqlQuestion,
  read: (cell: SqlStorageValue, at: number) => SqlStorageValue | { readonly integer: string },
): Promise<{ readonly answer: Rows; readonly inexact: ReadonlySet<number> }> {
  const startedMs = Date.now();
  const page = openPage(question);
  const inexact = new Set<number>();
  let count = 0;
  for (const row of cursor.raw<SqlStorageValue[]>()) {
    for (const [at, cell] of row.entries()) if (isInexact(cell)) inexact.add(at);
    if (!page.add(row.map(read))) break;
    count += 1;
    if (count % ROWS_A_TURN !== 0) continue;
    // oxlint-disable-next-line no-await-in-loop -- the turn that others get
    await scheduler.wait(0);
    if (Date.now() - startedMs > question.maxMs) {
      page.cut("time");
      break;
    }
  }
  return { answer: { kind: "rows", ...page.end(cursor.columnNames), ...counts(cursor) }, inexact };
}

/** An integer may have been rounded: REALs of that size have no fraction either, and come as they are. */
function isInexact(cell: SqlStorageValue): boolean {
  return typeof cell === "number" && Number.isInteger(cell) && !Number.isSafeInteger(cell);
}

function counts({ rowsRead, rowsWritten }: SqlStorageCursor<Record<string, SqlStorageValue>>) {
  return { rowsRead, rowsWritten };
}

/** The rows that are answered with, up to the limits. */
function openPage({ maxRows, maxBytes }: SqlQuestion) {
  const rows: SqlCell[][] = [];
  const types: (SqlColumn["type"] | undefined)[] = [];
  let bytes = 0;
  let truncated: Rows["truncated"];
  return {
    /** false: it is full. */
    add(row: readonly (SqlStorageValue | { readonly integer: string })[]): boolean {
      if (truncated === undefined && rows.length >= maxRows) truncated = "rows";
      if (truncated !== undefined) return false;
      const cells = row.map(writeCell);
      bytes += JSON.stringify(cells).length;
      if (bytes > maxBytes && rows.length > 0) {
        truncated = "bytes";
        return false;
      }
      for (const [at, cell] of cells.entries()) {
        const type = typeOf(cell);
        const before = types[at] ?? "null";
        types[at] = before === "null" || before === type ? type : type === "null" ? before : "mixed";
      }
      rows.push(cells);
      return true;
    },
    cut(by: "time"): void {
      truncated = by;
    },
    end(names: readonly string[]): Pick<Rows, "columns" | "rows" | "truncated"> {
      return { columns: names.map((name, at) => ({ name, type: types[at] ?? "null" })), rows, truncated };
    },
  };
}

function writeCell(cell: SqlStorageValue | { readonly integer: string }): SqlCell {
  if (cell instanceof ArrayBuffer) return { base64: btoaBytes(new Uint8Array(cell)) };
  if (typeof cell === "number" && !Number.isFinite(cell)) return { real: String(cell) };
  return cell;
}

function btoaBytes(bytes: Uint8Array): string {
  let text = "";
  const PIECE = 8192;
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(text);
}

function typeOf(cell: SqlCell): SqlColumn["type"] {
  if (cell === null) return "null";
  if (typeof cell === "string") return "text";
  if (typeof cell === "number") return Number.isInteger(cell) ? "integer" : "real";
  if ("base64" in cell) return "blob";
  return "integer" in cell ? "integer" : "real";
}

function readParameter(value: SqlParameter): null | number | string | ArrayBuffer {
  if (typeof value === "boolean") return Number(value);
  if (value === null || typeof value !== "object") return value;
  return Uint8Array.from(atob(value.base64), (character) => character.charCodeAt(0)).buffer;
}

/** Changes with every row that is written and with every change of the schema. */
function readState(sql: SqlStorage): string {
  const schema = sql.exec("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master ORDER BY rowid").toArray();
  return JSON.stringify([sql.exec("SELECT total_changes() AS count").toArray(), schema]);
}

/** Why what is no statement at all is none: it is not to be taken for a write. */
function checkSyntax(sql: SqlStorage, text: string): SqlAnswer | undefined {
  try {
    sql.exec(`EXPLAIN ${text}`).toArray();
    return undefined;
  } catch (error) {
    const failure = explain(error, `EXPLAIN ${text}`);
    if (failure.kind !== "failed" || !/syntax error|incomplete input/.test(failure.message)) return undefined;
    const { offset, ...rest } = failure;
    return offset === undefined ? rest : { ...rest, offset: Math.max(0, offset - "EXPLAIN ".length) };
  }
}

/** "near "FORM": syntax error at offset 9: SQLITE_ERROR", as the runtime puts it, with an offset in bytes. */
function explain(error: unknown, text: string): SqlAnswer {
  const said = error instanceof Error ? error.message : String(error);
  const parts = /^(?<message>.*?)(?: at offset (?<offset>\d+))?(?:: (?<code>SQLITE_\w+))?$/s.exec(said)?.groups;
  const offset = parts?.["offset"];
  const place =
    offset === undefined
      ? {}
      : { offset: new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, Number(offset))).length };
  const message = (parts?.["message"] ?? said).replace(/\.$/, "");
  return { kind: "failed", message, sqliteCode: parts?.["code"] ?? "SQLITE_ERROR", ...place };
}
