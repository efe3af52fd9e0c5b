// What other git servers on Workers were seen to get wrong, seen right here with the real git client.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { callApi, startHost, type Host } from "./host.ts";
import { commit, git, makeFolder, makeRepository, tryGit, type Files } from "./git.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.stop();
});

let stores = 0;
async function createStore(): Promise<string> {
  stores += 1;
  await callApi(host, "POST", "/apps", { name: `store-${stores}`, deploy: false });
  return host.gitUrl(`store-${stores}.git`);
}

/** A clone's folder. */
async function clone(url: string, ...options: readonly string[]): Promise<string> {
  const folder = makeFolder();
  await git(folder, "clone", "--quiet", ...options, url, "clone");
  return join(folder, "clone");
}

const countObjects = async (repository: string): Promise<number> =>
  (await git(repository, "cat-file", "--batch-all-objects", "--batch-check")).split("\n").length;

const hasObject = async (repository: string, id: string): Promise<boolean> =>
  (await tryGit(repository, ["cat-file", "-e", id])).code === 0;

/** Files in several folders, so that a change of one leaves most trees alone. */
function tree(count: number): Files {
  const paths = Array.from({ length: count }, (_, at) => `folder-${at % 10}/part-${at % 3}/file-${at}.txt`);
  return Object.fromEntries(paths.map((path) => [path, `${path}\n`]));
}

describe("refs", () => {
  it("are those of the last push in a fetch right after it, a hundred times", async () => {
    const url = await createStore();
    const repository = await makeRepository({ "a.txt": "0\n" });
    await git(repository, "push", "--quiet", url, "main");
    for (let at = 1; at <= 100; at += 1) {
      await git(repository, "commit", "--quiet", "--allow-empty", "-m", `${at}`);
      await git(repository, "push", "--quiet", url, "main");
      const head = await git(repository, "rev-parse", "HEAD");
      expect(await git(repository, "ls-remote", url, "refs/heads/main")).toBe(`${head}\trefs/heads/main`);
    }
    const cloned = await clone(url);
    expect(await git(cloned, "rev-parse", "HEAD")).toBe(await git(repository, "rev-parse", "HEAD"));
  });
});

describe("a clone", () => {
  it("never has what a force push dropped, and cannot ask for it", async () => {
    const url = await createStore();
    const repository = await makeRepository({ "a.txt": "public\n" });
    const secretId = await commit(repository, { "secret.txt": "a secret\n" }, "Oops");
    await git(repository, "push", "--quiet", url, "main");
    const blobId = await git(repository, "rev-parse", "HEAD:secret.txt");
    await git(repository, "reset", "--quiet", "--hard", "HEAD~1");
    await git(repository, "push", "--quiet", "--force", url, "main");
    const cloned = await clone(url);
    expect(await hasObject(cloned, secretId)).toBe(false);
    expect(await hasObject(cloned, blobId)).toBe(false);
    for (const version of [0, 2]) {
      const fetched = await tryGit(cloned, ["-c", `protocol.version=${version}`, "fetch", url, secretId]);
      expect(fetched.code).not.toBe(0);
      expect(fetched.stderr).toContain("not our ref");
    }
  });

  it("of a single branch has that branch only", async () => {
    const url = await createStore();
    const repository = await makeRepository({ "a.txt": "a\n" });
    await git(repository, "checkout", "--quiet", "-b", "other");
    const otherId = await commit(repository, { "other.txt": "other\n" }, "Other");
    await git(repository, "push", "--quiet", url, "main", "other");
    const cloned = await clone(url, "--single-branch", "--branch", "main");
    expect(await hasObject(cloned, otherId)).toBe(false);
  });

  it.each([
    ["--depth=1", 1],
    ["--depth=3", 3],
    ["--shallow-exclude=v1", 2],
  ])("with %s ends where it was asked to", async (option, commits) => {
    const url = await createStore();
    const repository = await makeRepository({ "a.txt": "0\n" });
    for (let at = 1; at <= 5; at += 1) {
      await commit(repository, { "a.txt": `${at}\n` }, `${at}`);
      if (at === 3) await git(repository, "tag", "v1");
    }
    await git(repository, "push", "--quiet", url, "main", "v1");
    const cloned = await clone(url, option);
    expect(await git(cloned, "rev-list", "--count", "HEAD")).toBe(String(commits));
    await git(cloned, "fetch", "--quiet", "--unshallow");
    expect(await git(cloned, "rev-list", "--count", "HEAD")).toBe("6");
    await git(cloned, "fsck", "--strict");
  });

  it("with a filter leaves blobs behind and brings them when they are needed", async () => {
    const url = await createStore();
    const repository = await makeRepository(tree(30));
    await git(repository, "push", "--quiet", url, "main");
    const cloned = await clone(url, "--no-checkout", "--filter=blob:none");
    const kinds = await git(cloned, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)");
    expect(kinds).not.toContain("blob");
    await git(cloned, "checkout", "--quiet", "main");
    expect(await git(cloned, "status", "--porcelain")).toBe("");
  });

  it("brings an annotated tag along with its commit", async () => {
    const url = await createStore();
    const repository = await makeRepository({ "a.txt": "a\n" });
    await git(repository, "push", "--quiet", url, "main");
    const cloned = await clone(url);
    await commit(repository, { "a.txt": "b\n" }, "B");
    await git(repository, "tag", "--annotate", "--message", "One", "v1");
    await git(repository, "push", "--quiet", url, "main", "v1");
    await git(cloned, "fetch", "--quiet", "origin");
    expect(await hasObject(cloned, "refs/tags/v1")).toBe(true);
  });
});

describe("a fetch of a change of one file", () => {
  it("brings at most ten objects in one round, and the server says ready", async () => {
    const url = await createStore();
    const repository = await makeRepository(tree(200));
    for (let at = 0; at < 40; at += 1) await commit(repository, { "folder-1/part-1/file-1.txt": `${at}\n` }, `${at}`);
    await git(repository, "push", "--quiet", url, "main");
    const cloned = await clone(url, "--bare");
    const before = await countObjects(cloned);
    await commit(repository, { "folder-2/part-2/file-2.txt": "changed\n" }, "Change one");
    await git(repository, "push", "--quiet", url, "main");
    const fetched = await tryGit(cloned, ["fetch", "--quiet", "origin", "main"], {
      environment: { GIT_TRACE_CURL: "1", GIT_TRACE_PACKET: "1" },
    });
    expect(fetched.code).toBe(0);
    expect((await countObjects(cloned)) - before).toBeLessThanOrEqual(10);
    const posts = fetched.stderr.split("\n").filter((line) => line.includes("header: POST"));
    // One for ls-refs, one for the pack.
    expect(posts.length).toBe(2);
    expect(fetched.stderr).toMatch(/fetch< ready/);
  });
});

describe("a push", () => {
  it("of a blob of 90 MB is taken and comes back the same", async () => {
    const url = await createStore();
    const repository = await makeRepository({ "blob.bin": randomBytes(90_000_000) });
    await git(repository, "-c", "core.compression=0", "push", "--quiet", url, "main");
    const cloned = await clone(url);
    expect(await git(cloned, "rev-parse", "HEAD:blob.bin")).toBe(await git(repository, "rev-parse", "HEAD:blob.bin"));
    expect(await git(cloned, "status", "--porcelain")).toBe("");
  });

  it("that is over the limit is refused with the limit, and the host goes on", async () => {
    const url = await createStore();
    const repository = await makeRepository({ "a.bin": randomBytes(70_000_000), "b.bin": randomBytes(70_000_000) });
    const pushed = await tryGit(repository, ["-c", "core.compression=0", "push", url, "main"]);
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain("413");
    await commit(repository, { "a.bin": undefined, "b.bin": undefined, "c.txt": "small\n" }, "Small");
    await git(repository, "checkout", "--quiet", "--orphan", "small");
    await git(repository, "commit", "--quiet", "-m", "Small");
    await git(repository, "push", "--quiet", url, "small");
  });

  it("whose host is killed midway blocks nothing, and is simply pushed again", async () => {
    const { dataPath, port } = host;
    const url = await createStore();
    const repository = await makeRepository({ "blob.bin": randomBytes(60_000_000) });
    const pushing = spawn("git", ["-c", "core.compression=0", "push", "--progress", url, "main"], { cwd: repository });
    const ended = once(pushing, "close");
    await new Promise<void>((resolve) => {
      pushing.stderr.on("data", (chunk: Buffer) => {
        if (chunk.toString().includes("Writing objects")) resolve();
      });
    });
    await host.kill();
    expect((await ended)[0]).not.toBe(0);
    host = await startHost({ dataPath });
    const again = url.replace(`:${port}/`, `:${host.port}/`);
    expect(await git(repository, "ls-remote", again)).toBe("");
    await git(repository, "push", "--quiet", again, "main");
    expect(await git(repository, "ls-remote", again, "refs/heads/main")).toContain(
      await git(repository, "rev-parse", "main"),
    );
  });
});
