// An app as an archive, read by what anybody has: tar, git, SQLite; and back to an app.
import { execFile, execFileSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { commit, git, makeFolder, makeRepository } from "./git.ts";
import { callApi, request, ROOT, startHost, type Host } from "./host.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.stop());

const NOTES = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT, extra)");
    ctx.storage.sql.exec("CREATE INDEX IF NOT EXISTS by_body ON notes (body)");
  }
  async fetch(request) {
    const { sql, kv } = this.ctx.storage;
    if (request.method === "POST") {
      sql.exec("INSERT INTO notes (body, extra) VALUES (?, x'00ff')", await request.text());
      kv.put("last", new Map([["at", sql.exec("SELECT max(id) AS id FROM notes").one().id]]));
    }
    const notes = sql.exec("SELECT id, body, hex(extra) AS extra FROM notes ORDER BY id").toArray();
    return Response.json({ notes, last: [...(kv.get("last") ?? [])], greeting: this.env.GREETING ?? null });
  }
}
`;

const ROOMS = `import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async fetch() {
    const value = ((await this.ctx.storage.get("value")) ?? 0) + 1;
    await this.ctx.storage.put("value", value);
    return Response.json({ name: this.ctx.id.name, value });
  }
}
export default {
  fetch: (request, env) => env.COUNTER.getByName(new URL(request.url).pathname.slice(1)).fetch(request),
};
`;

const CONFIG = JSON.stringify({
  name: "rooms",
  main: "src/index.js",
  durable_objects: { bindings: [{ name: "COUNTER", class_name: "Counter" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Counter"] }],
});

async function fetchArchive(app: string): Promise<string> {
  const response = await fetch(`${host.url}/api/v1/apps/${app}/export`, {
    headers: { authorization: `Bearer ${host.token}` },
  });
  expect(response.status).toBe(200);
  const file = join(makeFolder(), `${app}.tar`);
  writeFileSync(file, Buffer.from(await response.arrayBuffer()));
  return file;
}

function unpack(file: string): string {
  const folder = makeFolder();
  execFileSync("tar", ["-xf", file, "-C", folder]);
  return folder;
}

function openDump(path: string): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(readFileSync(path, "utf8"));
  return database;
}

/** Two branches, a tag, rows, keys, variables. */
async function pushNotes(): Promise<string> {
  const repository = await makeRepository({ "src/index.js": NOTES, "README.md": "Notes\n" });
  await commit(repository, { "docs/a.txt": "a\n".repeat(1000) }, "Say more");
  await git(repository, "tag", "-a", "v1", "-m", "One");
  await git(repository, "push", "--quiet", host.gitUrl("notes.git"), "main", "v1");
  await git(repository, "checkout", "--quiet", "-b", "try");
  await commit(repository, { "docs/b.txt": "b\n" }, "Try");
  await git(repository, "push", "--quiet", host.gitUrl("notes.git"), "try");
  expect((await callApi(host, "PUT", "/apps/notes/env/GREETING", { value: "hello" })).status).toBe(200);
  const secret = { value: "never-in-an-archive", secret: true };
  expect((await callApi(host, "PUT", "/apps/notes/env/KEY", secret)).status).toBe(200);
  for (const body of ["it's one", "two\n;-- or three", "é 🙂"]) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    expect((await request(host.appUrl("notes"), { method: "POST", body })).status).toBe(200);
  }
  return repository;
}

it("is read by tar, git and SQLite, and holds no secret", async () => {
  const repository = await pushNotes();
  const file = await fetchArchive("notes");
  expect(readFileSync(file).includes("never-in-an-archive")).toBe(false);
  const folder = unpack(file);
  await git(repository, "bundle", "verify", join(folder, "repository.bundle"));
  const remoteRefs = await git(repository, "ls-remote", host.gitUrl("notes.git"));
  expect((await git(folder, "ls-remote", "repository.bundle")).split("\n").toSorted()).toEqual(
    remoteRefs
      .split("\n")
      .filter((line) => !line.endsWith("^{}"))
      .toSorted(),
  );
  await git(folder, "clone", "--quiet", "repository.bundle", "clone");
  expect(await git(join(folder, "clone"), "symbolic-ref", "HEAD")).toBe("refs/heads/main");
  expect(readFileSync(join(folder, "clone", "src", "index.js"), "utf8")).toBe(NOTES);
  await git(join(folder, "clone"), "fsck", "--strict");
  const database = openDump(join(folder, "data", "production.sql"));
  expect(database.prepare("SELECT body, hex(extra) AS extra FROM notes ORDER BY id").all()).toMatchObject([
    { body: "it's one", extra: "00FF" },
    { body: "two\n;-- or three", extra: "00FF" },
    { body: "é 🙂", extra: "00FF" },
  ]);
  expect(
    openDump(join(folder, "data", "preview-try.sql"))
      .prepare("SELECT * FROM notes")
      .all(),
  ).toHaveLength(0);
  const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
  expect(config).toMatchObject({
    app: "notes",
    productionBranch: "refs/heads/main",
    settings: { deploy: true },
    variables: [
      { name: "GREETING", kind: "plain", value: "hello" },
      { name: "KEY", kind: "secret", value: null },
    ],
  });
  const history = JSON.parse(readFileSync(join(folder, "deploys.json"), "utf8"));
  expect(history.at(-1)).toMatchObject({ number: 1, kind: "push", ref: "refs/heads/main", state: "started" });
});

it("has the data of each named object", async () => {
  const repository = await makeRepository({ "src/index.js": ROOMS, "wrangler.jsonc": CONFIG });
  await git(repository, "push", "--quiet", host.gitUrl("rooms.git"), "main");
  await request(`${host.appUrl("rooms")}lobby`);
  await request(`${host.appUrl("rooms")}lobby`);
  const folder = unpack(await fetchArchive("rooms"));
  const { production } = JSON.parse(readFileSync(join(folder, "objects.json"), "utf8"));
  expect(production).toMatchObject([{ className: "Counter", name: "lobby" }]);
  const dump = openDump(join(folder, "data", "production", "Counter", `${production[0].objectId}.sql`));
  expect(dump.prepare("SELECT * FROM _slipway_kv").all()).toMatchObject([{ key: "value", value: "[2]" }]);
});

/** `npm run import`, as npm runs it. */
async function importFile(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["scripts/import.ts", file, "--host", host.url, ...args],
    { cwd: ROOT, env: { PATH: process.env["PATH"], ADMIN_TOKEN: host.token } },
  );
  return stdout;
}

async function refusal(file: string, ...args: readonly string[]): Promise<string> {
  return importFile(file, ...args).then(
    () => "it was imported",
    (error: { stderr: string }) => error.stderr,
  );
}

it("becomes an app that has and answers the same", async () => {
  const before = await request(host.appUrl("notes"));
  expect(JSON.parse(before.text)).toMatchObject({ last: [["at", 3]], greeting: "hello" });
  const stdout = await importFile(await fetchArchive("notes"), "--app", "notes-again", "--previews");
  expect(stdout).toContain("notes-again: 3 refs, 2 databases, 0 alarms.");
  expect(stdout).toContain("These secrets are to be set anew: KEY");
  const after = await request(host.appUrl("notes-again"));
  expect(after).toMatchObject({ status: 200, text: before.text });
  const folder = makeFolder();
  expect(await git(folder, "ls-remote", host.gitUrl("notes-again.git"))).toBe(
    await git(folder, "ls-remote", host.gitUrl("notes.git")),
  );
  // What AUTOINCREMENT counted came along, and the two have nothing in common.
  const more = await request(host.appUrl("notes-again"), { method: "POST", body: "four" });
  expect(JSON.parse(more.text)).toMatchObject({ last: [["at", 4]] });
  expect((await request(host.appUrl("notes"))).text).toBe(before.text);
  const compressed = join(makeFolder(), "rooms-again.tar.gz");
  writeFileSync(compressed, gzipSync(readFileSync(await fetchArchive("rooms"))));
  expect(await importFile(compressed)).toContain("rooms-again: 1 refs, 2 databases, 0 alarms.");
  expect(JSON.parse((await request(`${host.appUrl("rooms-again")}lobby`)).text)).toEqual({ name: "lobby", value: 3 });
});

it("is copied with its data", async () => {
  const before = await request(host.appUrl("notes"));
  expect((await callApi(host, "POST", "/apps/notes/fork", { name: "notes-fork", data: true })).status).toBe(201);
  expect((await request(host.appUrl("notes-fork"))).text).toBe(before.text);
  expect((await callApi(host, "POST", "/apps/rooms/fork", { name: "rooms-fork", data: true })).status).toBe(201);
  expect(JSON.parse((await request(`${host.appUrl("rooms-fork")}lobby`)).text)).toEqual({ name: "lobby", value: 3 });
});

it("is all there or not at all", async () => {
  const file = await fetchArchive("notes");
  expect(await refusal(file, "--app", "notes")).toMatch(/^notes was not imported \(app-exists\): /);
  expect(await refusal(join(ROOT, "package.json"), "--app", "no-archive")).toMatch(/\(archive-invalid\): /);
  // The end of the archive is missing: the last entry is production's or a preview's data.
  truncateSync(file, readFileSync(file).byteLength - 2048);
  expect(await refusal(file, "--app", "cut")).toMatch(/\(archive-invalid\): /);
  for (const app of ["no-archive", "cut"]) {
    // oxlint-disable-next-line no-await-in-loop -- two
    expect((await callApi(host, "GET", `/apps/${app}`)).status).toBe(404);
  }
  const headers = { authorization: `Bearer ${host.token}`, "content-type": "application/x-tar" };
  const url = `${host.url}/api/v1/apps/keyed/import`;
  const keyed = await request(url, { method: "POST", headers: { ...headers, "idempotency-key": "a" }, body: "x" });
  expect(JSON.parse(keyed.text)).toMatchObject({ code: "invalid-request" });
  expect(await refusal("nowhere.tar")).toBe("There is no file nowhere.tar.\n");
});

it("is refused for an app that is not there", async () => {
  const { status, text } = await callApi(host, "GET", "/apps/nowhere/export");
  expect(status).toBe(404);
  expect(JSON.parse(text)).toMatchObject({ code: "not-found" });
});
