// Probes of an object's storage. Each begins with an empty one.
import { members, tryEach, type Probes, type Scene, type Seen } from "./outcome.ts";

// oxlint-disable typescript/unbound-method -- Reflect.apply gives methods arguments that their types refuse.
export const STORAGE_PROBES: Probes = {
  "sql-values": sqlValues,
  "sql-cursors": sqlCursors,
  "sql-errors": sqlErrors,
  kv: syncKv,
  "async-kv": asyncKv,
  transactions,
  "delete-all": deleteAll,
  storage: shapes,
};

function sqlValues({ ctx }: Scene): Promise<Seen> {
  const { sql } = ctx.storage;
  const one = (text: string, ...values: unknown[]) => sql.exec(text, ...values).one();
  return tryEach({
    integer: () => one("SELECT 1 AS v, typeof(?) AS t", 3),
    real: () => one("SELECT 1.5 AS v, typeof(?) AS t", 1.5),
    big: () => one("SELECT 9007199254740993 AS v"),
    bigint: () => one("SELECT ? AS v", 5n),
    boolean: () => one("SELECT ? AS v", true),
    undefined: () => one("SELECT ? AS v", undefined),
    object: () => one("SELECT ? AS v", { a: 1 }),
    date: () => one("SELECT ? AS v", new Date(5)),
    nan: () => one("SELECT ? AS v", Number.NaN),
    null: () => one("SELECT NULL AS v, typeof(?) AS t", null),
    text: () => one("SELECT ? AS v, length(?1) AS l", "é😀\u0000x"),
    blob: () => one("SELECT x'0001ff' AS v"),
    bytes: () => one("SELECT ? AS v, typeof(?1) AS t", new Uint8Array([1, 2, 3]).subarray(1)),
    buffer: () => one("SELECT ? AS v", new Uint8Array([7]).buffer),
    json: () => one("SELECT json_extract('{\"a\":[1,2]}', '$.a[1]') AS v"),
    math: () => one("SELECT round(sqrt(16)) AS v"),
    upsert: () => {
      sql.exec("CREATE TABLE u (k PRIMARY KEY, n)");
      for (let at = 0; at < 2; at += 1)
        sql.exec("INSERT INTO u VALUES ('a', 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n").toArray();
      return one("SELECT n FROM u");
    },
    fullText: () => {
      sql.exec("CREATE VIRTUAL TABLE f USING fts5(t)");
      sql.exec("INSERT INTO f VALUES ('one two'), ('three')");
      return sql.exec("SELECT t FROM f WHERE f MATCH 'two'").toArray();
    },
    sizeGrows: () => {
      sql.exec("CREATE TABLE large (b)");
      const before = sql.databaseSize;
      sql.exec("INSERT INTO large VALUES (zeroblob(100000))");
      return [before > 0, sql.databaseSize > before];
    },
    tables: () =>
      sql
        .exec("SELECT name FROM sqlite_master WHERE name NOT LIKE 'f%'")
        .toArray()
        .map(({ name }) => name),
  });
}

function sqlCursors({ ctx }: Scene): Promise<Seen> {
  const { sql } = ctx.storage;
  sql.exec("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')");
  const all = () => sql.exec("SELECT a, b FROM t ORDER BY a");
  return tryEach({
    toArray: () => all().toArray(),
    raw: () => [...all().raw()],
    spread: () => [...all()].length,
    next: () => {
      const cursor = all();
      return [cursor.next(), cursor.next(), cursor.next(), cursor.next()];
    },
    mixed: () => {
      const cursor = all();
      cursor.next();
      return [cursor.toArray(), cursor.toArray()];
    },
    columnNames: () => all().columnNames,
    sameNames: () => [...sql.exec("SELECT 1 AS a, 2 AS a").raw()],
    rowsRead: () => {
      const cursor = all();
      cursor.toArray();
      return [cursor.rowsRead, cursor.rowsWritten];
    },
    rowsWritten: () => sql.exec("UPDATE t SET b = 'w'").rowsWritten,
    several: () => sql.exec("SELECT 1 AS v; SELECT 2 AS v").toArray(),
    returning: () => sql.exec("DELETE FROM t WHERE a = 3 RETURNING b").toArray(),
    openWhileWritten: () => {
      const cursor = all();
      cursor.next();
      sql.exec("INSERT INTO t VALUES (9, 'n')");
      return cursor.toArray();
    },
    members: () => members(all()),
    classes: () => [sql.Cursor.name, sql.Statement.name],
  });
}

function sqlErrors({ ctx }: Scene): Promise<Seen> {
  const { sql } = ctx.storage;
  const texts = {
    syntax: "SELEC 1",
    noTable: "SELECT * FROM nowhere",
    noColumn: "SELECT missing FROM c",
    unique: "INSERT INTO c VALUES (1), (1)",
    check: "INSERT INTO c VALUES (-1)",
    begin: "BEGIN TRANSACTION",
    savepoint: "SAVEPOINT s",
    reservedTable: "CREATE TABLE _cf_mine (a)",
    reservedRead: "SELECT * FROM _cf_KV",
    attach: "ATTACH DATABASE ':memory:' AS other",
    pragma: "PRAGMA journal_mode",
    vacuum: "VACUUM",
    empty: "",
    tableInfo: "PRAGMA table_info(c)",
    loadExtension: "SELECT load_extension('x')",
  };
  sql.exec("CREATE TABLE c (n INTEGER PRIMARY KEY CHECK (n > 0))");
  return tryEach({
    ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, () => sql.exec(text).toArray()])),
    tooFew: () => sql.exec("SELECT ?, ?", 1),
    tooMany: () => sql.exec("SELECT ?", 1, 2),
    oneOfNone: () => sql.exec("SELECT n FROM c").one(),
    oneOfTwo: () => sql.exec("SELECT 1 UNION SELECT 2").one(),
    notText: () => Reflect.apply(sql.exec, sql, [undefined]),
    detached: () => Reflect.apply(sql.exec, undefined, ["SELECT 1"]),
    tooLarge: () => sql.exec("SELECT length(?) AS l", "x".repeat(3_000_000)).toArray(),
    manyParameters: () => sql.exec(`SELECT ${Array(101).fill("?").join(",")}`, ...Array(101).fill(1)).toArray().length,
    isErrorClass: () => {
      try {
        return sql.exec("SELEC");
      } catch (error) {
        return error instanceof Error && [error.name, error.constructor === Error];
      }
    },
  });
}

function syncKv({ ctx }: Scene): Promise<Seen> {
  const { kv } = ctx.storage;
  for (const key of ["a1", "a2", "a3", "b1"]) kv.put(key, key);
  return tryEach({
    get: () => [kv.get("a1"), kv.get("none")],
    list: () => [...kv.list()],
    prefix: () => [...kv.list({ prefix: "a" })],
    range: () => [...kv.list({ start: "a2", end: "b1" })],
    after: () => [...kv.list({ startAfter: "a2", limit: 1 })],
    reverse: () => [...kv.list({ reverse: true, limit: 2 })],
    delete: () => [kv.delete("a1"), kv.delete("a1")],
    values: () => {
      const values = [
        1.5,
        "t",
        null,
        true,
        7n,
        new Date(9),
        new Map([[1, 2]]),
        new Set([3]),
        new Uint8Array([4]),
        { a: [1] },
      ];
      return values.map((value) => {
        kv.put("value", value);
        return kv.get("value");
      });
    },
    error: () => {
      kv.put("value", new RangeError("kept"));
      return kv.get("value");
    },
    undefinedValue: () => kv.put("value", undefined),
    function: () => kv.put("value", () => 1),
    largeKey: () => kv.put("k".repeat(2049), 1),
    largeValue: () => kv.put("large", "x".repeat(3_000_000)),
    noKey: () => Reflect.apply(kv.get, kv, []),
    badLimit: () => [...kv.list({ limit: 0 })],
    members: () => members(kv),
  });
}

function asyncKv({ ctx: { storage } }: Scene): Promise<Seen> {
  return tryEach({
    put: () => storage.put("a", { n: 1 }),
    putMany: () => storage.put({ b: 2, c: 3, d: 4 }, { allowUnconfirmed: true, noCache: true }),
    get: () => storage.get("a", { allowConcurrency: true }),
    getNone: () => storage.get("none"),
    getMany: () => storage.get(["c", "b", "none"]),
    list: () => storage.list(),
    options: () => storage.list({ start: "b", end: "d", reverse: true, limit: 1 }),
    prefix: () => storage.list({ prefix: "a" }),
    bothStarts: () => storage.list({ start: "a", startAfter: "b" }),
    delete: async () => [await storage.delete("a"), await storage.delete("a"), await storage.delete(["b", "none"])],
    tooMany: () => storage.get(Array.from({ length: 129 }, (_, at) => String(at))),
    undefinedValue: () => storage.put("u", undefined),
    function: () => storage.put("f", () => 1),
    largeKey: () => storage.put("k".repeat(2049), 1),
    largeValue: () => storage.put("large", "x".repeat(3_000_000)),
    sharedWithKv: () => storage.kv.get("c"),
    sync: () => storage.sync(),
  });
}

function transactions({ ctx: { storage } }: Scene): Promise<Seen> {
  return tryEach({
    kept: async () => [
      await storage.transaction(async (txn) => (await txn.put("t", 1), "result")),
      await storage.get("t"),
    ],
    rolledBack: () =>
      storage.transaction(async (txn) => {
        await txn.put("t", 2);
        txn.rollback();
      }),
    afterRollback: () => storage.get("t"),
    useAfterRollback: () =>
      storage.transaction(async (txn) => {
        txn.rollback();
        await txn.get("t");
      }),
    thrown: () =>
      storage.transaction(async (txn) => {
        await txn.put("t", 3);
        throw new RangeError("from inside");
      }),
    afterThrow: () => storage.get("t"),
    sync: () => storage.transactionSync(() => (storage.kv.put("s", 1), "sync result")),
    syncThrown: () =>
      storage.transactionSync(() => {
        storage.kv.put("s", 2);
        throw new RangeError("sync");
      }),
    afterSync: () => storage.kv.get("s"),
    nested: () =>
      storage.transactionSync(() => {
        storage.kv.put("outer", 1);
        try {
          storage.transactionSync(() => {
            storage.kv.put("inner", 1);
            throw new Error("inner only");
          });
        } catch {
          // What the outer one keeps is seen next.
        }
        return [storage.kv.get("outer"), storage.kv.get("inner")];
      }),
    promiseInSync: () => storage.transactionSync(async () => 1) instanceof Promise,
    noClosure: () => Reflect.apply(storage.transaction, storage, []),
    noSyncClosure: () => Reflect.apply(storage.transactionSync, storage, []),
    noClosureReturn: () => storage.transaction(async () => undefined),
    members: () => storage.transaction(async (txn) => members(txn)),
  });
}

function deleteAll({ ctx: { storage } }: Scene): Promise<Seen> {
  return tryEach({
    before: () => {
      storage.sql.exec("CREATE TABLE t (a)");
      storage.kv.put("k", 1);
      return storage.setAlarm(Date.now() + 60_000);
    },
    deletes: () => storage.deleteAll(),
    // Where an alarm of a plain object outlives it, so does the table that it is in.
    tables: () => storage.sql.exec("SELECT name FROM sqlite_master WHERE name <> '_cf_METADATA'").toArray(),
    keys: () => storage.list(),
    alarm: async () => (await storage.getAlarm()) !== null,
    usableAgain: () => [storage.sql.exec("CREATE TABLE t (a)").toArray(), storage.kv.put("k", 2), storage.kv.get("k")],
    options: () => storage.deleteAll({ allowUnconfirmed: true }),
  });
}

function shapes({ ctx: { storage } }: Scene): Promise<Seen> {
  return tryEach({
    members: () => members(storage),
    keys: () => Object.keys(storage),
    class: () => storage.constructor.name,
    sqlMembers: () => members(storage.sql),
    bookmark: async () => typeof (await storage.getCurrentBookmark()),
    bookmarkForTime: async () => typeof (await storage.getBookmarkForTime(Date.now())),
    restore: async () => typeof (await storage.onNextSessionRestoreBookmark("")),
  });
}
