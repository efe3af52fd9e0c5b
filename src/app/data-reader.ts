// The host's own class that runs in a facet where no app runs, to say what is in its database, to read it out, or to fill it: only code
// inside a facet can. It is carried as text and loaded into an isolate of its own, so that no app's code is near. scripts/generate.ts makes the text.
import { DurableObject } from "cloudflare:workers";
import { listKvEntries, type KvPage, type KvQuestion } from "./kv-list.ts";
import { askSql, changeBySql, type SqlAnswer, type SqlQuestion } from "./sql-query.ts";
import { parse, stringify } from "devalue";
import { dumpSql } from "./sql-dump.ts";
import { loadSql } from "./sql-load.ts";
import { describeDatabase, type DatabaseFacts } from "./table-list.ts";
import { dumpStorage, type DumpSink } from "./data-dump.ts";
import { restoreStorage, type DumpSource } from "./data-restore.ts";

/** A table, index, trigger or view, as sqlite_master has it. */
export interface SchemaEntry {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  /** Of a table: its columns' names. */
  readonly columns: readonly string[];
  /** What made it; empty for an index that a constraint made. */
  readonly sql: string;
}

/** What a database is, in a few words. */
export interface DataFacts {
  readonly sizeBytes: number;
  readonly schema: readonly SchemaEntry[];
}

/** Loaded by facet-data.ts. The facet's own name for it is never shown to a visitor: nothing sends requests here. */
export class DataReader extends DurableObject {
  readFacts(): DataFacts {
    const { sql } = this.ctx.storage;
    const query = `SELECT type, name, tbl_name AS "table", coalesce(sql, '') AS sql FROM sqlite_master
      WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name`;
    const entries = sql.exec<Omit<SchemaEntry, "columns"> & Record<string, SqlStorageValue>>(query).toArray();
    const schema = entries.map((entry) => ({
      ...entry,
      columns: entry.type === "table" ? this.#columns(entry.name) : [],
    }));
    return { sizeBytes: sql.databaseSize, schema };
  }

  /** On a copy only: see askSql. */
  askSql(question: SqlQuestion): Promise<SqlAnswer> {
    return askSql(this.ctx.storage.sql, question);
  }

  changeBySql(question: SqlQuestion): SqlAnswer {
    return changeBySql(this.ctx.storage, question);
  }

  describeDatabase(): DatabaseFacts {
    return describeDatabase(this.ctx.storage.sql);
  }

  listKv(question: KvQuestion): KvPage {
    return listKvEntries(this.ctx.storage, question);
  }

  /** Nothing else may use the database until the stream has ended. */
  dumpSql(): ReadableStream<Uint8Array> {
    return dumpSql(this.ctx.storage, writeValue);
  }

  /** The other way, into a database in which nothing is. */
  loadSql(source: ReadableStream<Uint8Array>): Promise<void> {
    return loadSql(this.ctx.storage, source, readValue);
  }

  dump(sink: DumpSink): Promise<void> {
    return dumpStorage(this.ctx.storage, sink);
  }

  restore(source: DumpSource): Promise<void> {
    return restoreStorage(this.ctx.storage, source);
  }

  #columns(table: string): string[] {
    const rows = this.ctx.storage.sql.exec<{ name: string }>("SELECT name FROM pragma_table_xinfo(?)", table);
    return rows.toArray().map(({ name }) => name);
  }
}

/** Text that devalue's parse makes the same value of, but for Errors: see readValue. */
function writeValue(value: unknown): string {
  return stringify(value, {
    Error: (item) => item instanceof Error && { name: item.name, message: item.message, stack: item.stack },
  });
}

/** Errors come back as Errors, by name; a class of the app's own is not known here. */
function readValue(text: string): unknown {
  return parse(text, {
    Error: ({ name, message, stack }: { name: string; message: string; stack?: string }) =>
      Object.assign(new Error(message), { name, stack }),
  });
}
