// Every template as its README tells it: cloned from the host, pushed, tried; and under plain wrangler.
import { once } from "node:events";
import { cpSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unstable_startWorker } from "wrangler";
import { commit, git, makeFolder, makeRepository, tryGit } from "./git.ts";
import { openSocket, request, ROOT, startHost, type Host } from "./host.ts";

const TEMPLATES = readdirSync(join(ROOT, "templates"));

let host: Host;
beforeAll(async () => void (host = await startHost()));
afterAll(() => host.stop());

function readTemplate(template: string, path: string): string {
  return readFileSync(join(ROOT, "templates", template, path), "utf8");
}

/** Clones the template as a new app and pushes it, as the README's first screen does. */
async function deployTemplate(template: string, app: string): Promise<string> {
  const folder = makeFolder();
  await git(folder, "clone", "--quiet", host.gitUrl(`new/${template}/${app}.git`));
  const repository = join(folder, app);
  await git(repository, "push");
  return repository;
}

/** Commits the file with `from` replaced by `to`. */
async function edit(repository: string, path: string, from: string, to: string): Promise<void> {
  const source = readFileSync(join(repository, path), "utf8");
  expect(source).toContain(from);
  await commit(repository, { [path]: source.replace(from, to) }, `Edit ${path}`);
}

describe.each(TEMPLATES)("%s", (template) => {
  test("is cloned without a token, as one commit whose tree is the folder", async () => {
    const folder = makeFolder();
    await git(folder, "clone", "--quiet", `${host.url}/templates/${template}.git`, "clone");
    const clone = join(folder, "clone");
    expect(await git(clone, "rev-list", "--count", "--all")).toBe("1");
    await git(clone, "fsck", "--strict");

    const source = await makeRepository({});
    cpSync(join(ROOT, "templates", template), source, { recursive: true });
    await commit(source, {}, "Everything");
    expect(await git(clone, "rev-parse", "HEAD^{tree}")).toBe(await git(source, "rev-parse", "HEAD^{tree}"));
  });

  test("is the same commit below /templates and below /new", async () => {
    const [heads, newHeads] = await Promise.all([
      git(ROOT, "ls-remote", `${host.url}/templates/${template}.git`),
      git(ROOT, "ls-remote", host.gitUrl(`new/${template}/not-there.git`)),
    ]);
    expect(heads).toMatch(/^[0-9a-f]{40}\tHEAD\n/);
    expect(newHeads).toBe(heads);
  });

  test("takes no push", async () => {
    const repository = await makeRepository({ "a.txt": "a" });
    const { code } = await tryGit(repository, ["push", host.gitUrl(`templates/${template}.git`), "main"]);
    expect(code).not.toBe(0);
  });

  test("runs under plain wrangler", async () => {
    const folder = makeFolder();
    cpSync(join(ROOT, "templates", template), folder, { recursive: true });
    // What `npm install` would put there: this repository has the same packages.
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const worker = await unstable_startWorker({
      config: join(folder, "wrangler.jsonc"),
      dev: {
        remote: false,
        watch: false,
        inspector: false,
        persist: makeFolder(),
        server: { port: 0 },
        logLevel: "none",
      },
    });
    try {
      expect(await request(String(await worker.url))).toMatchObject({ status: 200 });
    } finally {
      await worker.dispose();
    }
  });

  test("has the same contract for agents as the others", () => {
    // Its entry may be TSX.
    const contract = readTemplate(template, "AGENTS.md").replace("src/index.tsx", "src/index.ts");
    expect(contract).toBe(readTemplate("counter", "AGENTS.md"));
  });
});

test("the first push of a repository of one's own makes the app", async () => {
  const source = readTemplate("counter", "src/index.ts");
  const repository = await makeRepository({ "src/index.ts": source });
  await git(repository, "push", host.gitUrl("hello.git"), "main");
  expect((await request(host.appUrl("hello"))).text).toBe("You are visitor 1.\n");
});

test("counter: a change keeps the number, and so does its undoing", async () => {
  const repository = await deployTemplate("counter", "my-counter");
  const url = host.appUrl("my-counter");
  expect((await request(url)).text).toBe("You are visitor 1.\n");
  expect((await request(`${url}favicon.ico`)).status).toBe(404);

  await edit(repository, "src/index.ts", "You are visitor", "Hello, visitor");
  await git(repository, "push");
  expect((await request(url)).text).toBe("Hello, visitor 2.\n");

  await git(repository, "push", "-f", "origin", "HEAD~1:main");
  expect((await request(url)).text).toBe("You are visitor 3.\n");
});

describe("guestbook", () => {
  let repository: string;
  let url: string;
  const sign = (fields: Record<string, string>) =>
    request(`${url}sign`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: String(new URLSearchParams(fields)),
    });
  beforeAll(async () => {
    repository = await deployTemplate("guestbook", "my-guestbook");
    url = host.appUrl("my-guestbook");
  });

  test("shows what was signed, and markup as text", async () => {
    expect(await sign({ name: "Ada", message: "<b>Hello</b>" })).toMatchObject({
      status: 303,
      headers: { location: "/" },
    });
    const { text } = await request(url);
    expect(text).toContain("<strong>Ada</strong>");
    expect(text).toContain("&#60;b&#62;Hello&#60;/b&#62;");
  });

  test.each([
    ["no message", { name: "Ada" }],
    ["only spaces", { name: "Ada", message: "  " }],
    ["a long name", { name: "A".repeat(41), message: "Hello" }],
  ])("refuses %s", async (_case, fields) => {
    expect((await sign(fields)).status).toBe(400);
  });

  test("takes a new column with the entries in place", async () => {
    await edit(
      repository,
      "src/index.ts",
      "    )`);\n",
      `    )\`);
    const columns = ctx.storage.sql.exec("SELECT name FROM pragma_table_info('entries')").toArray();
    if (!columns.some(({ name }) => name === "town")) ctx.storage.sql.exec("ALTER TABLE entries ADD COLUMN town TEXT");
`,
    );
    await git(repository, "push");
    expect((await request(url)).text).toContain("<strong>Ada</strong>");
  });

  test("stays up when its constructor is broken", async () => {
    await edit(repository, "src/index.ts", "CREATE TABLE", "CRAETE TABLE");
    expect((await tryGit(repository, ["push"])).code).toBe(1);
    expect((await request(url)).text).toContain("<strong>Ada</strong>");
    await git(repository, "reset", "--quiet", "--hard", "origin/main");
  });
});

test("chat: messages reach everyone, outlive a deploy, and sockets are told to connect again", async () => {
  const repository = await deployTemplate("chat", "my-chat");
  const url = host.appUrl("my-chat");
  expect((await request(url)).text).toContain("<title>Chat</title>");
  expect((await request(`${url}socket?name=Ada`)).status).toBe(426);

  const ada = await openSocket(`${url}socket?name=Ada`);
  const bob = await openSocket(`${url}socket?name=Bob`);
  const closed = once(ada.socket, "close");
  ada.socket.send("Hello, Bob");
  await expect.poll(() => bob.received.length).toBe(2);
  expect(bob.received.map((json) => JSON.parse(json))).toMatchObject([[], [{ name: "Ada", text: "Hello, Bob" }]]);

  await edit(repository, "src/page.html", "<h1>Chat</h1>", "<h1>The room</h1>");
  await git(repository, "push");
  expect((await closed)[0].code).toBe(1012);
  expect((await request(url)).text).toContain("<h1>The room</h1>");
  const again = await openSocket(`${url}socket?name=Ada`);
  await expect.poll(() => again.received.map((json) => JSON.parse(json))).toMatchObject([[{ text: "Hello, Bob" }]]);
  again.socket.close();
});

test("todo-api: keeps a list, and answers nonsense with a status and a sentence", async () => {
  await deployTemplate("todo-api", "my-todos");
  const url = host.appUrl("my-todos");
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await request(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return [answer.status, answer.text && JSON.parse(answer.text)];
  };
  const milk = { id: 1, title: "Buy milk", done: false };
  expect(await call("POST", "todos", { title: "Buy milk" })).toEqual([201, milk]);
  expect(await call("PATCH", "todos/1", { done: true })).toEqual([200, { ...milk, done: true }]);
  expect(await call("GET", "todos")).toEqual([200, [{ ...milk, done: true }]]);
  expect(await call("POST", "todos", { title: 7 })).toEqual([400, { error: 'Expected {"title": "…"}.' }]);
  expect(await call("GET", "todos/99")).toEqual([404, { error: "No such to-do." }]);
  expect(await call("DELETE", "todos/1")).toEqual([204, ""]);
  expect(await call("GET", "todos")).toEqual([200, []]);
});

test("hono-api: keeps bookmarks, with Hono from its lockfile", async () => {
  const repository = await deployTemplate("hono-api", "my-hono");
  const url = host.appUrl("my-hono");
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await request(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return [answer.status, answer.text && JSON.parse(answer.text)];
  };
  const saved = { id: 1, url: "https://git-scm.com/", tag: "git" };
  expect(await call("POST", "bookmarks", { url: saved.url, tag: "git" })).toEqual([201, saved]);
  expect(await call("GET", "bookmarks?tag=git")).toEqual([200, [saved]]);
  expect(await call("GET", "bookmarks?tag=other")).toEqual([200, []]);
  expect((await call("POST", "bookmarks", { url: 7 }))[0]).toBe(400);
  expect((await call("GET", "bookmarks/99"))[0]).toBe(404);
  expect(await call("DELETE", "bookmarks/1")).toEqual([204, ""]);
  expect(await git(repository, "ls-files")).toContain("package-lock.json");
});

test("jsx-page: counts votes on a page that the server renders", async () => {
  await deployTemplate("jsx-page", "my-page");
  const url = host.appUrl("my-page");
  expect((await request(url)).text).toContain("<h1>Tabs or spaces?</h1>");
  const vote = (choice: string) =>
    request(`${url}vote`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: String(new URLSearchParams({ choice })),
    });
  expect((await vote("Tabs")).status).toBe(303);
  expect((await vote("<b>")).status).toBe(400);
  expect((await request(url)).text).toMatch(/Tabs<\/button> 1 vote</);
});
