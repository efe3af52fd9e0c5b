/// <reference types="@cloudflare/vitest-pool-workers/types" />
// Atomic pushes of which one deploy does not start: all of them goes back, whoever sees it, and whatever came in between.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { CommitOutcome } from "../../src/app/commit.ts";
import type { DataChoice } from "../../src/app/preview-commit.ts";
import { ZERO_ID } from "../../src/git/object-id.ts";
import { command, IMPORTS, makeCode, ref, supervisorOf, testId, visitText } from "./deployment.ts";

/** Counts what it is asked to add. `constructing`: what its constructor does as the live version, not in a rehearsal. */
function counter(mark: string, constructing = ""): string {
  return `${IMPORTS}
    export class App extends DurableObject {
      constructor(ctx, env) { super(ctx, env); if (env.SLIPWAY.deploy) { ${constructing} } }
      async fetch(request) {
        let count = this.ctx.storage.kv.get("count") ?? 0;
        if (new URL(request.url).pathname === "/add") this.ctx.storage.kv.put("count", ++count);
        return new Response(${JSON.stringify(mark)} + " " + count);
      }
    }`;
}

const BROKEN = counter("broken", `throw new Error("live only");`);

/** The same, and it takes its time for it. */
const SLOWLY_BROKEN = counter(
  "broken",
  `ctx.blockConcurrencyWhile(async () => { await scheduler.wait(1500); throw new Error("live only"); });`,
);

let lastId = 1000;

/** Commits an atomic push: branches with their code, undefined being none, which deletes; and tags. main is production. */
async function commitAtomic(
  app: string,
  branches: Readonly<Record<string, string | undefined>>,
  tags: readonly string[] = [],
  data?: DataChoice,
): Promise<CommitOutcome> {
  const supervisor = supervisorOf(app);
  const { repositoryId, refs } = await supervisor.openForPush();
  const idOf = (name: string) => refs.find((row) => row.name === name)?.id ?? ZERO_ID;
  const commands = [
    ...Object.entries(branches).map(([branch, source]) => {
      const name = `refs/heads/${branch}`;
      return command(name, idOf(name), source === undefined ? ZERO_ID : testId((lastId += 1)));
    }),
    ...tags.map((tag) => ({
      ...command(`refs/tags/${tag}`, idOf(`refs/tags/${tag}`), testId((lastId += 1))),
      peeledId: testId((lastId += 1)),
    })),
  ];
  const deploys = [];
  for (const [branch, source] of Object.entries(branches)) {
    if (source === undefined) continue;
    const name = ref(`refs/heads/${branch}`);
    const code = makeCode(source);
    const commitId = commands.find((one) => one.name === name)?.newId ?? ZERO_ID;
    const target = { ref: name, commitId, ...(branch === "main" ? {} : { preview: { data } }) };
    const rehearsal = await supervisor.rehearse({ code, varsJson: "{}" }, target);
    if (rehearsal.kind === "failed") throw new Error(rehearsal.reason);
    deploys.push({ ref: name, commitId, treeId: testId(7), subject: "Try it", codeId: code.codeId, varsJson: "{}" });
  }
  const deploy = deploys.find((one) => one.ref === "refs/heads/main");
  const previews = deploys.filter((one) => one !== deploy).map((one) => ({ deploy: one, data }));
  const push = { repositoryId, commands, atomic: true, checkedPackIds: [], deploy, previews, nowMs: Date.now() };
  return supervisor.commit(push);
}

function numbersOf({ deploy, previews }: CommitOutcome): number[] {
  return [...(deploy === undefined ? [] : [deploy.number]), ...previews.map(({ number }) => number)];
}

/** The whole push. What became of its deploys, in their order. */
async function pushAtomic(...parameters: Parameters<typeof commitAtomic>) {
  const kinds: string[] = [];
  for (const number of numbersOf(await commitAtomic(...parameters))) {
    kinds.push((await supervisorOf(parameters[0]).cutOver(number)).kind);
  }
  return kinds;
}

async function refsOf(app: string) {
  const refs = (await supervisorOf(app).readRepository())?.refs ?? [];
  return Object.fromEntries(refs.map(({ name, id, peeledId }) => [name, peeledId === undefined ? id : [id, peeledId]]));
}

async function textOf(app: string, branch: string, path = "/"): Promise<string> {
  const response = await supervisorOf(app).fetch(`http://${branch}--${app}.localhost${path}`);
  return response.headers.get("slipway-error") ?? response.text();
}

/** What is left of pushes that may have to go back. */
async function waiting(app: string): Promise<unknown> {
  return runInDurableObject(supervisorOf(app), (_, { storage }) =>
    storage.sql.exec("SELECT name FROM atomic_refs").toArray(),
  );
}

describe("an atomic push of which a deploy does not start", () => {
  it("goes back whole: branches, tags, previews and what is live, with the data that visitors wrote", async () => {
    const app = "atomic-back";
    expect(
      await pushAtomic(app, { main: counter("main"), fix: counter("fix"), gone: counter("gone") }, ["v1"]),
    ).toEqual(["live", "live", "live"]);
    await visitText(app, "/add");
    await textOf(app, "gone", "/add");
    const before = await refsOf(app);

    const commit = await commitAtomic(
      app,
      { main: counter("main2"), fix: SLOWLY_BROKEN, new: counter("new"), gone: undefined },
      ["v1", "v2"],
    );
    expect(commit.ended).toEqual(["gone"]);
    const [main = 0, fix = 0, fresh = 0] = numbersOf(commit);
    const supervisor = supervisorOf(app);
    expect(await supervisor.cutOver(main)).toMatchObject({ kind: "live" });
    expect(await visitText(app, "/add")).toBe("main2 2");
    const undone = { kind: "reverted", ofDeploy: fix, stayed: [], failure: { exception: { message: "live only" } } };
    expect(await supervisor.cutOver(fix)).toMatchObject({ ...undone, liveDeployNumber: 2 });
    expect(await supervisor.cutOver(main)).toMatchObject({ ...undone, liveDeployNumber: 1 });
    expect(await supervisor.cutOver(fresh)).toMatchObject({ ...undone, liveDeployNumber: undefined });
    expect(await refsOf(app)).toEqual(before);
    expect(await visitText(app)).toBe("main 2");
    expect(await textOf(app, "fix")).toBe("fix 0");
    expect(await textOf(app, "gone")).toBe("gone 1");
    expect(await textOf(app, "new")).toBe("preview-not-found");
    expect(await waiting(app)).toEqual([]);
    expect(await pushAtomic(app, { main: counter("main3"), gone: undefined })).toEqual(["live"]);
    expect(await visitText(app)).toBe("main3 2");
    await expect.poll(() => textOf(app, "gone")).toBe("preview-not-found");
  });

  it("takes the whole app back if it was the first", async () => {
    const app = "atomic-first";
    expect(await pushAtomic(app, { main: counter("main"), fix: BROKEN }, ["v1"])).toEqual(["live", "reverted"]);
    expect(await refsOf(app)).toEqual({});
    expect(await visitText(app)).toContain("deployed");
    expect((await supervisorOf(app).describe())?.live).toBeUndefined();
    expect(await pushAtomic(app, { main: counter("again") })).toEqual(["live"]);
    expect(await visitText(app, "/add")).toBe("again 1");
  });

  it("gives a preview back the data that it was to have replaced, and keeps it no longer than that", async () => {
    const app = "atomic-fork";
    await pushAtomic(app, { main: counter("main"), fix: counter("fix") });
    await textOf(app, "fix", "/add");
    const backups = () =>
      runInDurableObject(supervisorOf(app), (_, { storage }) =>
        storage.sql.exec("SELECT facet, backup FROM environments WHERE backup IS NOT NULL").toArray(),
      );
    const commit = await commitAtomic(app, { fix: counter("fix2"), slow: SLOWLY_BROKEN }, [], "fork");
    const [fix = 0, slow = 0] = numbersOf(commit);
    expect(await supervisorOf(app).cutOver(fix)).toMatchObject({ kind: "live" });
    expect(await textOf(app, "fix", "/add")).toBe("fix2 1");
    expect(await textOf(app, "fix", "/add")).toBe("fix2 2");
    expect(await supervisorOf(app).cutOver(slow)).toMatchObject({ kind: "reverted" });
    expect(await textOf(app, "fix")).toBe("fix 1");
    expect(await backups()).toEqual([]);

    const again = await commitAtomic(app, { fix: counter("fix3"), slow: counter("slow") }, [], "fork");
    for (const number of numbersOf(again)) await supervisorOf(app).cutOver(number);
    expect(await textOf(app, "fix")).toBe("fix3 0");
    await expect.poll(backups).toEqual([]);
  });

  it("leaves a ref that another push has moved on, and what that deployed", async () => {
    const app = "atomic-moved";
    await pushAtomic(app, { main: counter("main"), fix: counter("fix") }, ["v1", "v2"]);
    const commit = await commitAtomic(app, { main: counter("main2"), fix: SLOWLY_BROKEN }, ["v1", "v2"]);
    const before = await refsOf(app);
    const [main = 0, fix = 0] = numbersOf(commit);
    await supervisorOf(app).cutOver(main);
    expect(await pushAtomic(app, { main: counter("main3") }, ["v1"])).toEqual(["live"]);
    const moved = await refsOf(app);
    expect(await supervisorOf(app).cutOver(fix)).toMatchObject({
      kind: "reverted",
      stayed: ["refs/heads/main", "refs/tags/v1"],
    });
    const after = await refsOf(app);
    expect(after).toMatchObject({ "refs/heads/main": moved["refs/heads/main"], "refs/tags/v1": moved["refs/tags/v1"] });
    expect(after["refs/tags/v2"]).not.toEqual(before["refs/tags/v2"]);
    expect(after["refs/heads/fix"]).not.toEqual(before["refs/heads/fix"]);
    expect(await visitText(app)).toBe("main3 0");
    expect(await textOf(app, "fix")).toBe("fix 0");
  });

  it("goes back past it where a later deploy that stands on it does not start either", async () => {
    const app = "atomic-past";
    await pushAtomic(app, { main: counter("main"), fix: counter("fix") });
    const before = await refsOf(app);
    const [, fix = 0] = numbersOf(await commitAtomic(app, { main: counter("main2"), fix: BROKEN }));
    // Nothing is started before both are committed.
    const [later = 0] = numbersOf(await commitAtomic(app, { main: BROKEN }));
    expect(await supervisorOf(app).cutOver(fix)).toMatchObject({ kind: "reverted", stayed: ["refs/heads/main"] });
    expect(await supervisorOf(app).cutOver(later)).toMatchObject({ kind: "reverted" });
    expect(await refsOf(app)).toEqual(before);
    expect(await visitText(app)).toBe("main 0");
  });

  it.each([
    ["before any of it has started", "fix"],
    ["before any of it has started, whatever is asked for first", "main"],
    ["when some of it has", "main"],
  ])("goes back after an eviction %s", async (when, first) => {
    const app = `atomic-evicted-${when.startsWith("before") ? "early" : "late"}-${first}`;
    await pushAtomic(app, { main: counter("main"), fix: counter("fix") }, ["v1"]);
    const before = await refsOf(app);
    const [main = 0] = numbersOf(await commitAtomic(app, { main: counter("main2"), fix: SLOWLY_BROKEN }, ["v1"]));
    if (when.startsWith("when")) expect(await supervisorOf(app).cutOver(main)).toMatchObject({ kind: "live" });
    await evictDurableObject(supervisorOf(app));
    // A visitor is the first to find out.
    if (first === "main") await visitText(app);
    else expect(await textOf(app, "fix")).toBe("fix 0");
    await expect.poll(() => visitText(app), { timeout: 10_000 }).toBe("main 0");
    expect(await textOf(app, "fix")).toBe("fix 0");
    expect(await refsOf(app)).toEqual(before);
    await evictDurableObject(supervisorOf(app));
    expect(await visitText(app, "/add")).toBe("main 1");
  });

  it("undoes a deploy while it starts, and what its start has changed", async () => {
    const app = "atomic-starting";
    await pushAtomic(app, { main: counter("main"), fix: counter("fix") });
    await visitText(app, "/add");
    const slow = counter(
      "slow",
      `ctx.blockConcurrencyWhile(async () => { ctx.storage.kv.put("count", 99); await scheduler.wait(500); });`,
    );
    const [main = 0, fix = 0] = numbersOf(await commitAtomic(app, { main: slow, fix: BROKEN }));
    const supervisor = supervisorOf(app);
    const outcomes = await Promise.all([supervisor.cutOver(main), supervisor.cutOver(fix), visitText(app)]);
    expect(outcomes).toMatchObject([{ kind: "reverted", ofDeploy: fix }, { kind: "reverted" }, "main 1"]);
    expect(await visitText(app)).toBe("main 1");
  });
});
