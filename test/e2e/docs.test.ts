// What the documents say exists, exists; and every command in the README is one that some test or script runs.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { git } from "./git.ts";
import { ROOT } from "./host.ts";

const documents = (await git(ROOT, "ls-files", "*.md")).split("\n").filter((path) => existsSync(join(ROOT, path)));

/** Paths in backticks and link targets. A path has a slash or a known ending; a template's document speaks of its own folder. */
function pathsIn(markdown: string): string[] {
  const links = [...markdown.matchAll(/\]\(([^)#:\s]+)\)/g)].map((match) => match[1] ?? "");
  const quoted = [...markdown.matchAll(/`([^`\s]+)`/g)]
    .map((match) => match[1] ?? "")
    .filter((text) =>
      /^(src|build|test|scripts|templates|docs|\.ci)\/[\w./-]*$|^\.?[\w-]+\.(ts|md|json|jsonc|mjs|html)$/.test(text),
    );
  return [...links, ...quoted];
}

/** The lines of ```sh blocks. */
function commandsIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n(.*?)^```/gms)].flatMap((match) => (match[1] ?? "").trim().split("\n"));
}

/** Where a command of the README is run, and the words that run it there. */
const RUN_BY: Readonly<Record<string, readonly [path: string, words: string]>> = {
  "npm start": ["test/e2e/host.ts", "scripts/start.ts"],
  "git clone http://x:TOKEN@localhost:8787/new/counter/hello.git && cd hello && git push": [
    "scripts/demo.ts",
    'host.gitUrl("new/counter/hello.git")',
  ],
  "git push -f origin HEAD~1:main": ["test/e2e/templates.test.ts", '"HEAD~1:main"'],
  "git push http://x:TOKEN@localhost:8787/hello.git main": [
    "test/e2e/templates.test.ts",
    'host.gitUrl("hello.git"), "main"',
  ],
  "npm run demo": ["test/e2e/scripts.test.ts", '"scripts/demo.ts"'],
  "npm test": [".ci/run", "npm test"],
  "npm run deploy -- --dry-run": ["test/e2e/scripts.test.ts", '"--dry-run"'],
  "npm run deploy -- --host apps.example.com": ["test/e2e/scripts.test.ts", '"apps.example.com"'],
};

describe("documents", () => {
  test.each(documents)("%s names only paths that exist", (document) => {
    const folders = document.startsWith("templates/") ? [dirname(document)] : [ROOT, dirname(document)];
    const missing = pathsIn(readFileSync(join(ROOT, document), "utf8")).filter(
      (path) => !folders.some((folder) => existsSync(join(folder === ROOT ? "" : ROOT, folder, path))),
    );
    expect(missing).toEqual([]);
  });

  test("every command of the README is run by a test", () => {
    const commands = commandsIn(readFileSync(join(ROOT, "README.md"), "utf8"));
    expect(commands.toSorted()).toEqual(Object.keys(RUN_BY).toSorted());
    for (const [path, words] of Object.values(RUN_BY)) expect(readFileSync(join(ROOT, path), "utf8")).toContain(words);
  });

  test("every npm script of the README exists", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const named = readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/npm (?:run )?([a-z]+)/g);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining([...named].map((match) => match[1])));
  });

  test("ARCHITECTURE.md stays under 150 lines", () => {
    expect(readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8").split("\n").length).toBeLessThan(150);
  });
});
