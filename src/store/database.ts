// A handle on one Durable Object's SQLite database. Rows are read and written by free functions over it, one file a table.

/** The SQL of one Durable Object, and its only way to make several statements one. */
export interface Database {
  readonly sql: SqlStorage;
  /** Runs `work` synchronously as one transaction; whatever it throws undoes all of it and is thrown on. Nests. */
  transaction<T>(work: () => T): T;
}

/** The handle on a Durable Object's own storage. Creates nothing. */
export function openDatabase(storage: DurableObjectStorage): Database {
  return { sql: storage.sql, transaction: (work) => storage.transactionSync(work) };
}

/** The row of a query that has at most one. Read to its end, so that no open cursor outlives its transaction. */
export function findFirst<T extends Record<string, SqlStorageValue>>(rows: SqlStorageCursor<T>): T | undefined {
  return rows.toArray()[0];
}
