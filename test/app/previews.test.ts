/// <reference types="@cloudflare/vitest-pool-workers/types" />
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ZERO_ID } from "../../src/git/object-id.ts";
import {
  command,
  deploy,
  IMPORTS,
  pushBranch,
  supervisorOf,
  testId,
  textOf,
  visitLabel,
  visitText,
} from "./deployment.ts";

/** Counts what it is asked to add, and says what it runs as. */
function counter(mark: string, constructing = ""): string {
  return `${IMPORTS}
    export class App extends DurableObject {
      constructor(ctx, env) { super(ctx, env); ${constructing} }
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/env") return Response.json(this.env.SLIPWAY);
        if (pathname === "/slow") await scheduler.wait(200);
        let count = (await this.ctx.storage.get("count")) ?? 0;
        if (pathname === "/add") await this.ctx.storage.put("count", ++count);
        return new Response(${JSON.stringify(mark)} + count);
      }
    }`;
}

async function errorOf(app: string, label: string): Promise<string | null> {
  return (await visitLabel(app, label)).headers.get("slipway-error");
}

/** An app whose production has counted to `count`. */
async function makeApp(app: string, count: number): Promise<void> {
  await deploy(app, counter("main "));
  for (let at = 0; at < count; at += 1) await visitText(app, "/add");
}

async function rowsOf(app: string): Promise<Record<string, unknown>[]> {
  return runInDurableObject(supervisorOf(app), (_, { storage }) =>
    storage.sql.exec("SELECT facet, branch, state, pending_data, backup FROM environments ORDER BY facet").toArray(),
  );
}

/** Makes everything look as if it was used `ageMs` ago, and lets the alarm ring. */
async function age(app: string, ageMs: number): Promise<void> {
  await runInDurableObject(supervisorOf(app), (_, { storage }) => {
    storage.sql.exec("UPDATE environments SET used_at_ms = used_at_ms - ?", ageMs);
    storage.sql.exec("UPDATE due SET at_ms = 1 WHERE task = 'previews'");
  });
  await runDurableObjectAlarm(supervisorOf(app));
}

const DAY_MS = 24 * 60 * 60 * 1000;

describe("a preview", () => {
  it("begins with production's data and goes on with its own", async () => {
    await makeApp("forks", 2);
    expect((await pushBranch("forks", "feature/x", counter("x "))).kind).toBe("live");
    expect(await textOf("forks", "feature-x--forks", "/add")).toBe("x 3");
    expect(await visitText("forks", "/add")).toBe("main 3");
    await visitText("forks", "/add");
    expect((await pushBranch("forks", "feature/x", counter("x2 "))).kind).toBe("live");
    expect(await textOf("forks", "feature-x--forks")).toBe("x2 3");
    expect(await visitText("forks")).toBe("main 4");
    expect(await rowsOf("forks")).toEqual([
      { facet: "preview:feature-x", branch: "feature/x", state: "alive", pending_data: null, backup: null },
    ]);
  });

  it.each([
    ["fork", "y 1"],
    ["empty", "y 0"],
    ["keep", "y 2"],
  ] as const)("has the data that the push chooses: %s", async (data, expected) => {
    const app = `chooses-${data}`;
    await makeApp(app, 1);
    await pushBranch(app, "y", counter("y "));
    await textOf(app, `y--${app}`, "/add");
    await pushBranch(app, "y", counter("y ", `"${data}";`), { data });
    expect(await textOf(app, `y--${app}`)).toBe(expected);
  });

  it("tells its code what it is", async () => {
    await makeApp("knows", 0);
    const { commit } = await pushBranch("knows", "fix", counter(""));
    expect(JSON.parse(await textOf("knows", "fix--knows", "/env"))).toEqual({
      app: "knows",
      environment: "preview",
      branch: "fix",
      commit: commit.previews[0]?.commitId,
      deploy: 2,
    });
    expect(JSON.parse(await visitText("knows", "/env"))).toMatchObject({ environment: "production", deploy: 1 });
    expect(JSON.parse(await textOf("knows", "v2--knows", "/env"))).toMatchObject({ environment: "version", deploy: 2 });
  });

  it("leaves nothing of a first push that does not start", async () => {
    await makeApp("stillborn", 1);
    const broken = counter("", `if (env.SLIPWAY.deploy) throw new Error("live only");`);
    const { kind } = await pushBranch("stillborn", "fix", broken);
    expect(kind).toBe("reverted");
    expect(await errorOf("stillborn", "fix--stillborn")).toBe("preview-not-found");
    await expect.poll(() => rowsOf("stillborn")).toEqual([]);
    const state = await supervisorOf("stillborn").readRepository();
    expect(state?.refs.map(({ name }) => name)).toEqual(["refs/heads/main"]);
    expect(state?.head).toBe("refs/heads/main");
    await pushBranch("stillborn", "fix", counter("fine "));
    expect(await textOf("stillborn", "fix--stillborn")).toBe("fine 1");
  });

  it.each(["fork", "keep"] as const)("has its data back when a push with -o data=%s does not start", async (data) => {
    const app = `back-${data}`;
    await makeApp(app, 1);
    await pushBranch(app, "fix", counter("old "));
    await textOf(app, `fix--${app}`, "/add");
    const broken = counter(
      "",
      `if (env.SLIPWAY.deploy) ctx.blockConcurrencyWhile(async () => { await ctx.storage.put("count", 99); throw new Error("live only"); });`,
    );
    expect((await pushBranch(app, "fix", broken, { data })).kind).toBe("reverted");
    expect(await textOf(app, `fix--${app}`)).toBe("old 2");
    expect(await rowsOf(app)).toMatchObject([{ state: "alive", pending_data: null, backup: null }]);
  });

  it("goes with its branch, data and all", async () => {
    await makeApp("goes", 0);
    const { commit } = await pushBranch("goes", "fix", counter("fix "));
    await textOf("goes", "fix--goes", "/add");
    const supervisor = supervisorOf("goes");
    const slow = visitLabel("goes", "fix--goes", "/slow");
    const id = commit.previews[0]?.commitId ?? ZERO_ID;
    const state = await supervisor.openForPush();
    const gone = await supervisor.commit({
      repositoryId: state.repositoryId,
      commands: [command("refs/heads/fix", id, ZERO_ID)],
      atomic: false,
      checkedPackIds: [],
      nowMs: Date.now(),
    });
    expect(gone.ended).toEqual(["fix"]);
    expect((await slow).status).toBe(503);
    expect(await errorOf("goes", "fix--goes")).toBe("preview-not-found");
    await expect.poll(() => rowsOf("goes")).toEqual([]);
    await pushBranch("goes", "fix", counter("again "));
    expect(await textOf("goes", "fix--goes")).toBe("again 0");
  });

  it("keeps its branch's name to itself where two would have the same", async () => {
    await makeApp("collides", 0);
    await pushBranch("collides", "a/b", counter("first "));
    const { commit } = await pushBranch("collides", "a-b", counter("second "));
    const facet = commit.previews[0]?.facet ?? "";
    expect(facet).toMatch(/^preview:a-b-[0-9a-f]{6}$/);
    expect(await textOf("collides", "a-b--collides")).toBe("first 0");
    expect(await textOf("collides", `${facet.slice(8)}--collides`)).toBe("second 0");
  });

  it("is not left behind by a push that only stores its branch", async () => {
    await makeApp("left", 0);
    const { commit } = await pushBranch("left", "fix", counter("fix "));
    const supervisor = supervisorOf("left");
    const state = await supervisor.openForPush();
    const outcome = await supervisor.commit({
      repositoryId: state.repositoryId,
      commands: [command("refs/heads/fix", commit.previews[0]?.commitId ?? ZERO_ID, testId(99))],
      atomic: false,
      checkedPackIds: [],
      nowMs: Date.now(),
    });
    expect(outcome.results).toMatchObject([{ kind: "refused", code: "preview-exists" }]);
  });

  it("expires without requests, says so, and comes back", async () => {
    await makeApp("expires", 1);
    await pushBranch("expires", "fix", counter("fix "));
    await textOf("expires", "fix--expires", "/add");
    await age("expires", 6 * DAY_MS);
    expect(await textOf("expires", "fix--expires")).toBe("fix 2");
    await age("expires", 8 * DAY_MS);
    expect(await errorOf("expires", "fix--expires")).toBe("preview-expired");
    expect(await rowsOf("expires")).toMatchObject([{ branch: "fix", state: "expired" }]);
    expect((await supervisorOf("expires").readRepository())?.refs.length).toBe(2);
    const forked = await supervisorOf("expires").forkPreview("fix", "fork");
    expect(forked).toMatchObject({ kind: "forked", preview: { state: "alive", label: "fix--expires" } });
    expect(await textOf("expires", "fix--expires")).toBe("fix 1");
    await age("expires", 8 * DAY_MS);
    await pushBranch("expires", "fix", counter("new "));
    expect(await textOf("expires", "fix--expires")).toBe("new 1");
  });

  it.each([
    ["hibernates", "this.ctx.acceptWebSocket(pair[1]);"],
    ["the app holds itself", `pair[1].accept(); pair[1].addEventListener("message", () => pair[1].send("heard"));`],
  ])("is used by messages on a WebSocket that %s", async (_, accept) => {
    const app = accept.includes("acceptWebSocket") ? "socket-hibernates" : "socket-held";
    await makeApp(app, 0);
    const source = `${IMPORTS}
      export class App extends DurableObject {
        fetch(request) {
          const pair = new WebSocketPair();
          ${accept}
          return new Response(null, { status: 101, webSocket: pair[0] });
        }
        webSocketMessage(socket) { socket.send("heard"); }
      }`;
    await pushBranch(app, "fix", source);
    const supervisor = supervisorOf(app);
    const init = { headers: { upgrade: "websocket" } };
    const { webSocket } = await supervisor.fetch(`http://fix--${app}.localhost/`, init);
    webSocket?.accept();
    const say = async (): Promise<void> => {
      const heard = new Promise((resolve) => webSocket?.addEventListener("message", resolve, { once: true }));
      webSocket?.send("hello");
      await heard;
    };
    const usedAtMs = async () => (await supervisor.listPreviews())[0]?.usedAtMs ?? 0;
    const before = await usedAtMs();
    // A day later by the supervisor's clock.
    const { now } = Date;
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + DAY_MS);
    onTestFinished(() => clock.mockRestore());
    await say();
    await expect.poll(usedAtMs, { timeout: 10_000 }).toBeGreaterThan(before + DAY_MS / 2);
  });

  it("makes place for others, the least recently used first", async () => {
    await makeApp("crowded", 0);
    await supervisorOf("crowded").changeSettings({ maxPreviews: 2 });
    await pushBranch("crowded", "a", counter("a "));
    await pushBranch("crowded", "b", counter("b "));
    await runInDurableObject(supervisorOf("crowded"), (_, { storage }) => {
      storage.sql.exec("UPDATE environments SET used_at_ms = used_at_ms - 1000 WHERE branch = 'b'");
    });
    const { commit } = await pushBranch("crowded", "c", counter("c "));
    expect(commit.expired).toEqual(["b"]);
    expect(await errorOf("crowded", "b--crowded")).toBe("preview-expired");
    expect(await textOf("crowded", "a--crowded")).toBe("a 0");
    expect(await textOf("crowded", "c--crowded")).toBe("c 0");
  });
});

describe("forkPreview", () => {
  it("gives a preview a fresh copy of production's data", async () => {
    await makeApp("reforks", 0);
    await pushBranch("reforks", "fix", counter("fix "));
    await textOf("reforks", "fix--reforks", "/add");
    for (let at = 0; at < 3; at += 1) await visitText("reforks", "/add");
    expect((await supervisorOf("reforks").forkPreview("fix", "fork")).kind).toBe("forked");
    expect(await textOf("reforks", "fix--reforks")).toBe("fix 3");
    expect((await supervisorOf("reforks").forkPreview("fix", "empty")).kind).toBe("forked");
    expect(await textOf("reforks", "fix--reforks")).toBe("fix 0");
  });

  it("changes nothing where the code does not start on such data", async () => {
    await makeApp("picky", 0);
    const source = counter(
      "fix ",
      `ctx.blockConcurrencyWhile(async () => { if ((await ctx.storage.get("count")) === 2) throw new Error("two"); });`,
    );
    await pushBranch("picky", "fix", source);
    await textOf("picky", "fix--picky", "/add");
    for (let at = 0; at < 2; at += 1) await visitText("picky", "/add");
    expect((await supervisorOf("picky").forkPreview("fix", "fork")).kind).toBe("failed");
    expect(await textOf("picky", "fix--picky")).toBe("fix 1");
  });

  it("knows only branches that were deployed", async () => {
    await makeApp("knows-only", 0);
    const supervisor = supervisorOf("knows-only");
    expect(await supervisor.forkPreview("main", "fork")).toEqual({ kind: "not-deployed" });
    expect(await supervisor.forkPreview("nothing", "fork")).toEqual({ kind: "not-deployed" });
    expect(await supervisorOf("no-such-app").forkPreview("main", "fork")).toEqual({ kind: "not-deployed" });
  });
});

describe("deletePreview", () => {
  it("takes the preview and leaves the branch", async () => {
    await makeApp("deletes", 0);
    await pushBranch("deletes", "fix", counter("fix "));
    expect(await supervisorOf("deletes").deletePreview("fix")).toBe(true);
    expect(await supervisorOf("deletes").deletePreview("fix")).toBe(false);
    expect(await errorOf("deletes", "fix--deletes")).toBe("preview-not-found");
    expect(await supervisorOf("deletes").listPreviews()).toEqual([]);
    expect((await supervisorOf("deletes").readRepository())?.refs.length).toBe(2);
  });

  it("takes one that was committed and has not started, and its push hears of it", async () => {
    await makeApp("deletes-early", 0);
    const supervisor = supervisorOf("deletes-early");
    const onCommit = (): Promise<unknown> => supervisor.deletePreview("fix");
    expect((await pushBranch("deletes-early", "fix", counter("fix "), { onCommit })).kind).toBe("ended");
    expect(await errorOf("deletes-early", "fix--deletes-early")).toBe("preview-not-found");
    expect((await pushBranch("deletes-early", "fix", counter("fix "))).kind).toBe("live");
  });
});

describe("a deploy's own address", () => {
  it("shows that deploy's code on a copy of production's data", async () => {
    await makeApp("shows", 2);
    await deploy("shows", counter("second "));
    expect(await textOf("shows", "v1--shows", "/add")).toBe("main 3");
    expect(await textOf("shows", "v2--shows")).toBe("second 2");
    expect(await visitText("shows")).toBe("second 2");
    expect(await textOf("shows", "v1--shows")).toBe("main 3");
  });

  it("is given up when nobody looks any more", async () => {
    await makeApp("idle", 0);
    await textOf("idle", "v1--idle", "/add");
    await age("idle", 31 * 60_000);
    expect(await rowsOf("idle")).toEqual([]);
    expect(await textOf("idle", "v1--idle")).toBe("main 0");
  });

  it("is for deploys that there are, and a few at once", async () => {
    await makeApp("few", 0);
    expect(await errorOf("few", "v2--few")).toBe("deploy-not-found");
    expect(await errorOf("few", "v0--few")).toBe("preview-not-found");
    for (let at = 0; at < 5; at += 1) await deploy("few", counter(`${at} `));
    for (const number of [1, 2, 3, 4, 5]) expect((await visitLabel("few", `v${number}--few`)).status).toBe(200);
    expect(await errorOf("few", "v6--few")).toBe("app-busy");
    await runInDurableObject(supervisorOf("few"), (_, { storage }) => {
      storage.sql.exec("UPDATE environments SET used_at_ms = used_at_ms - 120000 WHERE facet = 'version:3'");
    });
    expect(await textOf("few", "v6--few")).toBe("4 0");
    const rows = await rowsOf("few");
    expect(rows.map(({ facet }) => facet)).toEqual([1, 2, 4, 5, 6].map((number) => `version:${number}`));
  });
});

describe("an address that nothing is behind", () => {
  it.each(["x--nobody", "v1--nobody", "nobody"])("%s writes nothing", async (label) => {
    expect(await errorOf("nobody", label)).toBe("app-not-found");
    const tables = await runInDurableObject(supervisorOf("nobody"), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});

describe("an app that is deleted", () => {
  it("takes its previews with it", async () => {
    await makeApp("removed", 0);
    await pushBranch("removed", "fix", counter("fix "));
    await textOf("removed", "fix--removed", "/add");
    await textOf("removed", "v1--removed", "/add");
    await supervisorOf("removed").destroy();
    expect(await errorOf("removed", "fix--removed")).toBe("app-not-found");
    await makeApp("removed", 0);
    await pushBranch("removed", "fix", counter("fix "));
    expect(await textOf("removed", "fix--removed")).toBe("fix 0");
  });
});
