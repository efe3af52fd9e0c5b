// Deploys under load: what each of many visitors sees, from the first request to the last. The bench does the same for longer.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commit, git, makeRepository } from "./git.ts";
import { startHost, type Host } from "./host.ts";
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
