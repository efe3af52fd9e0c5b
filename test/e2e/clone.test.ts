// What was pushed comes back byte for byte, in every version of git's protocol.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { callApi, startHost, type Host } from "./host.ts";
import { commit, git, makeFolder, makeRepository, tryGit, type Files } from "./git.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
  await callApi(host, "POST", "/apps", { name: "store", deploy: false });
});
afterAll(async () => {
  await host.stop();
});

const objects = (repository: string): Promise<string> => git(repository, "rev-list", "--objects", "--all");

/** Text that compresses badly, the same for the same seed. */
function noise(seed: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let at = 0; at < sizeBytes; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

async function makeHistory(): Promise<string> {
  const repository = await makeRepository({ "README.md": "# A history\n", "src/deep/er/file.txt": "1\n" });
  for (let at = 0; at < 12; at += 1) {
    const files: Files = { "src/deep/er/file.txt": `${at}\n`.repeat(at + 1), [`src/${at}.bin`]: noise(at, 20_000) };
    await commit(repository, files, `Change ${at}`);
  }
  await git(repository, "tag", "--annotate", "--message", "A tag", "v1", "HEAD~3");
  await git(repository, "branch", "side", "HEAD~6");
  return repository;
}

describe("a clone", () => {
  it.each([0, 1, 2])("in protocol version %i has the objects that were pushed", async (version) => {
    const repository = await makeHistory();
    const url = host.gitUrl("store.git");
    await git(repository, "push", "--quiet", "--force", "--mirror", url);
    const folder = makeFolder();
    await git(folder, "-c", `protocol.version=${version}`, "clone", "--quiet", "--mirror", url, "clone");
    const clone = join(folder, "clone");
    expect(await objects(clone)).toBe(await objects(repository));
    expect(await git(clone, "for-each-ref")).toBe(await git(repository, "for-each-ref"));
    const fsck = await tryGit(clone, ["fsck", "--strict", "--full"]);
    expect(fsck, fsck.stderr).toMatchObject({ code: 0 });
  });

  it.each([0, 1, 2])("in protocol version %i fetches what came later", async (version) => {
    const repository = await makeHistory();
    const url = host.gitUrl("store.git");
    await git(repository, "push", "--quiet", "--force", "--mirror", url);
    const folder = makeFolder();
    await git(folder, "clone", "--quiet", url, "clone");
    const clone = join(folder, "clone");
    const id = await commit(repository, { "README.md": "# More history\n" }, "Later");
    await git(repository, "push", "--quiet", url, "main");
    await git(clone, "-c", `protocol.version=${version}`, "fetch", "--quiet");
    expect(await git(clone, "rev-parse", "origin/main")).toBe(id);
    await git(clone, "fsck", "--strict");
  });
});

describe("a push", () => {
  it("larger than git's post buffer comes in chunks after a probe", async () => {
    const repository = await makeRepository({ "large.bin": noise(7, 12_000_000) });
    await git(repository, "push", "--quiet", "--force", host.gitUrl("store.git"), "main:large");
    const folder = makeFolder();
    await git(folder, "clone", "--quiet", "--branch", "large", host.gitUrl("store.git"), "clone");
    expect(await objects(join(folder, "clone")).then((text) => text.includes("large.bin"))).toBe(true);
    await git(join(folder, "clone"), "fsck", "--strict");
  });

  it("of a thin pack is completed from the store", async () => {
    const lines = Array.from({ length: 4000 }, (_, at) => `line ${at} of a file that deltas well`);
    const repository = await makeRepository({ "file.txt": lines.join("\n") });
    const url = host.gitUrl("store.git");
    await git(repository, "push", "--quiet", "--force", url, "main:thin");
    lines[2000] = "another line";
    await commit(repository, { "file.txt": lines.join("\n") }, "One line");
    await git(repository, "push", "--quiet", "--thin", url, "main:thin");
    const folder = makeFolder();
    await git(folder, "clone", "--quiet", "--branch", "thin", url, "clone");
    expect(await git(join(folder, "clone"), "rev-parse", "HEAD")).toBe(await git(repository, "rev-parse", "HEAD"));
    await git(join(folder, "clone"), "fsck", "--strict");
  });
});
