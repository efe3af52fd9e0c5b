// What the documents say exists, exists; and the commands of the README are run as they stand there, against a host of their own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { git, makeFolder } from "./git.ts";
import { request, ROOT, startHost, type Host } from "./host.ts";

const documents = (await git(ROOT, "ls-files", "*.md")).split("\n").filter((path) => existsSync(join(ROOT, path)));

/** Paths in backticks and link targets. A path has a slash or a known ending; a template's document speaks of its own folder. */
function pathsIn(markdown: string): string[] {
  const links = [...markdown.matchAll(/\]\(([^)#:\s]+)\)/g)].map((match) => match[1] ?? "");
  const quoted = [...markdown.matchAll(/`([^`\s]+)`/g)]
    .map((match) => match[1] ?? "")
    .filter((path) =>
      /^(src|build|test|scripts|templates|docs|\.ci)\/[\w./-]*$|^\.?[\w-]+\.(ts|md|json|jsonc|mjs|html)$/.test(path),
    );
  return [...links, ...quoted];
}

/** A block of commands, and whether it is shown to fail. */
interface Block {
  readonly script: string;
  readonly fails: boolean;
}

function blocksIn(markdown: string): Block[] {
  const found = markdown.matchAll(/^```sh( fails)?\n(.*?)^```/gms);
  return [...found].map(([, fails, script = ""]) => ({ script, fails: fails !== undefined }));
}

/** What is not run as it stands, because it starts or deploys a host: where it is run, and the words that run it there. */
const RUN_BY: Readonly<Record<string, readonly [path: string, words: string]>> = {
  "npm start": ["test/e2e/host.ts", "scripts/start.ts"],
  "npm run deploy -- --dry-run": ["test/e2e/scripts.test.ts", '"--dry-run"'],
  "npm run doctor -- --host example.com": ["test/e2e/doctor.test.ts", 'runScript("doctor", ["--host"'],
  "npm run deploy -- --host example.com": ["test/e2e/scripts.test.ts", '"--host", "example.com"'],
};

/** What the README says that visitors get, in its order. */
const TOLD = [
  "You are visitor 1.",
  "Welcome, visitor 2.",
  "Welcome, visitor 3.",
  "You are visitor 4.",
  "Welcome, visitor 5.",
  "You are visitor 5.",
];

/** The commands as one script for a host, without those that are run elsewhere. */
function storyOf(markdown: string, { port, token }: Host): string {
  const blocks = blocksIn(markdown).filter(({ script }) =>
    script.split("\n").some((line) => line !== "" && !(line in RUN_BY)),
  );
  return blocks
    .map(({ script, fails }) => (fails ? `if { ${script.trim()}; }; then exit 9; fi\n` : script))
    .join("")
    .replaceAll("localhost:8787", `localhost:${port}`)
    .replaceAll("TOKEN", token);
}

async function runShell(script: string) {
  const folder = makeFolder();
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    GIT_TERMINAL_PROMPT: "0",
    ...Object.fromEntries(
      ["GIT_AUTHOR", "GIT_COMMITTER"].flatMap((who) => [
        [`${who}_NAME`, "Ada"],
        [`${who}_EMAIL`, "ada@example.com"],
      ]),
    ),
  };
  const child = spawn("sh", ["-e"], { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(script);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

describe("documents", () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host.stop());

  test.each(documents)("%s names only paths that exist", (document) => {
    const folders = document.startsWith("templates/") ? [dirname(document)] : [ROOT, dirname(document)];
    const missing = pathsIn(readFileSync(join(ROOT, document), "utf8")).filter(
      (path) => !folders.some((folder) => existsSync(join(folder === ROOT ? "" : ROOT, folder, path))),
    );
    expect(missing).toEqual([]);
  });

  test("the README's commands do what it says, from the first to the last", async () => {
    const { code, stdout, stderr } = await runShell(storyOf(readFileSync(join(ROOT, "README.md"), "utf8"), host));
    expect(code, stdout.slice(-2000) + stderr.slice(-4000)).toBe(0);
    expect(stdout.match(/^(You are|Welcome,) visitor \d+\.$/gm)?.slice(0, TOLD.length)).toEqual(TOLD);
    expect(stderr).toMatch(/src\/index\.ts:\d+:\d+/);
  });

  test("every call that docs/api.md names is one of the API", async () => {
    const { text: document } = await request(`${host.url}/api/v1/openapi.json`);
    const { paths }: { paths: Record<string, Record<string, unknown>> } = JSON.parse(document);
    const patterns = Object.entries(paths).flatMap(([path, calls]) =>
      Object.keys(calls).map(
        (method) => new RegExp(`^${method} (/api/v1)?${path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`, "i"),
      ),
    );
    const named = [...readFileSync(join(ROOT, "docs", "api.md"), "utf8").matchAll(/`([A-Z]+ \/[^`?]*)/g)];
    expect(named.length).toBeGreaterThan(40);
    const unknown = named.map((match) => match[1] ?? "").filter((call) => !patterns.some((each) => each.test(call)));
    expect(unknown).toEqual([]);
  });

  test("the README's other commands are run by other tests", () => {
    const lines = blocksIn(readFileSync(join(ROOT, "README.md"), "utf8")).flatMap(({ script }) => script.split("\n"));
    for (const [command, [path, words]] of Object.entries(RUN_BY)) {
      expect(lines).toContain(command);
      expect(readFileSync(join(ROOT, path), "utf8")).toContain(words);
    }
  });

  test.each(["README.md", "CONTRIBUTING.md"])("every npm script of %s exists", (document) => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const named = readFileSync(join(ROOT, document), "utf8").matchAll(/`(?:``sh\n)?npm (?:run )?([a-z]+)/g);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining([...named].map((match) => match[1])));
  });

  test("the README's picture is small", () => {
    expect(statSync(join(ROOT, "docs", "dashboard.png")).size).toBeLessThan(150_000);
  });

  test("ARCHITECTURE.md stays under 150 lines", () => {
    expect(readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8").split("\n").length).toBeLessThan(150);
  });
});
