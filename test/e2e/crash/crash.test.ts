// The host is killed in the middle of its work and started again. Whatever it was at: no acknowledged push and no data is lost, what
// the ref names is what runs, the repository is whole, and the same command once more does the rest. Nothing is repaired by hand.
// Steps come from worker.ts. By default a few of them, the same ones every time; CRASH_KILLS=all takes every one, CRASH_SEED others.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { request, ROOT } from "../host.ts";
import { commit, git, makeFolder, makeRepository, tryGit } from "../git.ts";
import { listWrites, loadedApp } from "../load.ts";
import { startCrashHost, type CrashHost } from "./crash-host.ts";

const KILLS = process.env["CRASH_KILLS"] ?? "2";
const SEED = Number(process.env["CRASH_SEED"] ?? 5);
const KILL_TIMEOUT_MS = 120_000;

interface Scenario {
  /** What has to be there before; without kills. */
  prepare(): Promise<void>;
  /** The work that is cut short. Whether the client was told that it succeeded. */
  act(): Promise<boolean>;
  /** Commits that main may name afterwards: as before, and as wanted. */
  commits(): { readonly before: string; readonly wanted: string };
  /** Whether the data goes back with the commit. */
  readonly restoresData: boolean;
}

let host: CrashHost;
let repository: string;
const dataPath = makeFolder();
const acknowledged = new Set<string>();
const versions = new Map<string, string>();
let restorable: ReadonlySet<string> = new Set();
let before = "";
let wanted = "";
let count = 0;

const live = async (): Promise<string> =>
  (await git(repository, "ls-remote", host.gitUrl, "refs/heads/main")).split("\t")[0] ?? "";

const push = async (...args: readonly string[]): Promise<boolean> =>
  (await tryGit(repository, ["push", ...args])).code === 0;

async function nextVersion(): Promise<void> {
  count += 1;
  before = await git(repository, "rev-parse", "HEAD");
  wanted = await commit(repository, { "src/index.ts": loadedApp(String(count)) }, `Version ${count}`);
  versions.set(wanted, String(count));
}

/** Writes that go on until the host is gone. */
async function write(signal: AbortSignal, name: string): Promise<void> {
  for (let at = 0; !signal.aborted; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await request(`${host.appUrl}?id=${name}-${at}`, { signal }).catch(() => undefined);
    if (answer === undefined) return;
    if (answer.status === 200) acknowledged.add(answer.text);
  }
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  push: {
    prepare: nextVersion,
    act: () => push(host.gitUrl, "main"),
    commits: () => ({ before, wanted }),
    restoresData: false,
  },
  compaction: {
    prepare: async () => {
      before = wanted = await git(repository, "rev-parse", "main");
      await git(repository, "checkout", "--quiet", "-b", "side");
      await commit(repository, { "garbage.txt": String(Math.random()) }, "Nothing that stays");
      await git(repository, "push", "--quiet", "-o", "store", host.gitUrl, "side");
      await git(repository, "push", "--quiet", host.gitUrl, ":side");
      await git(repository, "checkout", "--quiet", "main");
      await git(repository, "branch", "-D", "side");
    },
    act: () =>
      host.compact().then(
        () => true,
        () => false,
      ),
    commits: () => ({ before, wanted }),
    restoresData: false,
  },
  restore: {
    prepare: async () => {
      await request(`${host.appUrl}?id=kept-${count}`);
      restorable = await listWrites(host.appUrl);
      await nextVersion();
      await git(repository, "push", "--quiet", host.gitUrl, "main");
      acknowledged.add((await request(`${host.appUrl}?id=left-${count}`)).text);
      [before, wanted] = [wanted, before];
    },
    act: () => push("-f", "-o", "restore-data", host.gitUrl, `${wanted}:main`),
    commits: () => ({ before, wanted }),
    restoresData: true,
  },
};

/** Runs `act` with visitors beside it until it is over or the host stands still. */
async function act(scenario: Scenario): Promise<boolean> {
  const stopping = new AbortController();
  const writing = scenario.restoresData ? undefined : write(stopping.signal, `w${count}-${acknowledged.size}`);
  const acting = scenario.act();
  const isDone = await Promise.race([acting, host.stopped.then(() => undefined)]);
  if (isDone === undefined) await host.kill();
  stopping.abort();
  await writing;
  return acting;
}

/** Every invariant, once the host is back; `wasTold`: the client was told of success. */
async function check(scenario: Scenario, wasTold: boolean): Promise<void> {
  const commits = scenario.commits();
  const id = await live();
  expect(wasTold ? [commits.wanted] : [commits.before, commits.wanted]).toContain(id);
  const visited = await request(host.appUrl);
  expect([visited.status, visited.headers["x-version"]]).toEqual([200, versions.get(id)]);
  const app = JSON.parse((await host.api("GET", "/apps/crash")).text);
  expect(app.live.commit).toBe(id);
  const stored = await listWrites(host.appUrl);
  const expected = scenario.restoresData && id === commits.wanted ? restorable : acknowledged;
  expect([...expected].filter((write_) => !stored.has(write_))).toEqual([]);
  if (scenario.restoresData && id === commits.wanted) expect(stored.has(`left-${count}`)).toBe(false);
  const clone = join(makeFolder(), "clone");
  await git(repository, "clone", "--quiet", host.gitUrl, clone);
  await git(clone, "fsck", "--strict", "--full");
  expect(await git(clone, "rev-parse", "HEAD")).toBe(id);
}

/** After the work was done once more: all is as if nothing had been. */
async function finish(scenario: Scenario): Promise<void> {
  expect(await scenario.act()).toBe(true);
  await check(scenario, true);
  if (!scenario.restoresData) return;
  acknowledged.clear();
  for (const id of restorable) acknowledged.add(id);
  await git(repository, "reset", "--quiet", "--hard", wanted);
}

/** The scenario's steps, from one run without a kill; how long it takes. */
async function record(scenario: Scenario): Promise<{ steps: readonly string[]; tookMs: number }> {
  await scenario.prepare();
  await host.begin();
  const startedMs = performance.now();
  expect(await act(scenario)).toBe(true);
  const tookMs = performance.now() - startedMs;
  const steps = await host.listSteps();
  await finish(scenario);
  return { steps, tookMs };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function choose(steps: readonly string[], random: () => number): readonly string[] {
  if (KILLS === "all") return steps;
  const left = [...steps];
  return Array.from({ length: Math.min(Number(KILLS), steps.length) }, () => {
    return left.splice(Math.floor(random() * left.length), 1)[0] ?? "";
  });
}

beforeAll(async () => {
  host = await startCrashHost(dataPath);
  repository = await makeRepository({ "src/index.ts": loadedApp("0") });
  versions.set(await git(repository, "rev-parse", "HEAD"), "0");
  await git(repository, "push", host.gitUrl, "main");
});
afterAll(async () => {
  await host.kill();
  // What wrangler would take away itself, were it not killed.
  rmSync(join(ROOT, "test/e2e/crash/.wrangler"), { recursive: true, force: true });
});

describe("a host that is killed", () => {
  it.each(Object.entries(SCENARIOS))(
    "in the middle of a %s loses nothing and needs no repair",
    async (name, scenario) => {
      const random = randomOf(SEED);
      const { steps, tookMs } = await record(scenario);
      expect(steps.length).toBeGreaterThan(5);
      for (const step of choose(steps, random)) {
        await scenario.prepare();
        await host.begin(step);
        const wasTold = await act(scenario);
        await host.kill();
        host = await startCrashHost(dataPath);
        await check(scenario, wasTold).catch((error: unknown) => {
          throw new Error(`${name}, killed ${step}`, { cause: error });
        });
        await finish(scenario);
      }
      const afterMs = random() * tookMs;
      await scenario.prepare();
      const timer = setTimeout(() => void host.kill(), afterMs);
      const wasTold = await act(scenario);
      clearTimeout(timer);
      await host.kill();
      host = await startCrashHost(dataPath);
      await check(scenario, wasTold).catch((error: unknown) => {
        throw new Error(`${name}, killed after ${afterMs} ms`, { cause: error });
      });
      await finish(scenario);
    },
    KILLS === "all" ? 100 * KILL_TIMEOUT_MS : (Number(KILLS) + 2) * KILL_TIMEOUT_MS,
  );
});
