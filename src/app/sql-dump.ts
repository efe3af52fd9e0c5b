// A database as SQL that the sqlite3 shell reads: schema, rows with their exact values, indexes, triggers, views, sequences. Part of the
// data reader. Rows are stepped as they are sent, so that a large database needs little memory; the database must not change meanwhile. Row IDs that
// no column has are not kept.
// What the app keeps by key is in a table of its own, KV_TABLE, as JSON where JSON has the value exactly.

/** Beside the app's own tables. */
export const KV_TABLE = "_slipway_kv";

const encoder = new TextEncoder();
const PIECE_LENGTH = 64 * 1024;

interface SchemaRow extends Record<string, SqlStorageValue> {
  readonly type: string;
  readonly name: string;
  readonly kind: string | null;
  readonly sql: string;
}

/** UTF-8, in pieces. `writeValue` makes text of a value that is kept by key. */
export function dumpSql(
  storage: DurableObjectStorage,
  writeValue: (value: unknown) => string,
): ReadableStream<Uint8Array> {
  const lines = writeLines(storage, writeValue);
  return new ReadableStream({
    type: "bytes",
    pull(controller: ReadableByteStreamController) {
      let piece = "";
      for (let next = lines.next(); ; next = lines.next()) {
        if (next.done === true) {
          if (piece !== "") controller.enqueue(encoder.encode(piece));
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        piece += next.value;
        if (piece.length >= PIECE_LENGTH) break;
      }
      controller.enqueue(encoder.encode(piece));
    },
  });
}

function* writeLines(storage: DurableObjectStorage, writeValue: (value: unknown) => string): Generator<string> {
  const { sql } = storage;
  const query = `SELECT m.type, m.name, l.type AS kind, m.sql
    FROM sqlite_master AS m LEFT JOIN pragma_table_list AS l ON m.type = 'table' AND l.name = m.name AND l.schema = 'main'
    WHERE m.sql IS NOT NULL AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY m.rowid`;
  const entries = sql.exec<SchemaRow>(query).toArray();
  // The tables of a virtual table come with it.
  const tables = entries.filter(({ type, kind }) => type === "table" && kind !== "shadow");
  yield "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n";
  for (const table of tables) {
    yield `${table.sql};\n`;
    yield* writeRows(sql, table);
  }
  yield* writeSequences(sql);
  for (const { type, sql: definition } of entries) if (type !== "table") yield `${definition};\n`;
  yield `CREATE TABLE ${KV_TABLE} (key TEXT PRIMARY KEY, value TEXT NOT NULL);\n`;
  for (const [key, value] of storage.kv.list()) {
    yield `INSERT INTO ${KV_TABLE} VALUES (${quoteText(key)}, ${quoteText(writeValue(value))});\n`;
  }
  yield "COMMIT;\n";
}

function* writeRows(sql: SqlStorage, { name }: SchemaRow): Generator<string> {
  const columns = sql
    .exec<{ name: string }>("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", name)
    .toArray()
    .map((column) => quoteName(column.name));
  if (columns.length === 0) return;
  // quote() keeps every digit; it ends a text at its first NUL, which is told by its bytes instead.
  const values = columns.map(
    (column) =>
      `CASE WHEN typeof(${column}) = 'text' AND instr(${column}, char(0)) > 0 ` +
      `THEN 'CAST(X''' || hex(${column}) || ''' AS TEXT)' ELSE quote(${column}) END`,
  );
  const into = `INSERT INTO ${quoteName(name)} (${columns.join(", ")}) VALUES`;
  for (const row of sql.exec(`SELECT ${values.join(", ")} FROM ${quoteName(name)}`).raw()) {
    yield `${into} (${row.map(String).join(", ")});\n`;
  }
}

/** What AUTOINCREMENT has counted. */
function* writeSequences(sql: SqlStorage): Generator<string> {
  const isThere = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").toArray().length > 0;
  if (!isThere) return;
  yield "DELETE FROM sqlite_sequence;\n";
  for (const row of sql.exec("SELECT quote(name), quote(seq) FROM sqlite_sequence").raw()) {
    yield `INSERT INTO sqlite_sequence VALUES (${row.map(String).join(", ")});\n`;
  }
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoteText(text: string): string {
  return text.includes("\0")
    ? `CAST(X'${[...encoder.encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}' AS TEXT)`
    : `'${text.replaceAll("'", "''")}'`;
}
