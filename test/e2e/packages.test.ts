// Real packages from the registry that npm is configured with, through a push, answering requests. Skipped where the registry
// cannot be reached: then this file says so.
import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commit, git, makeRepository, tryGit } from "./git.ts";
import { request, ROOT, startHost, type Host } from "./host.ts";

const registry = execFileSync("npm", ["config", "get", "registry"], { cwd: ROOT, encoding: "utf8" }).trim();
const isReachable = await fetch(new URL("ms", registry), { signal: AbortSignal.timeout(20_000) }).then(
  (response) => response.ok,
  () => false,
);
if (!isReachable) console.warn("SKIPPED: the npm registry cannot be reached, so no real package was tried.");

const MANY = `import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { z } from "zod";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { AutoRouter } from "itty-router";
import { nanoid } from "nanoid";
import { format } from "date-fns";
import { h } from "preact";
import { render } from "preact-render-to-string";
import { Kysely, SqliteAdapter, DummyDriver, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { ulid } from "ulid";
import { SignJWT, jwtVerify } from "jose";
import { marked } from "marked";

const notes = sqliteTable("notes", { id: integer("id").primaryKey(), text: text("text").notNull() });
const builder = new Kysely<{ notes: { id: number; text: string } }>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});
const key = new TextEncoder().encode("a secret of at least thirty-two bytes");

export class App extends DurableObject {
  async fetch(request: Request): Promise<Response> {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
    const db = drizzle(this.ctx.storage);
    const app = new Hono();
    const itty = AutoRouter();
    itty.get("/itty", () => "routed");
    app.get("/", async (context) => {
      await db.insert(notes).values({ text: "kept" });
      const token = await new SignJWT({ who: "ada" }).setProtectedHeader({ alg: "HS256" }).sign(key);
      return context.json({
        drizzle: (await db.select().from(notes))[0]?.text,
        zod: z.object({ a: z.number() }).safeParse({ a: "x" }).success,
        itty: await (await itty.fetch(new Request("http://x/itty"))).text(),
        nanoid: nanoid().length,
        date: format(new Date(2026, 0, 2), "yyyy-MM-dd"),
        preact: render(h("p", { class: "a" }, "hello")),
        kysely: builder.selectFrom("notes").select("text").compile().sql,
        ulid: ulid().length,
        jose: (await jwtVerify(token, key)).payload["who"],
        marked: await marked("**bold**"),
      });
    });
    return app.fetch(request);
  }
}
`;

const ANSWER = {
  drizzle: "kept",
  zod: false,
  itty: '"routed"',
  nanoid: 21,
  date: "2026-01-02",
  preact: '<p class="a">hello</p>',
  kysely: 'select "text" from "notes"',
  ulid: 26,
  jose: "ada",
  marked: "<p><strong>bold</strong></p>\n",
};

const DEPENDENCIES = {
  "date-fns": "^4",
  "drizzle-orm": "^0.45",
  hono: "^4",
  "itty-router": "^5",
  jose: "^6",
  kysely: "^0.28",
  marked: "^17",
  nanoid: "^5",
  preact: "^10",
  "preact-render-to-string": "^6",
  ulid: "^3",
  zod: "^4",
};

const REACT = `import { DurableObject } from "cloudflare:workers";
import { renderToString } from "react-dom/server";
import { useState } from "react";
function Counter() { const [count] = useState(7); return <b title="x">{count}</b>; }
export class App extends DurableObject { fetch() { return new Response(renderToString(<Counter />)); } }
`;

/** Stands between the host and the registry, and counts what is asked. */
async function startProxy(): Promise<{ readonly url: string; readonly server: Server; requestCount(): number }> {
  let requests = 0;
  const server = createServer((incoming, answer) => {
    requests += 1;
    const accept = String(incoming.headers.accept);
    fetch(new URL(incoming.url ?? "/", registry), { headers: { accept } }).then(
      async (response) => {
        answer.statusCode = response.status;
        answer.end(new Uint8Array(await response.arrayBuffer()));
      },
      () => answer.writeHead(502).end(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  const url = `http://127.0.0.1:${address.port}${new URL(registry).pathname}`;
  return { url, server, requestCount: () => requests };
}

describe.skipIf(!isReachable)("real packages", () => {
  let host: Host;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  beforeAll(async () => {
    proxy = await startProxy();
    host = await startHost({ environment: { NPM_REGISTRY: proxy.url } });
  });
  afterAll(async () => {
    await host.stop();
    proxy.server.close();
  });

  test("many of them in one app, without a lockfile, and with the same versions and no network in the next push", async () => {
    const repository = await makeRepository({
      "src/index.ts": MANY,
      "package.json": JSON.stringify({ private: true, dependencies: DEPENDENCIES }),
    });
    const first = await tryGit(repository, ["push", host.gitUrl("many.git"), "main"]);
    expect(first.stderr).toContain("remote: live ");
    const packages = /remote: packages .*/.exec(first.stderr)?.[0];
    expect(packages).toMatch(/date-fns 4\.\d+\.\d+, .* and \d+ more/);
    expect(JSON.parse((await request(host.appUrl("many"))).text)).toEqual(ANSWER);

    const asked = proxy.requestCount();
    expect(asked).toBeGreaterThan(20);
    await commit(repository, { "src/index.ts": `${MANY}\nexport const more = 1;\n` }, "More");
    const second = await tryGit(repository, ["push", host.gitUrl("many.git"), "main"]);
    expect(second.stderr).toContain(packages);
    expect(second.stderr).toContain("remote: live ");
    expect(proxy.requestCount()).toBe(asked);
  });

  test("react and react-dom, from a package-lock.json", async () => {
    const repository = await makeRepository({
      "src/index.tsx": REACT,
      "tsconfig.json": `{ "compilerOptions": { "jsx": "react-jsx" } }`,
      "package.json": JSON.stringify({ private: true, dependencies: { react: "^19", "react-dom": "^19" } }),
      ".gitignore": "node_modules\n",
    });
    execFileSync("npm", ["install", "--package-lock-only", "--omit-lockfile-registry-resolved"], { cwd: repository });
    await commit(repository, {}, "Lock");
    await git(repository, "push", host.gitUrl("react.git"), "main");
    expect((await request(host.appUrl("react"))).text).toBe('<b title="x">7</b>');
  });
});
