// `npm run demo`: the whole story with the real git client, on a host of its own: clone a template, push, visit, change, break, roll
// back. Prints every command and what came back. Exits 0 only if every step held.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commit, git, makeFolder, tryGit, type GitResult } from "../test/e2e/git.ts";
import { request, startHost, type Host } from "../test/e2e/host.ts";

const ENTRY = "src/index.ts";

/** Runs git where everyone can see it. The token is shown: it is the demo's own. */
async function run(folder: string, ...args: readonly string[]): Promise<GitResult> {
  console.log(`\n$ git ${args.map((arg) => (arg.includes(" ") ? JSON.stringify(arg) : arg)).join(" ")}`);
  const result = await tryGit(folder, args);
  // git pads what a server says with spaces.
  const text = (result.stdout + result.stderr).replaceAll(/ +$/gm, "").trim();
  if (text) console.log(text.replaceAll(/^(?=.)/gm, "  "));
  return result;
}

async function visit(url: string): Promise<string> {
  const { status, text } = await request(url);
  console.log(`\n$ curl ${url}\n  ${text.trimEnd()}`);
  assert.equal(status, 200);
  return text;
}

function chapter(title: string): void {
  console.log(`\n── ${title}`);
}

/** The entry with one text in place of another, committed. */
async function edit(repository: string, from: string, to: string, message: string): Promise<void> {
  const source = readFileSync(join(repository, ENTRY), "utf8");
  assert.ok(source.includes(from), `${ENTRY} has ${from}`);
  await commit(repository, { [ENTRY]: source.replace(from, to) }, message);
  await run(repository, "show", "--format=%h %s", "--unified=0");
}

async function tell(host: Host): Promise<void> {
  const url = host.appUrl("hello");
  const folder = makeFolder();
  const repository = join(folder, "hello");

  chapter("A first deploy: clone a template, push it");
  assert.equal((await run(folder, "clone", host.gitUrl("new/counter/hello.git"))).code, 0);
  assert.equal((await run(repository, "push")).code, 0);
  assert.match(await visit(url), /visitor 1\./);
  const first = await git(repository, "rev-parse", "HEAD");

  chapter("A change: the new text is live, the data stays");
  await edit(repository, "You are visitor", "Welcome, visitor", "Welcome everyone");
  assert.equal((await run(repository, "push")).code, 0);
  assert.match(await visit(url), /Welcome, visitor 2\./);

  chapter("A mistake: the push is rejected, nothing changes");
  await edit(repository, "this.ctx.storage.kv.put(", "this.ctx.storage.kv.put((", "Break it");
  const broken = await run(repository, "push");
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /src\/index\.ts:\d+:\d+/);
  assert.match(await visit(url), /Welcome, visitor 3\./);

  chapter("The mistake mended: the next push is live");
  await edit(repository, "this.ctx.storage.kv.put((", "this.ctx.storage.kv.put(", "Mend it");
  assert.equal((await run(repository, "push")).code, 0);
  assert.match(await visit(url), /Welcome, visitor 4\./);

  chapter("A rollback: push the older commit, without a build");
  const rollback = await run(repository, "push", "-f", "origin", `${first.slice(0, 10)}:main`);
  assert.equal(rollback.code, 0);
  assert.match(rollback.stderr, /build skipped/);
  assert.match(await visit(url), /You are visitor 5\./);
}

console.log("Starting a host on a free port, in a temporary folder …");
const host = await startHost();
try {
  await tell(host);
  console.log("\nEvery step held.");
} catch (error) {
  console.error("\nThis step did not hold:", error, `\nWhat the host printed:\n${host.logs()}`);
  process.exitCode = 1;
} finally {
  await host.stop();
}
