import { describe, expect, it } from "vitest";
import { parse } from "devalue";
import { splitStatements } from "../../src/app/sql-text.ts";
import { appSource, deploy, IMPORTS, supervisorOf, visitText } from "../app/deployment.ts";
import { call, codeOf } from "./api-client.ts";

/** Has a table with every kind of value, a few keys, and counts how often it was constructed. */
const APP = `${IMPORTS}export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    const { sql, kv } = ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL DEFAULT '-', any ANY)");
    sql.exec("CREATE UNIQUE INDEX IF NOT EXISTS by_body ON notes (body)");
    if (kv.get("starts") === undefined) {
      sql.exec("INSERT INTO notes VALUES (1, 'one', 9223372036854775807), (2, 'two', 1.5), (3, 'three', x'00ff'), (4, 'four', NULL), (5, 'five', 'text')");
      kv.put("map", new Map([["a", 1n]]));
      kv.put("plain", { list: [1, "two"] });
    }
    kv.put("starts", (kv.get("starts") ?? 0) + 1);
  }
  fetch(request) {
    if (request.url.endsWith("/starts")) return new Response(String(this.ctx.storage.kv.get("starts")));
    const rows = this.ctx.storage.sql.exec("SELECT count(*) AS count FROM notes").one();
    return new Response(String(rows.count));
  }
}
`;

interface Answer {
  readonly columns: { name: string; type: string }[];
  readonly rows: unknown[][];
  readonly truncated: string | null;
  readonly snapshot: number | null;
  readonly rowsWritten: number;
}

async function ask(app: string, body: object): Promise<Answer> {
  const response = await call("POST", `/apps/${app}/sql`, { body });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

async function refusal(app: string, body: object, token?: string): Promise<string> {
  return codeOf(await call("POST", `/apps/${app}/sql`, { body, token }));
}

describe("sql that reads", () => {
  const app = "sql-reads";

  it("answers with exact values, and the app goes on undisturbed", async () => {
    await deploy(app, APP);
    const starts = await visitText(app, "/starts");
    const { columns, rows } = await ask(app, { sql: "SELECT id, body, any FROM notes ORDER BY id; -- all" });
    expect(columns).toEqual([
      { name: "id", type: "integer" },
      { name: "body", type: "text" },
      { name: "any", type: "mixed" },
    ]);
    expect(rows.map(([, , any]) => any)).toEqual([
      { integer: "9223372036854775807" },
      1.5,
      { base64: "AP8=" },
      null,
      "text",
    ]);
    const bound = await ask(app, {
      sql: "SELECT CAST(? AS INTEGER) AS n, id, hex(?) AS b FROM notes WHERE body = ?",
      params: ["-9223372036854775807", { base64: "/w==" }, "two"],
    });
    expect(bound.rows).toEqual([[{ integer: "-9223372036854775807" }, 2, "FF"]]);
    expect((await ask(app, { sql: "SELECT 9e999, -9e999" })).rows).toEqual([
      [{ real: "Infinity" }, { real: "-Infinity" }],
    ]);
    expect(await visitText(app, "/starts")).toBe(starts);
  });

  it("cuts rows, bytes and time off and says so", async () => {
    const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    const few = await ask(app, { sql: `${numbers} SELECT i FROM n`, limit: 3 });
    expect(few).toMatchObject({ rows: [[1], [2], [3]], truncated: "rows" });
    const large = await ask(app, { sql: `${numbers} SELECT i, hex(zeroblob(500000)) FROM n` });
    expect(large.truncated).toBe("bytes");
    expect(large.rows.length).toBeGreaterThan(2);
    expect(await ask(app, { sql: "SELECT id FROM notes", limit: 5 })).toMatchObject({ truncated: null });
  });

  it("refuses everything that changes something, whatever it is hidden in", async () => {
    for (const sql of [
      "DELETE FROM notes",
      "/* SELECT */ UPDATE notes SET body = 'x' WHERE id = 1 RETURNING *",
      "WITH x AS (SELECT 1) DELETE FROM notes",
      "SELECT 1; DROP TABLE notes",
      "SELECT 1; INSERT INTO notes (id) VALUES (9); SELECT 2",
      "CREATE TABLE more (a)",
      "ALTER TABLE notes ADD COLUMN more",
      "REPLACE INTO notes (id) VALUES (1)",
    ]) {
      expect(await refusal(app, { sql }), sql).toBe("sql-read-only");
    }
    expect(await visitText(app)).toBe("5");
  });

  it("tells SQLite's refusals with their place, and hides the runtime's tables", async () => {
    const response = await call("POST", `/apps/${app}/sql`, { body: { sql: "SELECT 'é',\n  nope FROM notes" } });
    expect(await response.json()).toMatchObject({ code: "sql-failed", status: 422, line: 2, column: 3 });
    for (const sql of [
      "SELEC 1",
      "SELECT * FROM _cf_KV",
      "ATTACH 'x' AS y",
      "BEGIN",
      "SELECT ?",
      "",
      "--",
      "PRAGMA writable_schema = 1",
    ]) {
      expect(["sql-failed", "sql-read-only", "invalid-request"], sql).toContain(await refusal(app, { sql }));
    }
    expect(await refusal(app, { sql: "SELEC 1" })).toBe("sql-failed");
  });

  it("says which data there is not", async () => {
    expect(await refusal("sql-nowhere", { sql: "SELECT 1" })).toBe("not-found");
    expect(await refusal(app, { sql: "SELECT 1", environment: "feature" })).toBe("preview-not-found");
    await supervisorOf("sql-empty").createRepository({});
    expect(await refusal("sql-empty", { sql: "SELECT 1" })).toBe("app-not-deployed");
  });
});

describe("sql that writes", () => {
  const app = "sql-writes";

  it("changes the data in one transaction, after a snapshot, and the app starts again on it", async () => {
    await deploy(app, APP);
    expect(await visitText(app, "/starts")).toBe("1");
    const answer = await ask(app, {
      sql: "INSERT INTO notes (body) VALUES (?) RETURNING id, body",
      params: ["six"],
      write: true,
    });
    expect(answer).toMatchObject({ rows: [[6, "six"]], snapshot: 1 });
    expect(await visitText(app)).toBe("6");
    expect(await visitText(app, "/starts")).toBe("2");
    const failed = { sql: "DELETE FROM notes; INSERT INTO nowhere VALUES (1)", write: true };
    expect(await refusal(app, failed)).toBe("sql-failed");
    expect(await visitText(app)).toBe("6");
    const [, first] = await supervisorOf(app).listSnapshots();
    expect(first).toMatchObject({ id: 1, reason: "safety before sql" });
  });

  it("keeps requests waiting meanwhile and fails none", async () => {
    const visits = Array.from({ length: 20 }, () => visitText(app));
    const written = ask(app, { sql: "INSERT INTO notes (body) VALUES ('seven')", write: true });
    const more = Array.from({ length: 20 }, () => visitText(app));
    await written;
    const answers = await Promise.all([...visits, ...more]);
    expect(answers.filter((text) => text !== "6" && text !== "7")).toEqual([]);
  });

  it("needs a token that may administer", async () => {
    const made = await call("POST", `/apps/${app}/tokens`, { body: { name: "pusher", access: "push" } });
    const { token } = await made.json<{ token: string }>();
    expect(await refusal(app, { sql: "DELETE FROM notes", write: true }, token)).toBe("auth-forbidden");
    expect((await call("POST", `/apps/${app}/sql`, { body: { sql: "SELECT 1" }, token })).status).toBe(200);
  });
});

describe("the tables and keys of an app", () => {
  it("are listed, without the runtime's own", async () => {
    const app = "sql-tables";
    await deploy(app, APP);
    const { tables, databaseBytes } = await (
      await call("GET", `/apps/${app}/tables`)
    ).json<{ tables: object[]; databaseBytes: number }>();
    expect(databaseBytes).toBeGreaterThan(0);
    expect(tables).toHaveLength(1);
    expect(tables[0]).toMatchObject({
      name: "notes",
      kind: "table",
      rowCount: 5,
      isRowCountCapped: false,
      columns: [
        { name: "id", type: "INTEGER", primaryKey: 1 },
        { name: "body", type: "TEXT", notNull: true, default: "'-'" },
        { name: "any", type: "ANY" },
      ],
      indexes: [{ name: "by_body", unique: true, columns: ["body"] }],
    });
    const first = await (await call("GET", `/apps/${app}/kv?limit=2`)).json<{ entries: object[]; next: string }>();
    expect(first).toEqual({
      entries: [
        { key: "map", text: "Map(1) { 'a' => 1n }" },
        { key: "plain", text: "{ list: [ 1, 'two' ] }", value: { list: [1, "two"] } },
      ],
      next: "plain",
    });
    const rest = await (await call("GET", `/apps/${app}/kv?cursor=plain`)).json<{ entries: object[] }>();
    expect(rest).toMatchObject({ entries: [{ key: "starts", value: 1 }] });
    const some = await (await call("GET", `/apps/${app}/kv?prefix=pl`)).json<{ entries: object[] }>();
    expect(some.entries).toHaveLength(1);
  });
});

describe("a dump", () => {
  it("makes the same database anew, value by value, and says what is kept by key", async () => {
    const app = "dumped";
    await deploy(app, APP);
    const sql = `
      CREATE TABLE odd (a TEXT, "quoted "" column" BLOB, g AS (a || '!'), PRIMARY KEY (a)) WITHOUT ROWID;
      INSERT INTO odd VALUES ('it''s', x'00ff'), (CAST(x'610062' AS TEXT), -1.25e-300), ('n', 9007199254740993), ('z', 5.0);
      CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, parent REFERENCES counted(id));
      INSERT INTO counted VALUES (7, NULL); DELETE FROM counted;
      CREATE TRIGGER grow AFTER INSERT ON notes BEGIN UPDATE notes SET any = 'grown; by trigger' WHERE id = new.id; END;
      CREATE VIEW few AS SELECT id FROM notes WHERE id < 3;
      CREATE VIRTUAL TABLE words USING fts5(body);
      INSERT INTO words VALUES ('hello world')`;
    await ask(app, { sql, write: true });
    const response = await call("GET", `/apps/${app}/dump`);
    expect(response.status).toBe(200);
    const dump = await response.text();
    await deploy("undumped", appSource(`return new Response("empty")`));
    const statements = splitStatements(dump).filter((text) => !/^(?:PRAGMA|BEGIN|COMMIT)/.test(text));
    await ask("undumped", { sql: statements.join(";\n"), write: true });
    const questions = [
      "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE '%_kv' AND name NOT LIKE 'sqlite%' ORDER BY name",
      'SELECT quote(a), hex(a), typeof("quoted "" column"), quote("quoted "" column"), g FROM odd',
      "SELECT id, body, quote(any) FROM notes",
      "SELECT * FROM sqlite_sequence",
      "SELECT rowid, body FROM words WHERE words MATCH 'hello'",
    ];
    for (const question of questions) {
      expect((await ask("undumped", { sql: question })).rows, question).toEqual(
        (await ask(app, { sql: question })).rows,
      );
    }
    const { rows } = await ask("undumped", { sql: "SELECT key, value FROM _slipway_kv ORDER BY key" });
    expect(rows.map(([key, value]) => [key, parse(String(value))])).toEqual([
      ["map", new Map([["a", 1n]])],
      ["plain", { list: [1, "two"] }],
      ["starts", 2],
    ]);
  });
});
