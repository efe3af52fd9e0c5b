/// <reference types="@cloudflare/vitest-pool-workers/types" />
// A runtime without facets.clone: databases are read out and filled again, and everything is as it is with it.
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { DUMP_LIMIT_MS } from "../../src/app/copy-too-slow.ts";
import { DataChannel } from "../../src/app/data-channel.ts";
import { ZERO_ID } from "../../src/git/object-id.ts";
import { call } from "../http/api-client.ts";
import {
  appSource,
  deploy,
  IMPORTS,
  makeCode,
  ref,
  supervisorOf,
  takeSnapshot,
  testId,
  visit,
  visitText,
} from "./deployment.ts";
import { counter, deployAgain, describeSnapshots } from "./snapshot-cases.ts";

beforeAll(async () => {
  // All supervisors of this file's isolate have the same prototype.
  await runInDurableObject(supervisorOf("without-clone"), (_, { facets }) => {
    Object.defineProperty(Object.getPrototypeOf(facets), "clone", { value: undefined });
    expect(typeof facets.clone).toBe("undefined");
  });
});

describeSnapshots();

/** Fills its database by what it is sent, and shows a query's rows. */
const DATABASE = appSource(`    const statements = await request.json();
    const texts = statements.map((statement) => {
      const rows = this.ctx.storage.sql.exec(statement).raw().toArray();
      return JSON.stringify(rows, (_, value) => value instanceof ArrayBuffer ? "x" + [...new Uint8Array(value)] : value);
    });
    return new Response(texts.at(-1));`);

async function query(app: string, ...statements: readonly string[]): Promise<string> {
  return (await visit(app, "/", { method: "POST", body: JSON.stringify(statements) })).text();
}

describe("a copy without facets.clone", () => {
  it.each([
    [
      "values of every type, to the bit",
      [
        "CREATE TABLE v (a, b INTEGER, c TEXT, d BLOB, e REAL)",
        "INSERT INTO v VALUES (9223372036854775807, -9223372036854775808, 'i12', x'00ff', 9e999)",
        "INSERT INTO v VALUES (1.0, NULL, 't' || char(0) || 'ü', 'text', 0.1), ('', 9007199254740993, '', x'', -0.0), (1, 1, 1, 1, 1)",
      ],
      "SELECT rowid, quote(a), typeof(a), quote(b), hex(c), typeof(c), quote(d), quote(e), e = 9e999 FROM v ORDER BY rowid",
    ],
    [
      "row IDs and how far AUTOINCREMENT came",
      [
        "CREATE TABLE plain (v); INSERT INTO plain (rowid, v) VALUES (5, 'a'), (-3, 'b')",
        "CREATE TABLE taken (rowid, _rowid_ TEXT); INSERT INTO taken (oid, rowid, _rowid_) VALUES (7, 'a', 'b')",
        "CREATE TABLE keyed (id INTEGER PRIMARY KEY, v); INSERT INTO keyed VALUES (4, 'x')",
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO counted VALUES (41, 'x')",
        "DELETE FROM counted",
      ],
      `SELECT (SELECT json_group_array(rowid || v) FROM plain), (SELECT oid || rowid || _rowid_ FROM taken), (SELECT id FROM keyed),
        (SELECT json_group_array(name || seq) FROM sqlite_sequence)`,
    ],
    [
      "tables without row IDs, strict ones, generated columns and odd names",
      [
        `CREATE TABLE "od""d na'me" ("a b" TEXT PRIMARY KEY, "select" INT) WITHOUT ROWID; INSERT INTO "od""d na'me" VALUES ('x', 2)`,
        "CREATE TABLE strict (a INTEGER, b ANY) STRICT; INSERT INTO strict VALUES (1, 2.0)",
        "CREATE TABLE made (a, b AS (a + 1), c AS (a + 2) STORED); INSERT INTO made (a) VALUES (1)",
      ],
      `SELECT o.*, typeof(s.b), m.* FROM "od""d na'me" o, strict s, made m`,
    ],
    [
      "rows that refer to later ones, indexes, views and triggers, which do not run",
      [
        "CREATE TABLE child (parent REFERENCES parent(id)); CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1)",
        "CREATE INDEX by_parent ON child (parent) WHERE parent > 0",
        "CREATE VIEW both_tables AS SELECT * FROM child JOIN parent ON parent = id",
        "CREATE TRIGGER more AFTER INSERT ON child BEGIN INSERT INTO child SELECT NULL WHERE 0; DELETE FROM parent WHERE id = 9; END",
        "CREATE TRIGGER twice AFTER INSERT ON parent BEGIN INSERT INTO child VALUES (new.id); END",
      ],
      "SELECT (SELECT count(*) FROM both_tables), group_concat(type || name || sql) FROM sqlite_master",
    ],
    [
      "more rows that refer to later ones, and to rows of their own table, than go into one part",
      [
        "CREATE TABLE node (id INTEGER PRIMARY KEY, next INTEGER REFERENCES node(id) NOT NULL, leaf REFERENCES leaf(id), v)",
        "CREATE TABLE leaf (id TEXT PRIMARY KEY, node REFERENCES node(id)) WITHOUT ROWID",
        "CREATE TABLE before (next REFERENCES after(id) DEFERRABLE INITIALLY DEFERRED); CREATE TABLE after (id PRIMARY KEY)",
        "INSERT INTO after VALUES (7); INSERT INTO before VALUES (7)",
        `PRAGMA defer_foreign_keys = ON; INSERT INTO node WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
           SELECT i, i % 2000 + 1, 'leaf' || i, hex(zeroblob(200)) FROM n;
         INSERT INTO leaf SELECT leaf, id FROM node`,
      ],
      `SELECT (SELECT count(*) || sum(length(v)) || sum(next) FROM node JOIN leaf ON leaf.id = node.leaf),
        (SELECT group_concat(name) FROM sqlite_master), (SELECT id FROM before JOIN after ON next = id)`,
    ],
    [
      "full-text tables, with their own content and with another's",
      [
        "CREATE VIRTUAL TABLE own USING fts5(a, b UNINDEXED, tokenize = 'porter'); INSERT INTO own (rowid, a, b) VALUES (9, 'running late', 'x')",
        "INSERT INTO own (own, rank) VALUES ('rank', 'bm25(10.0)'), ('automerge', 2)",
        "CREATE TABLE texts (id INTEGER PRIMARY KEY, t); INSERT INTO texts VALUES (3, 'green apples')",
        "CREATE VIRTUAL TABLE others USING fts5(t, content = 'texts', content_rowid = 'id')",
        "INSERT INTO others (others) VALUES ('rebuild')",
        "CREATE VIRTUAL TABLE words USING fts5vocab('others', 'row')",
      ],
      `SELECT (SELECT rowid || b FROM own('run')), (SELECT rowid FROM others('apples')), (SELECT group_concat(term) FROM words),
        (SELECT group_concat(k || v) FROM own_config)`,
    ],
    [
      "other virtual tables",
      ["CREATE VIRTUAL TABLE box USING rtree(id, x0, x1); INSERT INTO box VALUES (5, 1.5, 2.5)"],
      "SELECT * FROM box WHERE x0 > 1",
    ],
    [
      "more rows than go into one part, and a table of as many columns as there may be",
      [
        "CREATE TABLE many (v); INSERT INTO many WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT hex(randomblob(200)) FROM n",
        "CREATE TABLE copy AS SELECT * FROM many",
        `CREATE TABLE wide (${Array.from({ length: 100 }, (_, at) => `c${at}`).join(", ")})`,
        "INSERT INTO wide (c0, c99) VALUES ('first', 2)",
      ],
      "SELECT count(*), sum(many.v = copy.v), (SELECT c0 || c99 FROM wide) FROM many JOIN copy ON many.rowid = copy.rowid",
    ],
  ])("has %s", async (name, statements, shown) => {
    const app = `copy-${name.length}`;
    await deploy(app, DATABASE);
    await query(app, ...statements);
    const before = await query(app, shown);
    expect(before).not.toBe("[[]]");
    const snapshot = await takeSnapshot(app);
    const tables: string[][] = JSON.parse(await query(app, "SELECT name FROM sqlite_master WHERE type = 'trigger'"));
    await query(app, "CREATE TABLE later (v)", ...tables.map(([trigger]) => `DROP TRIGGER ${trigger}`));
    await deployAgain(app, DATABASE, snapshot.id);
    expect(await query(app, shown)).toBe(before);
    expect(await query(app, "SELECT count(*) FROM sqlite_master WHERE name = 'later'")).toBe("[[0]]");
    expect(await query(app, "PRAGMA foreign_key_check")).toBe("[]");
  });

  it("has the key-value entries, of any value and more than go into one part", async () => {
    const app = "entries";
    const source = appSource(`    const { kv } = this.ctx.storage;
    if (request.url.endsWith("/put")) {
      for (let at = 0; at < 50; at += 1) kv.put("key" + at, { at });
      kv.put("value", new Map([["a", [1n, new Date(7)]], ["b", new Uint8Array([1, 2])]]));
    }
    const value = kv.get("value");
    return new Response([...kv.list()].length + " " + kv.get("key49").at + " " + value.get("a")[0] + value.get("a")[1].getTime() + value.get("b"));`);
    await deploy(app, source);
    expect(await visitText(app, "/put")).toBe("51 49 171,2");
    const snapshot = await takeSnapshot(app);
    await deployAgain(app, counter("x"), undefined);
    await visitText(app);
    await deployAgain(app, source, snapshot.id);
    expect(await visitText(app)).toBe("51 49 171,2");
  });

  it("fails and leaves nothing where a table cannot be filled, and the app runs on", async () => {
    const app = "contentless";
    await deploy(app, DATABASE);
    await query(
      app,
      "CREATE VIRTUAL TABLE none USING fts5(a, content = ''); INSERT INTO none (rowid, a) VALUES (1, 'x')",
    );
    await expect(takeSnapshot(app)).rejects.toThrow("contentless");
    expect(await supervisorOf(app).listSnapshots()).toEqual([]);
    expect(await query(app, "SELECT rowid FROM none('x')")).toBe("[[1]]");
  });

  it("is of one moment, while the app that runs is asked to write", async () => {
    const app = "busy";
    const source = appSource(`    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS a (v); CREATE TABLE IF NOT EXISTS b (v)");
    if (request.url.endsWith("/count")) return Response.json(sql.exec("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").raw().toArray()[0]);
    sql.exec("INSERT INTO a VALUES (hex(randomblob(50000)))");
    await scheduler.wait(0);
    sql.exec("INSERT INTO b VALUES (1)");
    return new Response("ok");`);
    await deploy(app, source);
    for (let at = 0; at < 10; at += 1) expect(await visitText(app)).toBe("ok");
    const writes = Array.from({ length: 20 }, () => visitText(app));
    const snapshot = await takeSnapshot(app);
    expect(await Promise.all(writes)).toEqual(writes.map(() => "ok"));
    expect(await visitText(app, "/count")).toBe("[30,30]");
    await deployAgain(app, source, snapshot.id);
    const [a, b] = JSON.parse(await visitText(app, "/count"));
    // Writes between which others came may be halfway.
    expect(a).toBeGreaterThanOrEqual(10);
    expect(b).toBeLessThanOrEqual(a);
  });

  it("is what a rehearsal runs on, and keeps WebSockets open", async () => {
    const app = "rehearsed";
    const source = `${IMPORTS}export class App extends DurableObject {
  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return new Response(String(this.ctx.storage.kv.put("a", 1) ?? "put"));
    const pair = new WebSocketPair();
    this.ctx.acceptWebSocket(pair[1]);
    return new Response(null, { status: 101, webSocket: pair[0] });
  }
  webSocketMessage(socket, message) { socket.send("echo " + message); }
}
`;
    await deploy(app, source);
    await visitText(app);
    const { webSocket } = await visit(app, "/", { headers: { upgrade: "websocket" } });
    webSocket?.accept();
    const reader = `${IMPORTS}export class App extends DurableObject {
  constructor(ctx, env) { super(ctx, env); if (ctx.storage.kv.get("a") !== 1) throw new Error("no data"); }
}
`;
    const outcome = await supervisorOf(app).rehearse({ code: makeCode(reader), varsJson: "{}" });
    expect(outcome).toMatchObject({ kind: "started", data: "copy" });
    const answer = new Promise((resolve) => webSocket?.addEventListener("message", ({ data }) => resolve(data)));
    webSocket?.send("hello");
    expect(await answer).toBe("echo hello");
  });
});

/** Holds up copies, by their numbers, for longer than they may take, as if there were much more of them. Until it is disposed of. */
function slowDown(isSlow: (number: number) => boolean): Disposable {
  const read = Reflect.get(DataChannel.prototype, "read");
  const channels = new Set<DataChannel>();
  DataChannel.prototype.read = async function slowly() {
    const isFirstPart = !channels.has(this);
    channels.add(this);
    if (isFirstPart && isSlow(channels.size)) await scheduler.wait(DUMP_LIMIT_MS + 200);
    return Reflect.apply(read, this, []);
  };
  return { [Symbol.dispose]: () => void (DataChannel.prototype.read = read) };
}

/** The answer to a call. */
async function ask(...parameters: Parameters<typeof call>) {
  const response = await call(...parameters);
  return { status: response.status, problem: await response.json() };
}

describe("data that takes too long to be copied", () => {
  it("is said where it is, and the app runs on", async () => {
    const calls = {
      snapshot: ["POST", "snapshots", {}],
      query: ["POST", "sql", { body: { sql: "SELECT 1" } }],
      keys: ["GET", "kv", {}],
      dump: ["GET", "dump", {}],
      archive: ["GET", "export", {}],
    } as const;
    const names = Object.keys(calls).map((name) => `too-slow-${name}`);
    await Promise.all(names.map((app) => deploy(app, counter("x"))));
    await Promise.all(names.map((app) => visitText(app)));
    // All at once: each takes as long as a copy may.
    using slow = slowDown(() => true);
    const asked = Object.entries(calls).map(async ([name, [method, path, input]]) => {
      return [name, await ask(method, `/apps/too-slow-${name}/${path}`, input)] as const;
    });
    for (const [name, answer] of await Promise.all(asked)) {
      const problem = expect.objectContaining({ code: "copy-too-slow", sizeBytes: expect.any(Number) });
      expect(answer, name).toEqual({ status: 503, problem });
    }
    slow[Symbol.dispose]();
    for (const app of names) {
      expect(await visitText(app)).toContain("x");
      expect((await call("POST", `/apps/${app}/snapshots`)).status).toBe(201);
    }
  }, 60_000);

  it("is said where it is for a preview, which has what it had", async () => {
    const app = "too-slow-preview";
    const supervisor = supervisorOf(app);
    await deploy(app, counter("x"));
    const code = makeCode(counter("y"));
    const name = ref("refs/heads/fix");
    await supervisor.rehearse({ code, varsJson: "{}" }, { ref: name, commitId: testId(5), preview: {} });
    const made = {
      ref: name,
      commitId: testId(5),
      treeId: testId(7),
      subject: "y",
      codeId: code.codeId,
      varsJson: "{}",
    };
    const { previews } = await supervisor.commit({
      repositoryId: (await supervisor.openForPush()).repositoryId,
      commands: [{ name, oldId: ZERO_ID, newId: testId(5) }],
      atomic: false,
      checkedPackIds: [],
      previews: [{ deploy: made }],
      nowMs: Date.now(),
    });
    await supervisor.cutOver(previews[0]?.number ?? 0);
    const visitFix = async () => (await supervisor.fetch(`http://fix--${app}.localhost/`)).text();
    for (const text of ["y1", "y2", "y3"]) expect(await visitFix()).toBe(text);
    // After the copies for the rehearsal and of what the preview has.
    using _ = slowDown((number) => number === 3);
    const forked = await ask("POST", `/apps/${app}/previews`, { body: { branch: "fix" } });
    expect(forked).toMatchObject({ status: 503, problem: { code: "copy-too-slow" } });
    expect(await visitFix()).toBe("y4");
  }, 60_000);
});
