// Fetches worded by hand, each put to the host and to git http-backend: the same lines before the pack and the same objects in it.
// What git dies of, the host refuses. Differences that are meant are named in fetch-cases.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchBody, fetchCases, type FetchCase } from "./fetch-cases.ts";
import { git, makeFolder, makeRepository, tryGit } from "./git.ts";
import { startHostPeer, startPeer, type PeerRepository, type PeerServer } from "./peer.ts";

let host: PeerServer;
let peer: PeerServer;
let repositories: readonly PeerRepository[];
/** What stands for `$name` in a case. */
let ids: Readonly<Record<string, string>>;
/** Has all objects, so that thin packs can be read. */
let everything: string;
beforeAll(async () => {
  [host, peer] = await Promise.all([startHostPeer(), startPeer()]);
  const history = await makeHistory();
  ids = await readIds(history);
  everything = join(makeFolder(), "all.git");
  await git(history, "clone", "--quiet", "--mirror", ".", everything);
  repositories = await Promise.all(
    [host, peer].map(async (server) => {
      const repository = await server.createRepository();
      await git(history, "push", "--quiet", repository.url, "main", "aside", "old", "lost", "--tags");
      await git(history, "push", "--quiet", repository.url, ":lost");
      return repository;
    }),
  );
});
afterAll(async () => {
  await Promise.all([host.stop(), peer.stop()]);
});

const START_S = 1_700_000_000;

/** Three branches, a merge, tags of every kind, and a commit that is dropped. A commit every thousand seconds. */
async function makeHistory(): Promise<string> {
  const history = await makeRepository({
    "a.txt": "1\n".repeat(200),
    "dir/sub/x.txt": "x\n",
    "dir/y.txt": "y".repeat(3000),
  });
  let timeS = START_S;
  const run = async (...args: readonly string[]): Promise<void> => {
    timeS += 1000;
    const environment = { GIT_AUTHOR_DATE: `${timeS} +0000`, GIT_COMMITTER_DATE: `${timeS} +0000` };
    const { code, stderr } = await tryGit(history, args, { environment });
    expect(code, stderr).toBe(0);
  };
  const change = async (path: string, content: string): Promise<void> => {
    await run("rm", "--quiet", "--ignore-unmatch", path);
    const blob = await tryGit(history, ["hash-object", "-w", "--stdin"], { input: content });
    await run("update-index", "--add", "--cacheinfo", `100644,${blob.stdout.trim()},${path}`);
    await run("commit", "--quiet", "--message", `Change ${path}`);
  };
  await run("commit", "--quiet", "--amend", "--no-edit", "--reset-author");
  await change("a.txt", `${"1\n".repeat(200)}2\n`);
  await change("b.txt", "b\n");
  await run("branch", "old");
  await run("tag", "--annotate", "--message", "one", "v1");
  await run("tag", "--annotate", "--message", "two", "v2", "v1");
  await run("checkout", "--quiet", "--force", "-b", "aside", "HEAD~1");
  await change("c.txt", "aside\n");
  await change("dir/c.txt", "aside\n");
  await run("checkout", "--quiet", "--force", "main");
  await change("dir/sub/x.txt", "xx\n");
  await run("merge", "--quiet", "--no-ff", "--message", "Merge", "aside~1");
  await change("a.txt", `${"1\n".repeat(200)}3\n`);
  await run("tag", "light");
  await run("tag", "blob", "HEAD:b.txt");
  await run("checkout", "--quiet", "--force", "-b", "lost");
  await change("lost.txt", "lost\n");
  return history;
}

async function readIds(history: string): Promise<Record<string, string>> {
  const names = { main: "main", aside: "aside", old: "old", v1: "v1", v2: "v2", blob: "blob", tree: "main^{tree}" };
  const more = { file: "main:dir/y.txt", lost: "lost", lostfile: "lost:lost.txt" };
  const pairs = Object.entries({ ...names, ...more }).map(
    async ([name, revision]) => [name, await git(history, "rev-parse", revision)] as const,
  );
  const found = Object.fromEntries(await Promise.all(pairs));
  const midtime = Number(await git(history, "log", "-1", "--format=%ct", "main~2")) - 500;
  return { ...found, midtime: String(midtime), MAIN: found["main"]?.toUpperCase() ?? "" };
}

/** An answer, taken apart. */
interface Fetched {
  readonly status: number;
  /** Packets outside of the pack; shallow lines in order of their ids, because git's order is that of its hash table. */
  readonly lines: readonly string[];
  /** Ids of the objects in the pack, bases left out. */
  readonly objects: readonly string[];
}

async function ask(repository: PeerRepository, aCase: FetchCase): Promise<Fetched> {
  const { version, isGzipped } = aCase;
  const headers = {
    "content-type": "application/x-git-upload-pack-request",
    ...(version > 0 && { "git-protocol": `version=${version}` }),
    ...(isGzipped && { "content-encoding": "gzip" }),
  };
  const body = fetchBody(aCase, ids);
  const answer = await repository.send("/git-upload-pack", { method: "POST", body, headers });
  const { lines, pack } = takeApart(answer.status === 200 ? answer.text : "");
  return { status: answer.status, lines, objects: await listObjects(pack) };
}

function takeApart(text: string): { lines: string[]; pack: Buffer } {
  const lines: string[] = [];
  const pack: Buffer[] = [];
  for (let at = 0; at < text.length;) {
    if (text.startsWith("PACK", at)) return { lines, pack: Buffer.from(text.slice(at), "latin1") };
    const length = Number.parseInt(text.slice(at, at + 4), 16);
    const payload = text.slice(at + 4, at + length);
    if (length < 4) lines.push(text.slice(at, at + 4));
    else if (payload.startsWith("\u0001")) pack.push(Buffer.from(payload.slice(1), "latin1"));
    else if (!payload.startsWith("\u0002")) lines.push(payload);
    at += Math.max(4, length);
  }
  return { lines: sortShallows(lines), pack: Buffer.concat(pack) };
}

function isShallow(line: string): boolean {
  return /^(un)?shallow /.test(line);
}

function sortShallows(lines: readonly string[]): string[] {
  const sorted = lines.filter(isShallow).toSorted();
  return lines.map((line) => (isShallow(line) ? (sorted.shift() ?? line) : line));
}

async function listObjects(pack: Buffer): Promise<string[]> {
  if (pack.byteLength === 0) return [];
  const name = makeFolder();
  const { code, stderr } = await tryGit(everything, ["index-pack", "--stdin", "--fix-thin", `${name}/p.pack`], {
    input: pack,
  });
  expect(code, stderr).toBe(0);
  const index = await tryGit(everything, ["show-index"], { input: readFileSync(join(name, "p.idx")) });
  const rows = index.stdout
    .trimEnd()
    .split("\n")
    .map((row) => row.split(" "));
  return rows.flatMap(([offset, id = ""]) => (Number(offset) < pack.byteLength - 20 ? [id] : [])).toSorted();
}

/** Said in an ERR line or by status; or, by git, in that it dies before the pack. */
function isRefused({ status, lines, objects }: Fetched): boolean {
  if (objects.length > 0) return false;
  return status === 400 || lines.at(-1)?.startsWith("ERR ") === true;
}

function hasDied({ lines, objects }: Fetched): boolean {
  return objects.length === 0 && lines.every((line) => line === "shallow-info\n");
}

function expectLikeGit(ours: Fetched, gits: Fetched): void {
  if (isRefused(ours)) expect(isRefused(gits) || hasDied(gits), ours.lines.join()).toBe(true);
  else expect(ours).toEqual(gits);
}

describe.concurrent("a fetch", () => {
  const rows = fetchCases.map((aCase) => [aCase.version, aCase.name, aCase] as const);
  it.each(rows)("in version %i of %s", async (_, __, aCase) => {
    const [ours, gits] = await Promise.all(repositories.map((repository) => ask(repository, aCase)));
    if (ours === undefined || gits === undefined) throw new Error("There are two servers.");
    const { differs } = aCase;
    if (differs === undefined) {
      expectLikeGit(ours, gits);
      return;
    }
    expect(() => expectLikeGit(ours, gits), "a difference that is none").toThrow();
    if (differs.kind === "refused") {
      expect(isRefused(ours), differs.why).toBe(true);
      return;
    }
    if (differs.kind === "fewer objects") expect(ours.lines).toEqual(gits.lines);
    expect(gits.objects).toEqual(expect.arrayContaining([...ours.objects]));
  });
});
