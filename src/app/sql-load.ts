// SQL as sql-dump.ts writes it, back into a database: the other half of a dump. Part of the data reader.
import { KV_TABLE } from "./sql-dump.ts";
import { bindLongLiterals, makeStatementSplitter } from "./sql-text.ts";

/** A row's values in hexadecimal, and more. */
const MAX_STATEMENT_LENGTH = 32 * 1024 * 1024;

/** What a dump says to sqlite3 and the runtime has its own ways for. */
const NOT_RUN = /^(?:PRAGMA\s+foreign_keys|BEGIN|COMMIT)\b/i;

/** Where the text waits, because a transaction that waits for a client is ended by the runtime. */
const WAITING = "_slipway_load";
const PIECE_BYTES = 256 * 1024;

/**
 * Fills a storage in which nothing is, in one transaction once all of the text is there. Where this throws, which it does with what SQLite or
 * the source says, the storage is to be deleted. `readValue` makes a value of what a dump has of it.
 */
export async function loadSql(
  storage: DurableObjectStorage,
  source: ReadableStream<Uint8Array>,
  readValue: (text: string) => unknown,
): Promise<void> {
  await keepText(storage.sql, source);
  storage.transactionSync(() => {
    // Rows come table by table, and those that they refer to may come later.
    storage.sql.exec("PRAGMA defer_foreign_keys = ON");
    runText(storage.sql);
    loadEntries(storage, readValue);
  });
}

async function keepText(sql: SqlStorage, source: ReadableStream<Uint8Array>): Promise<void> {
  sql.exec(`CREATE TABLE ${WAITING} (n INTEGER PRIMARY KEY, bytes BLOB)`);
  const keep = (bytes: Uint8Array): void => {
    sql.exec(`INSERT INTO ${WAITING} (bytes) VALUES (?)`, Uint8Array.from(bytes).buffer);
  };
  const piece = new Uint8Array(PIECE_BYTES);
  let length = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.byteLength;) {
      const part = bytes.subarray(at, at + PIECE_BYTES - length);
      piece.set(part, length);
      length += part.byteLength;
      at += part.byteLength;
      if (length < PIECE_BYTES) continue;
      keep(piece);
      length = 0;
    }
  }
  keep(piece.subarray(0, length));
}

/** Each piece goes as it is read, so that the rows take its place. */
function runText(sql: SqlStorage): void {
  const splitter = makeStatementSplitter(MAX_STATEMENT_LENGTH);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const { count } = sql.exec<{ count: number }>(`SELECT count(*) AS count FROM ${WAITING}`).one();
  for (let n = 1; n <= count; n++) {
    const { bytes } = sql.exec<{ bytes: ArrayBuffer }>(`SELECT bytes FROM ${WAITING} WHERE n = ?`, n).one();
    sql.exec(`DELETE FROM ${WAITING} WHERE n = ?`, n);
    for (const statement of splitter.push(decoder.decode(bytes, { stream: true }))) runStatement(sql, statement);
  }
  for (const statement of splitter.end()) runStatement(sql, statement);
  sql.exec(`DROP TABLE ${WAITING}`);
}

function runStatement(sql: SqlStorage, statement: string): void {
  if (NOT_RUN.test(statement)) return;
  const bound = bindLongLiterals(statement);
  sql.exec(bound.sql, ...bound.params);
}

/** What is kept by key is no table of the app's. */
function loadEntries({ sql, kv }: DurableObjectStorage, readValue: (text: string) => unknown): void {
  if (sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", KV_TABLE).toArray().length === 0)
    return;
  const page = `SELECT key, value FROM ${KV_TABLE} WHERE key > ? ORDER BY key LIMIT 12`;
  for (let after: string | undefined = ""; after !== undefined;) {
    const rows: { key: string; value: string }[] = sql.exec<{ key: string; value: string }>(page, after).toArray();
    for (const { key, value } of rows) kv.put(key, readValue(value));
    after = rows.at(-1)?.key;
  }
  sql.exec(`DROP TABLE ${KV_TABLE}`);
}
