// A database of an app as parts of which another can be made, for a runtime that does not copy databases itself: rows with their exact
// types, row IDs, tables without them, full-text and other virtual tables, sequences, and the key-value
// entries. Runs inside the facet, in the host's own class (data-reader.ts) or in the wrapper around the app's. What is not copied:
// statistics of ANALYZE, which any ANALYZE makes again; row IDs
// of a table with as many columns as there may be, unless one of them is the row ID; text that is no UTF-8.

/** A value as SQL has it. Text begins with "t", an integer with "i": JavaScript's numbers do not have all of SQLite's integers. */
export type DumpedValue = string | number | ArrayBuffer | null;

/** One piece, in the order in which they are to be applied. */
export type DumpPart =
  | { readonly kind: "statements"; readonly statements: readonly string[] }
  | {
      readonly kind: "rows";
      readonly table: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly DumpedValue[])[];
    }
  | { readonly kind: "entries"; readonly entries: readonly (readonly [key: string, value: unknown])[] };

/** Where the parts go; the next is made once the promise resolves. */
export interface DumpSink {
  write(part: DumpPart): Promise<void>;
}

/** What one part of rows comes to, about. */
const PART_BYTES = 256 * 1024;

/** What the runtime allows in a result, and as parameters of a statement. */
const MAX_COLUMNS = 100;

/** A value has up to 2 MB, a message of the runtime up to 32 MB. */
const PART_ENTRIES = 12;

/** In sqlite_master's order, which is the one in which they were made. */
interface SchemaRow extends Record<string, SqlStorageValue> {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

interface TableRow extends Record<string, SqlStorageValue> {
  readonly name: string;
  readonly type: "table" | "virtual" | "shadow" | "view";
  readonly wr: number;
}

/** Writes everything that is in the storage. Nothing else may write there meanwhile. */
export async function dumpStorage(storage: DurableObjectStorage, sink: DumpSink): Promise<void> {
  const { sql } = storage;
  const schema = sql
    .exec<SchemaRow>(
      `SELECT type, name, sql FROM sqlite_master
       WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY rowid`,
    )
    .toArray();
  const facts = new Map(
    sql
      .exec<TableRow>("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'")
      .toArray()
      .map((table) => [table.name, table]),
  );
  const kindOf = ({ type, name }: SchemaRow): string => (type === "table" ? (facts.get(name)?.type ?? "table") : type);
  const ofKind = (...kinds: readonly string[]): SchemaRow[] => schema.filter((row) => kinds.includes(kindOf(row)));
  const make = async (rows: readonly SchemaRow[]): Promise<void> =>
    sink.write({ kind: "statements", statements: rows.flatMap((row) => row.sql ?? []) });

  await make(ofKind("table"));
  for (const { name } of ofKind("table")) {
    // oxlint-disable-next-line no-await-in-loop -- part after part
    await dumpRows(sql, sink, { table: name, hasRowId: facts.get(name)?.wr !== 1 });
  }
  await dumpSequences(sql, sink);
  await make(ofKind("virtual"));
  for (const row of ofKind("virtual")) {
    // oxlint-disable-next-line no-await-in-loop -- as above
    await dumpVirtual(sql, sink, { table: row.name, sql: row.sql ?? "", hasContent: facts.has(`${row.name}_content`) });
  }
  // Not before the rows: triggers would run, and indexes are made faster of what is there.
  await make([...ofKind("index"), ...ofKind("view"), ...ofKind("trigger")]);
  await dumpEntries(storage, sink);
}

/** Also in SQL that the host writes for a restore. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function dumpRows(
  sql: SqlStorage,
  sink: DumpSink,
  { table, hasRowId }: { readonly table: string; readonly hasRowId: boolean },
): Promise<void> {
  const names = sql
    .exec<{ name: string }>("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", table)
    .toArray()
    .map(({ name }) => name);
  const taken = new Set(names.map((name) => name.toLowerCase()));
  const rowId = hasRowId ? ["rowid", "_rowid_", "oid"].find((name) => !taken.has(name)) : undefined;
  const columns = rowId === undefined || names.length === MAX_COLUMNS ? names : [rowId, ...names];
  const values = columns.map((name) => {
    const column = name === rowId ? name : quoteName(name);
    return `CASE typeof(${column}) WHEN 'integer' THEN 'i' || ${column} WHEN 'text' THEN 't' || ${column} ELSE ${column} END`;
  });
  const query = `SELECT ${values.join(", ")} FROM ${quoteName(table)}`;
  let rows: DumpedValue[][] = [];
  let sizeBytes = 0;
  for (const row of sql.exec(query).raw<DumpedValue[]>()) {
    rows.push(row);
    for (const value of row) sizeBytes += sizeOf(value);
    if (sizeBytes < PART_BYTES) continue;
    // oxlint-disable-next-line no-await-in-loop -- the rows are read as fast as they are taken
    await sink.write({ kind: "rows", table, columns, rows });
    rows = [];
    sizeBytes = 0;
  }
  if (rows.length > 0) await sink.write({ kind: "rows", table, columns, rows });
}

function sizeOf(value: DumpedValue): number {
  if (typeof value === "string") return 16 + value.length;
  return 16 + (value instanceof ArrayBuffer ? value.byteLength : 0);
}

/** How far AUTOINCREMENT has come, which may be further than the rows say. */
async function dumpSequences(sql: SqlStorage, sink: DumpSink): Promise<void> {
  const found = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").toArray();
  if (found.length === 0) return;
  await sink.write({ kind: "statements", statements: ["DELETE FROM sqlite_sequence"] });
  await dumpRows(sql, sink, { table: "sqlite_sequence", hasRowId: false });
}

/** The tables behind a virtual one cannot be written, so that it is filled as the app fills it. */
async function dumpVirtual(
  sql: SqlStorage,
  sink: DumpSink,
  virtual: { readonly table: string; readonly sql: string; readonly hasContent: boolean },
): Promise<void> {
  const { table, hasContent } = virtual;
  const module = /\busing\s+["'`[]?(\w+)/i.exec(virtual.sql)?.[1]?.toLowerCase();
  // It shows what is in another table.
  if (module === "fts5vocab") return;
  if (module !== "fts5") return dumpRows(sql, sink, { table, hasRowId: false });
  const name = quoteName(table);
  const settings = sql
    .exec(`SELECT 't' || k, CASE typeof(v) WHEN 'integer' THEN 'i' || v WHEN 'text' THEN 't' || v ELSE v END
       FROM ${quoteName(`${table}_config`)} WHERE k <> 'version'`)
    .raw<DumpedValue[]>();
  const rows = [...settings];
  if (rows.length > 0) await sink.write({ kind: "rows", table, columns: [table, "rank"], rows });
  if (hasContent) return dumpRows(sql, sink, { table, hasRowId: true });
  // An index of another table's content. One without any content cannot be made again, and the statement says so.
  await sink.write({ kind: "statements", statements: [`INSERT INTO ${name} (${name}) VALUES ('rebuild')`] });
}

async function dumpEntries({ kv }: DurableObjectStorage, sink: DumpSink): Promise<void> {
  for (let last: string | undefined; ;) {
    const options = { limit: PART_ENTRIES, ...(last === undefined ? {} : { startAfter: last }) };
    const entries = [...kv.list(options)];
    last = entries.at(-1)?.[0];
    if (last === undefined) return;
    // oxlint-disable-next-line no-await-in-loop -- part after part
    await sink.write({ kind: "entries", entries });
  }
}
