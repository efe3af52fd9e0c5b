// A database made of the parts of another (data-dump.ts). All of them or nothing: a crash in between leaves an empty database.
import { quoteName, type DumpedValue, type DumpPart } from "./data-dump.ts";

/** Where the parts come from. undefined: that was all. */
export interface DumpSource {
  read(): Promise<DumpPart | undefined>;
}

/** Fills a storage in which nothing is. Throws what the source throws, and what SQL says of a part; then nothing is there. */
export async function restoreStorage(storage: DurableObjectStorage, source: DumpSource): Promise<void> {
  await storage.transaction(async () => {
    // Rows come table by table, and those that they refer to may come later.
    storage.sql.exec("PRAGMA defer_foreign_keys = ON");
    // oxlint-disable-next-line no-await-in-loop -- part after part
    for (let part = await source.read(); part !== undefined; part = await source.read()) apply(storage, part);
  });
}

function apply(storage: DurableObjectStorage, part: DumpPart): void {
  switch (part.kind) {
    case "statements":
      for (const statement of part.statements) storage.sql.exec(statement);
      return;
    case "rows":
      for (const row of part.rows) insert(storage.sql, part, row);
      return;
    case "entries":
      for (const [key, value] of part.entries) storage.kv.put(key, value);
      return;
  }
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
