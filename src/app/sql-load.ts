// SQL as sql-dump.ts writes it, back into a database: the other half of a dump. Part of the data reader.
import { KV_TABLE } from "./sql-dump.ts";
import { bindLongLiterals, makeStatementSplitter } from "./sql-text.ts";

/** A row's values in hexadecimal, and more. */
const MAX_STATEMENT_LENGTH = 32 * 1024 * 1024;

/** What a dump says to sqlite3 and the runtime has its own ways for. */
const NOT_RUN = /^(?:PRAGMA\s+foreign_keys|BEGIN|COMMIT)\b/i;

/**
 * Fills a storage in which nothing is, or leaves nothing in it. `readValue` makes a value of what a dump has of it. Throws what SQLite or
 * the source says.
 */
export async function loadSql(
  storage: DurableObjectStorage,
  source: ReadableStream<Uint8Array>,
  readValue: (text: string) => unknown,
): Promise<void> {
  const { sql } = storage;
  const run = (statement: string): void => {
    if (NOT_RUN.test(statement)) return;
    const bound = bindLongLiterals(statement);
    sql.exec(bound.sql, ...bound.params);
  };
  await storage.transaction(async () => {
    // Rows come table by table, and those that they refer to may come later.
    sql.exec("PRAGMA defer_foreign_keys = ON");
    const splitter = makeStatementSplitter(MAX_STATEMENT_LENGTH);
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    for await (const bytes of source) splitter.push(decoder.decode(bytes, { stream: true })).forEach(run);
    const last = splitter.end();
    if (last !== undefined) run(last);
    loadEntries(storage, readValue);
  });
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
