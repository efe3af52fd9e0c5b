// Pushes as real clients make them, many at a time too: the git client's verdict on each ref is the same of the host and of git
// http-backend.
import * as fs from "node:fs";
import { join } from "node:path";
import { listServerRefs, push as pushWith } from "isomorphic-git";
import http from "isomorphic-git/http/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeBlob, makeCommit, makeTree } from "../git/tiny-repository.ts";
import { commit, git, makeFolder, makeRepository, tryGit } from "./git.ts";
import { startHostPeer, startPeer, type PeerRepository, type PeerServer } from "./peer.ts";
import { ZERO, packOf, pushBody, readAdvertisedRefs, readPushAnswer, type Command } from "./push-wire.ts";

let host: PeerServer;
let peer: PeerServer;
/** Pushed from by all tests, and changed by none. */
let history: string;
beforeAll(async () => {
  [host, peer, history] = await Promise.all([startHostPeer(), startPeer(), makeHistory()]);
});
afterAll(async () => {
  await Promise.all([host.stop(), peer.stop()]);
});

/** A history with all that a push may name: branches ahead and aside, tags of both kinds, of a blob, of a tag. */
async function makeHistory(): Promise<string> {
  const repository = await makeRepository({ "a.txt": "1\n", "src/b.txt": "2\n" });
  await commit(repository, { "a.txt": "2\n" }, "Second");
  await git(repository, "branch", "old", "HEAD~1");
  await git(repository, "checkout", "--quiet", "-b", "aside", "HEAD~1");
  await commit(repository, { "c.txt": "3\n" }, "Aside");
  await git(repository, "checkout", "--quiet", "main");
  await git(repository, "tag", "light");
  await git(repository, "tag", "--annotate", "--message", "A tag", "v1");
  await git(repository, "tag", "--annotate", "--message", "A tag of a tag", "v2", "v1");
  await git(repository, "tag", "blob", "HEAD:a.txt");
  return repository;
}

/** What each push of a case makes of each ref: the exit code, and the flag of every line that `git push --porcelain` prints. */
async function verdicts(server: PeerServer, pushes: readonly (readonly string[])[]) {
  const { url } = await server.createRepository();
  const results: { readonly code: number; readonly flags: string[] }[] = [];
  for (const args of pushes) {
    const config = args.filter((arg) => arg.includes(".")).flatMap((setting) => ["-c", setting]);
    const options = args.filter((arg) => arg.startsWith("--"));
    const refspecs = args.filter((arg) => !arg.includes(".") && !arg.startsWith("--"));
    // oxlint-disable-next-line no-await-in-loop -- a push builds on the one before
    const { code, stdout } = await tryGit(history, [...config, "push", "--porcelain", ...options, url, ...refspecs]);
    results.push({ code, flags: stdout.match(/^[ +\-*!=]\t\S+/gm)?.toSorted() ?? [] });
  }
  return { results, refs: await git(history, "ls-remote", url) };
}

describe.concurrent("the git client", () => {
  it.each<[string, readonly (readonly string[])[]]>([
    ["a first branch", [["main"]]],
    ["a branch and then more of it", [["old:main"], ["main"]]],
    ["nothing new", [["main"], ["main"]]],
    ["everything", [["--mirror", "refs/*:refs/*"]]],
    [
      "all branches, and then the tags",
      [
        ["--all", "--"],
        ["--tags", "main"],
      ],
    ],
    ["what is no fast-forward, without force and with it", [["main"], ["aside:main"], ["--force", "aside:main"]]],
    ["with a plus", [["main"], ["+aside:main"]]],
    ["with a lease that holds", [["main"], ["--force-with-lease=main:main", "aside:main"]]],
    ["with a lease that does not hold", [["main"], ["--force-with-lease=main:old", "aside:main"]]],
    [
      "deletions",
      [
        ["main", "old", "v1"],
        ["--delete", "old", "v1"],
      ],
    ],
    ["the deletion of what is not there", [["main"], ["--delete", "nothing"]]],
    ["the deletion of the current branch", [["main"], ["--delete", "main"]]],
    [
      "a deletion, a move and a new ref at once",
      [
        ["old:main", "old"],
        [":old", "main", "aside"],
      ],
    ],
    ["atomic", [["--atomic", "main", "old", "v2"]]],
    ["atomic with one refused by the client", [["main"], ["--atomic", "aside:main", "old"]]],
    ["atomic with one refused by the server", [["main"], ["--atomic", "old", "main:refs/heads/main/x"]]],
    ["a folder in the place of a ref", [["main"], ["old", "main:refs/heads/main/x"]]],
    ["a tag that moves", [["main:refs/tags/t"], ["old:refs/tags/t"], ["--force", "old:refs/tags/t"]]],
    ["a tag with its tag", [["v2"]]],
    ["a tag of a blob", [["blob"]]],
    ["a branch from a tag", [["main"], ["v1^{}:refs/heads/x"]]],
    ["another branch before main, which goes again", [["old:refs/heads/x"], ["main"], ["--delete", "x"]]],
    ["another branch than main, which goes again", [["old:refs/heads/x"], ["--delete", "x"]]],
    ["a ref of its own kind", [["main:refs/notes/x", "main:refs/changes/01/1/1"]]],
    ["a ref one level down", [["main:refs/x"]]],
    [
      "push options",
      [
        ["-o", "main"],
        ["--push-option=ci.skip", "main"],
      ].slice(1),
    ],
    ["a signature if the server takes one", [["--signed=if-asked", "main"]]],
    ["a signature that the server does not take", [["--signed=yes", "main"]]],
    ["in version 0", [["protocol.version=0", "main", "v1"]]],
    ["in version 1", [["protocol.version=1", "main", "v1"]]],
    ["in version 2", [["protocol.version=2", "main", "v1"]]],
    ["in chunks after a probe", [["http.postBuffer=10", "main", "aside"]]],
    ["without deltas", [["pack.window=0", "main"]]],
    ["quietly", [["--quiet", "main"]]],
    ["without asking the server", [["--dry-run", "main"]]],
    ["with the tags that it reaches", [["--follow-tags", "main"]]],
  ])("pushing %s fares as with git http-backend", async (_, pushes) => {
    const [ours, gits] = await Promise.all([verdicts(host, pushes), verdicts(peer, pushes)]);
    expect(ours).toEqual(gits);
  });

  it("pushes from a shallow clone what the host has the beginning of", async () => {
    const { url } = await host.createRepository();
    await git(history, "push", "--quiet", url, "main");
    const folder = makeFolder();
    await git(folder, "clone", "--quiet", "--depth", "1", url, "clone");
    const clone = join(folder, "clone");
    const id = await commit(clone, { "d.txt": "4\n" }, "On top");
    await git(clone, "push", "--quiet", "origin", "main", "main:refs/heads/copy");
    expect(await git(clone, "ls-remote", url, "refs/heads/copy")).toContain(id);

    const { url: elsewhere } = await host.createRepository();
    const refused = await tryGit(clone, ["push", elsewhere, "main"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("shallow update not allowed");
  });

  it("reads the words behind a refusal", async () => {
    const repository = await host.createRepository();
    await git(history, "push", "--quiet", repository.url, "main");
    await repository.denyNonFastForwards();
    const refused = await tryGit(history, ["push", "--force", repository.url, "aside:main", "old"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/! \[remote rejected\] aside -> main \(ref-refused: non-fast-forward/);
    expect(refused.stderr).toMatch(/\* \[new branch\] +old -> old/);
  });
});

describe("isomorphic-git", () => {
  it("pushes, moves and deletes branches and tags, and is told of refusals", async () => {
    const dir = history;
    const { url } = await host.createRepository();
    const { username, password, href } = new URL(url);
    const bare = href.replace(`${username}:${password}@`, "");
    const remote = { fs, http, dir, url: bare, onAuth: () => ({ username, password }) };
    const push = (ref: string, more: { force?: boolean; delete?: boolean; remoteRef?: string } = {}) =>
      pushWith({ ...remote, ref, remoteRef: ref, ...more });

    expect(await push("refs/heads/main")).toMatchObject({ ok: true, refs: { "refs/heads/main": { ok: true } } });
    expect(await push("refs/tags/v2")).toMatchObject({ ok: true });
    expect(await push("refs/heads/old")).toMatchObject({ ok: true });
    await expect(push("refs/heads/aside", { remoteRef: "refs/heads/main" })).rejects.toMatchObject({
      code: "PushRejectedError",
    });
    expect(await push("refs/heads/aside", { remoteRef: "refs/heads/main", force: true })).toMatchObject({ ok: true });
    expect(await push("refs/heads/old", { delete: true })).toMatchObject({ ok: true });
    await expect(push("refs/heads/old", { remoteRef: "refs/heads/main/x" })).rejects.toMatchObject({
      code: "GitPushError",
      data: {
        result: { refs: { "refs/heads/main/x": { ok: false, error: expect.stringContaining("ref-conflict") } } },
      },
    });
    const refs = await listServerRefs({ ...remote, protocolVersion: 1 });
    expect(refs.map(({ ref }) => ref)).toEqual(["HEAD", "refs/heads/main", "refs/tags/v2"]);
    expect(refs[1]?.oid).toBe(await git(dir, "rev-parse", "aside"));
  });
});

const HEADERS = { "content-type": "application/x-git-receive-pack-request" };
const blob = makeBlob("hello\n");
const tree = makeTree({ "a.txt": blob });
const first = makeCommit(tree, []);
const START = pushBody({ commands: [[ZERO, first.id, "refs/heads/main"]], pack: packOf([blob, tree, first]) });

async function put(repository: PeerRepository, body: Uint8Array): Promise<Readonly<Record<string, string>>> {
  const { status, text } = await repository.send("/git-receive-pack", { body, headers: HEADERS });
  expect(status, text).toBe(200);
  return readPushAnswer(text, true).refs;
}

async function refsOf(repository: PeerRepository): Promise<Record<string, string>> {
  return readAdvertisedRefs((await repository.send("/info/refs?service=git-receive-pack")).text);
}

describe("ten pushes at once", () => {
  it("to one ref: one wins each round, and the others are told why", async () => {
    const repository = await host.createRepository();
    await put(repository, START);
    let tip = first;
    for (let round = 0; round < 5; round++) {
      const parent = tip;
      const rivals = Array.from({ length: 10 }, (_, at) => makeCommit(tree, [parent], 2_000_000_000 + 10 * round + at));
      // oxlint-disable-next-line no-await-in-loop -- rounds come one after the other
      const answers = await Promise.all(
        rivals.map((rival) =>
          put(repository, pushBody({ commands: [[parent.id, rival.id, "refs/heads/main"]], pack: packOf([rival]) })),
        ),
      );
      const verdict = answers.map((refs) => refs["refs/heads/main"] ?? "");
      const winners = rivals.filter((_, at) => verdict[at] === "ok");
      expect(winners.length, verdict.join("\n")).toBe(1);
      expect(verdict.filter((reason) => reason.startsWith("ref-stale: failed to update ref")).length).toBe(9);
      tip = winners[0] ?? tip;
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await refsOf(repository)).toEqual({ "refs/heads/main": tip.id });
    }
  });

  it("to refs of their own, of a repository that was not there: all win", async () => {
    const repository = await host.createRepository();
    const commits = Array.from({ length: 10 }, (_, at) => makeCommit(tree, [], 2_000_000_000 + at));
    const answers = await Promise.all(
      commits.map((own, at) =>
        put(repository, pushBody({ commands: [[ZERO, own.id, `refs/heads/b${at}`]], pack: packOf([blob, tree, own]) })),
      ),
    );
    expect(answers).toEqual(commits.map((_, at) => ({ [`refs/heads/b${at}`]: "ok" })));
    expect(Object.values(await refsOf(repository))).toEqual(commits.map(({ id }) => id));
    const folder = makeFolder();
    await git(folder, "clone", "--quiet", "--mirror", repository.url, "clone");
    await git(join(folder, "clone"), "fsck", "--strict");
  });

  it("leave every clone that is made meanwhile whole", async () => {
    const repository = await host.createRepository();
    await put(repository, START);
    const pushes = (async () => {
      for (let at = 0, tip = first; at < 30; at++) {
        const own = makeBlob(`version ${at}\n`);
        const ownTree = makeTree({ "a.txt": own });
        const next = makeCommit(ownTree, [tip], 2_000_000_000 + at);
        const body = pushBody({ commands: [[tip.id, next.id, "refs/heads/main"]], pack: packOf([own, ownTree, next]) });
        // oxlint-disable-next-line no-await-in-loop -- one on top of the other
        expect(await put(repository, body)).toEqual({ "refs/heads/main": "ok" });
        tip = next;
      }
    })();
    const clones = Array.from({ length: 8 }, async () => {
      const folder = makeFolder();
      const made = await tryGit(folder, ["clone", "--quiet", repository.url, "clone"]);
      expect(made, made.stderr).toMatchObject({ code: 0 });
      await git(join(folder, "clone"), "fsck", "--strict");
    });
    await Promise.all([pushes, ...clones]);
  });
});

describe("ten thousand refs", () => {
  it("are made, moved, listed, cloned and deleted within seconds", async () => {
    const repository = await host.createRepository();
    const names = Array.from({ length: 10_000 }, (_, at) => `refs/heads/b${at % 100}/x${at}`);
    const next = makeCommit(tree, [first], 2_000_000_000);
    const rounds: [readonly Command[], Uint8Array][] = [
      [names.map((name) => [ZERO, first.id, name]), packOf([blob, tree, first])],
      [names.map((name) => [first.id, next.id, name]), packOf([next])],
    ];
    for (const [commands, pack] of rounds) {
      const startedMs = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const refs = await put(repository, pushBody({ commands, pack }));
      expect(performance.now() - startedMs).toBeLessThan(10_000);
      expect(Object.keys(refs).length).toBe(names.length);
      expect(new Set(Object.values(refs))).toEqual(new Set(["ok"]));
    }
    const folder = makeFolder();
    await git(folder, "clone", "--quiet", "--mirror", repository.url, "clone");
    expect((await git(join(folder, "clone"), "for-each-ref", "--format=x")).split("\n").length).toBe(names.length);
    const refs = await put(repository, pushBody({ commands: names.slice(1).map((name) => [next.id, ZERO, name]) }));
    expect(new Set(Object.values(refs))).toEqual(new Set(["ok"]));
    expect(await refsOf(repository)).toEqual({ [names[0]!]: next.id });
  });
});
