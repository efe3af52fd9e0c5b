// Deploys under load: what each of many visitors sees, from the first request to the last (the bench does the same for longer); and
// pushes that come at the same time.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { commit, git, makeFolder, makeRepository, spawnGit, tryGit } from "./git.ts";
import { request, startHost, type Host } from "./host.ts";
import { listWrites, loadedApp, startLoad } from "./load.ts";

const DEPLOYS = 5;
const CLIENTS = 20;

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.stop());

describe("deploys under load", () => {
  it("refuse no request, lose no write and run no two versions at once", async () => {
    const url = host.appUrl("loaded");
    const repository = await makeRepository({ "src/index.ts": loadedApp("0") });
    await git(repository, "push", host.gitUrl("loaded.git"), "main");
    const load = startLoad(url, CLIENTS);
    for (let version = 1; version <= DEPLOYS; version += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await commit(repository, { "src/index.ts": loadedApp(String(version)) }, `Version ${version}`);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await git(repository, "push", host.gitUrl("loaded.git"), "main");
    }
    const outcome = await load.stop();
    expect(outcome.problems).toEqual([]);
    expect(outcome.versions.has(String(DEPLOYS))).toBe(true);
    expect(outcome.versions.size).toBeGreaterThan(2);
    // Two clients of each kind, and each deploy ended what they had open.
    expect(outcome.reconnects.events).toBeGreaterThanOrEqual(DEPLOYS);
    expect(outcome.reconnects.sockets).toBeGreaterThanOrEqual(2 * DEPLOYS);
    const stored = await listWrites(url);
    expect([...outcome.acknowledged].filter((id) => !stored.has(id))).toEqual([]);
    expect(outcome.acknowledged.size).toBeGreaterThan(CLIENTS);
  });
});

/** An app that takes its time to start, in its rehearsal and at its cutover. */
const slowApp = (version: string, waitMs = 1500): string => `
import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env);
    void ctx.blockConcurrencyWhile(() => scheduler.wait(${waitMs}));
  }
  fetch() {
    return new Response("${version}");
  }
}
`;

/** A push that has been built, and is being rehearsed. */
async function pushUntilBuilt(repository: string, url: string) {
  const child = spawnGit(repository, ["push", url, "main"]);
  let stderr = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      if (/remote: built/.test(stderr)) resolve();
    });
    child.once("close", () => reject(new Error(`The push ended before it was built:\n${stderr}`)));
  });
  return child;
}

describe("two pushes at once", () => {
  it.each([
    ["", false],
    [", also where its client goes away", true],
  ])("go one after the other, and the second is told of the first%s", async (_, isKilled) => {
    const app = isKilled ? "twice-killed" : "twice";
    const url = host.gitUrl(`${app}.git`);
    const ada = await makeRepository({ "src/index.ts": slowApp("begun", 0) });
    await git(ada, "push", url, "main");
    const bob = join(makeFolder(), "bob");
    await git(ada, "clone", "--quiet", url, bob);
    const adas = await commit(ada, { "src/index.ts": slowApp("ada") }, "Ada's");
    await commit(bob, { "src/index.ts": slowApp("bob", 0) }, "Bob's");

    const first = await pushUntilBuilt(ada, url);
    const firstEnds = Promise.all([once(first, "close"), text(first.stdout)]);
    if (isKilled) first.kill("SIGKILL");
    const second = await tryGit(bob, ["push", url, "main"]);
    expect(second.stderr).toContain(`waiting   for the push of ${adas.slice(0, 7)} by owner`);
    expect([second.code, /\((ref-stale)/.exec(second.stderr)?.[1]]).toEqual([1, "ref-stale"]);
    const [[code]] = await firstEnds;
    if (!isKilled) expect(code).toBe(0);
    expect((await request(host.appUrl(app))).text).toBe("ada");
    expect((await tryGit(bob, ["push", "--force", url, "main"])).code).toBe(0);
    expect((await request(host.appUrl(app))).text).toBe("bob");
  });

  it("and more leave what one of them pushed", async () => {
    const url = host.gitUrl("many.git");
    const repositories = await Promise.all(
      [1, 2, 3, 4, 5].map((number) => makeRepository({ "src/index.ts": slowApp(`number ${number}`, 500) })),
    );
    const results = await Promise.all(repositories.map((repository) => tryGit(repository, ["push", url, "main"])));
    const refused = results.filter(({ code }) => code !== 0);
    expect(refused).toHaveLength(4);
    for (const { stderr } of refused) expect(stderr).toMatch(/\((ref-stale|push-superseded)/);
    const winner = results.findIndex(({ code }) => code === 0) + 1;
    expect((await request(host.appUrl("many"))).text).toBe(`number ${winner}`);
  });
});
