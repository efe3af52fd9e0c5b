// A database made of the parts of another (data-dump.ts). Between two parts no transaction is open: the runtime ends one that waits, after 30
// seconds. So what fails or is cut short leaves a part of a database, and whoever fills one deletes what is there before, and then again.
import { quoteName, type DumpedValue, type DumpPart } from "./data-dump.ts";

/** Where the parts come from. undefined: that was all. */
export interface DumpSource {
  read(): Promise<DumpPart | undefined>;
}

/** Rows of one table, in the order of the dump. */
type Rows = Extract<DumpPart, { kind: "rows" }>;

/** Rows that refer to what comes later, in a table without constraints. */
interface Waiting {
  readonly name: string;
  readonly columns: readonly string[];
}

/** What waits, by the table that it is for. */
type WaitingRows = Map<string, Waiting>;

const WAITING = "_slipway_load";

/** Fills a storage in which nothing is. Throws what the source throws, and what SQL says of a part; then the storage is to be deleted. */
export async function restoreStorage(storage: DurableObjectStorage, source: DumpSource): Promise<void> {
  const waiting: WaitingRows = new Map();
  // oxlint-disable-next-line no-await-in-loop -- part after part
  for (let part = await source.read(); part !== undefined; part = await source.read()) {
    const next = part;
    storage.transactionSync(() => apply(storage, next, waiting));
  }
}

function apply(storage: DurableObjectStorage, part: DumpPart, waiting: WaitingRows): void {
  const { sql, kv } = storage;
  switch (part.kind) {
    case "statements":
      // The dump has the tables, then their rows, then what is made of rows that are there.
      moveWaiting(sql, waiting);
      for (const statement of part.statements) sql.exec(statement);
      return;
    case "rows":
      insertRows(sql, part, waiting);
      return;
    case "entries":
      for (const [key, value] of part.entries) kv.put(key, value);
      return;
  }
}

function insertRows(sql: SqlStorage, part: Rows, waiting: WaitingRows): void {
  const wait = (row: readonly DumpedValue[]): void => {
    const { name } = waiting.get(part.table) ?? makeWaiting(sql, part, waiting);
    insert(sql, { table: name, columns: waitingColumns(part) }, row);
  };
  const check = checkOf(sql, part.table);
  for (const row of part.rows) {
    if (check === "at the end") wait(row);
    else if (check === "none") insert(sql, part, row);
    else if (!insertReferring(sql, part, row)) wait(row);
  }
}

/** When SQLite looks whether there is what a row of the table refers to. */
function checkOf(sql: SqlStorage, table: string): "none" | "at once" | "at the end" {
  const query = `SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1
    AND EXISTS (SELECT 1 FROM pragma_foreign_key_list(?1))`;
  const [found] = sql.exec<{ sql: string }>(query, table).toArray();
  if (found === undefined) return "none";
  return /\bINITIALLY\s+DEFERRED\b/i.test(found.sql) ? "at the end" : "at once";
}

/** false: what it refers to is not there yet. */
function insertReferring(sql: SqlStorage, part: Rows, row: readonly DumpedValue[]): boolean {
  try {
    insert(sql, part, row);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("FOREIGN KEY constraint failed")) return false;
    throw error;
  }
}

function makeWaiting(sql: SqlStorage, part: Rows, waiting: WaitingRows): Waiting {
  const made = { name: `${WAITING}_${waiting.size}`, columns: part.columns };
  // Columns without a type keep every value as it is.
  sql.exec(`CREATE TABLE ${made.name} (${waitingColumns(part).join(", ")})`);
  waiting.set(part.table, made);
  return made;
}

function waitingColumns({ columns }: Pick<Rows, "columns">): string[] {
  return columns.map((_, at) => `c${at}`);
}

/** In one transaction, at the end of which everything that is referred to has to be there. */
function moveWaiting(sql: SqlStorage, waiting: WaitingRows): void {
  if (waiting.size === 0) return;
  sql.exec("PRAGMA defer_foreign_keys = ON");
  for (const [table, { name, columns }] of waiting) {
    const into = columns.map((column) => quoteName(column)).join(", ");
    sql.exec(
      `INSERT INTO ${quoteName(table)} (${into}) SELECT ${waitingColumns({ columns }).join(", ")} FROM ${name} ORDER BY rowid`,
    );
    sql.exec(`DROP TABLE ${name}`);
  }
  waiting.clear();
}

function insert(
  sql: SqlStorage,
  { table, columns }: { readonly table: string; readonly columns: readonly string[] },
  row: readonly DumpedValue[],
): void {
  const values = row.map((value) => (typeof value === "string" && value.startsWith("i") ? "CAST(? AS INTEGER)" : "?"));
  const bound = row.map((value) => (typeof value === "string" ? value.slice(1) : value));
  const names = columns.map((name) => quoteName(name)).join(", ");
  sql.exec(`INSERT INTO ${quoteName(table)} (${names}) VALUES (${values.join(", ")})`, ...bound);
}
