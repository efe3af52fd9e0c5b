import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { DRAIN_LIMIT_MS } from "../../src/app/arrival.ts";
import type { Code } from "../../src/store/code.ts";
import {
  appSource,
  commitCode,
  commitRehearsed,
  deploy,
  IMPORTS,
  MAIN,
  makeCode,
  supervisorOf,
  visit,
  visitText,
} from "./deployment.ts";

/** Answers at once, after ?wait= ms, or with a body that takes its time. Counts every answer. */
const SLOW = (version: string) =>
  appSource(`    const url = new URL(request.url);
    if (url.pathname === "/stream") {
      const { readable, writable } = new IdentityTransformStream();
      const writer = writable.getWriter();
      const write = async () => {
        for (let at = 0; at < 4; at += 1) {
          await writer.write(new TextEncoder().encode("${version}"));
          await scheduler.wait(100);
        }
        await writer.close();
      };
      this.ctx.waitUntil(write());
      return new Response(readable);
    }
    await scheduler.wait(Number(url.searchParams.get("wait") ?? 0));
    this.ctx.storage.kv.put("count", (this.ctx.storage.kv.get("count") ?? 0) + 1);
    return new Response("${version} " + this.ctx.storage.kv.get("count"));`);

const BROKEN = `${IMPORTS}export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    throw new Error("not today");
  }
}
`;

/** Code in the supervisor's rows whose start fails: only a commit that skips its rehearsal's verdict gets it live. */
async function storeBroken(app: string, note = ""): Promise<Code> {
  const code = makeCode(`${BROKEN}// ${note}\n`);
  const outcome = await supervisorOf(app).rehearse({ code, varsJson: "{}" });
  expect(outcome.kind).toBe("failed");
  return code;
}

async function mainId(app: string) {
  return (await supervisorOf(app).readRepository())?.refs.find((row) => row.name === MAIN)?.id;
}

describe("a cutover", () => {
  it("lets running requests end on the old version and gives later ones the new", async () => {
    await deploy("drains", SLOW("old"));
    const running = [visitText("drains", "/?wait=300"), visitText("drains", "/?wait=300")];
    await scheduler.wait(50);
    const commit = await commitCode("drains", makeCode(SLOW("new")));
    const during = [visitText("drains"), visitText("drains")];
    const cutover = await supervisorOf("drains").cutOver(commit.deploy?.number ?? 0);
    expect(cutover).toMatchObject({ kind: "live", drainedCount: 2, droppedCount: 0 });
    expect(cutover.kind === "live" && cutover.longestHoldMs).toBeGreaterThan(100);
    expect((await Promise.all(running)).map((text) => text.split(" ")[0])).toEqual(["old", "old"]);
    expect(await Promise.all(during)).toEqual(["new 3", "new 4"]);
  });

  it("lets the body of a running answer end", async () => {
    await deploy("streams", SLOW("old"));
    const response = await visit("streams", "/stream");
    const [text, second] = await Promise.all([response.text(), deploy("streams", SLOW("new"))]);
    expect(text).toBe("oldoldoldold");
    expect(second.cutover).toMatchObject({ kind: "live", droppedCount: 0 });
  });

  it(
    "answers 503 where a request does not end in time",
    async () => {
      await deploy("stuck", SLOW("old"));
      const stuck = visit("stuck", "/?wait=60000");
      await scheduler.wait(50);
      const { cutover } = await deploy("stuck", SLOW("new"));
      expect(cutover).toMatchObject({ kind: "live", droppedCount: 1 });
      const response = await stuck;
      expect([response.status, response.headers.get("slipway-error"), response.headers.get("retry-after")]).toEqual([
        503,
        "app-busy",
        "1",
      ]);
      expect(await visitText("stuck")).toBe("new 1");
    },
    DRAIN_LIMIT_MS * 3,
  );

  it("ends event streams in order and without waiting, since they connect again by themselves", async () => {
    await deploy(
      "events",
      appSource(`    const { readable, writable } = new IdentityTransformStream();
    this.ctx.waitUntil(writable.getWriter().write(new TextEncoder().encode("data: 1\\n\\n")));
    return new Response(readable, { headers: { "content-type": "text/event-stream" } });`),
    );
    const reader = (await visit("events")).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("data: 1\n\n");
    const { cutover } = await deploy("events", SLOW("new"));
    expect(cutover).toMatchObject({ kind: "live", droppedCount: 0 });
    expect(cutover.kind === "live" && cutover.tookMs).toBeLessThan(DRAIN_LIMIT_MS / 2);
    expect((await reader?.read())?.done).toBe(true);
  });

  it("breaks an answer off that does not end in time, so that nobody takes a part for the whole", async () => {
    await deploy(
      "endless",
      appSource(`    const { readable, writable } = new IdentityTransformStream();
    this.ctx.waitUntil(writable.getWriter().write(new TextEncoder().encode("some")));
    return new Response(readable);`),
    );
    const reader = (await visit("endless")).body?.getReader();
    await reader?.read();
    expect((await deploy("endless", SLOW("new"))).cutover).toMatchObject({ kind: "live", droppedCount: 1 });
    await expect(reader?.read()).rejects.toThrow();
  });

  it("holds a request with a large body, which the new version reads whole", async () => {
    await deploy("uploads", SLOW("old"));
    const running = visitText("uploads", "/?wait=300");
    await scheduler.wait(50);
    const upload = appSource(`    return new Response(String((await request.arrayBuffer()).byteLength));`);
    const commit = await commitCode("uploads", makeCode(upload));
    const held = visit("uploads", "/", { method: "POST", body: new Uint8Array(5_000_000) });
    const cutover = await supervisorOf("uploads").cutOver(commit.deploy?.number ?? 0);
    expect(cutover).toMatchObject({ kind: "live", drainedCount: 1, droppedCount: 0, turnedAwayCount: 0 });
    expect(await running).toBe("old 1");
    expect(await (await held).text()).toBe("5000000");
  });

  it("lets the old version finish what is in waitUntil, and calls its onRedeploy", async () => {
    const app = "last-words";
    await deploy(
      app,
      `${IMPORTS}export class App extends DurableObject {
  fetch(request) {
    this.ctx.waitUntil(scheduler.wait(200).then(() => this.ctx.storage.kv.put("after", "written")));
    this.inMemory = "kept";
    return new Response("begun");
  }
  async onRedeploy() {
    await scheduler.wait(10);
    this.ctx.storage.kv.put("flushed", this.inMemory);
  }
}
`,
    );
    expect(await visitText(app)).toBe("begun");
    const next = appSource(
      `    return Response.json([this.ctx.storage.kv.get("after"), this.ctx.storage.kv.get("flushed")]);`,
    );
    await deploy(app, next);
    expect(JSON.parse(await visitText(app))).toEqual(["written", "kept"]);
  });

  it.each([
    ["hangs", `onRedeploy() { return new Promise(() => undefined); }`],
    ["throws", `onRedeploy() { throw new Error("no"); }`],
    ["is no function", `onRedeploy = 5;`],
  ])("goes on where onRedeploy %s", async (name, member) => {
    const app = `redeploy-${name.replaceAll(" ", "-")}`;
    await deploy(
      app,
      `${IMPORTS}export class App extends DurableObject {
  fetch() { return new Response("old"); }
  ${member}
}
`,
    );
    expect(await visitText(app)).toBe("old");
    expect((await deploy(app, SLOW("new"))).cutover).toMatchObject({ kind: "live", droppedCount: 0 });
    expect(await visitText(app)).toBe("new 1");
  });

  it("counts a request whose visitor went away as ended", async () => {
    await deploy("left", SLOW("old"));
    const response = await visit("left", "/stream");
    await response.body?.cancel();
    const { cutover } = await deploy("left", SLOW("new"));
    expect(cutover).toMatchObject({ kind: "live", droppedCount: 0 });
  });

  it("loses no request and no write under load", async () => {
    const app = "loaded";
    await deploy(app, SLOW("0"));
    const load = new AbortController();
    const counts: number[] = [];
    const client = async () => {
      while (!load.signal.aborted) {
        const response = await visit(app, "/?wait=2");
        expect(response.status).toBe(200);
        counts.push(Number((await response.text()).split(" ")[1]));
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (let turn = 1; turn <= 5; turn += 1) await deploy(app, SLOW(String(turn)));
    load.abort();
    await Promise.all(clients);
    const writes = Number((await visitText(app)).split(" ")[1]) - 1;
    expect(Math.max(...counts)).toBe(writes);
    expect(counts).toHaveLength(writes);
  });
});

describe("a commit without its cutover", () => {
  it("is made good by the next request", async () => {
    await deploy("healed", SLOW("old"));
    const commit = await commitCode("healed", makeCode(SLOW("new")));
    expect(await visitText("healed")).toBe("new 1");
    expect(await supervisorOf("healed").cutOver(commit.deploy?.number ?? 0)).toMatchObject({ kind: "live" });
  });

  it("is made good by the next request to a supervisor that was started anew", async () => {
    await deploy("restarted", SLOW("old"));
    await commitCode("restarted", makeCode(SLOW("new")));
    await evictDurableObject(supervisorOf("restarted"));
    expect(await visitText("restarted")).toBe("new 1");
  });

  it("gives way to the deploy after it", async () => {
    await deploy("overtaken", SLOW("old"));
    const first = makeCode(SLOW("first"));
    const second = makeCode(SLOW("second"));
    const supervisor = supervisorOf("overtaken");
    for (const code of [first, second]) await supervisor.rehearse({ code, varsJson: "{}" });
    // The supervisor reads both before it gets to the cutover of the first.
    const [one, two] = [
      await commitRehearsed("overtaken", first.codeId, { oldId: await mainId("overtaken") }),
      await commitRehearsed("overtaken", second.codeId, { oldId: await mainId("overtaken") }),
    ];
    expect(await supervisor.cutOver(two.deploy?.number ?? 0)).toMatchObject({ kind: "live" });
    expect(await supervisor.cutOver(one.deploy?.number ?? 0)).toEqual({ kind: "superseded", byDeployNumber: 3 });
    expect(await visitText("overtaken")).toBe("second 1");
  });
});

describe("a version that does not start after all", () => {
  it("goes back to the version before, with its ref and its data", async () => {
    await deploy("undone", SLOW("old"));
    expect(await visitText("undone")).toBe("old 1");
    const before = await mainId("undone");
    const broken = await storeBroken("undone");
    const commit = await commitRehearsed("undone", broken.codeId, { oldId: before });
    expect(await mainId("undone")).not.toBe(before);
    const outcome = await supervisorOf("undone").cutOver(commit.deploy?.number ?? 0);
    expect(outcome).toMatchObject({
      kind: "reverted",
      liveDeployNumber: 1,
      failure: { code: "start-failed", phase: "constructor", exception: { message: "not today" } },
    });
    expect(await mainId("undone")).toBe(before);
    expect(await visitText("undone")).toBe("old 2");
    expect((await supervisorOf("undone").describe())?.live?.number).toBe(1);
  });

  it("answers the requests that waited with the version before", async () => {
    await deploy("undone-held", SLOW("old"));
    const broken = await storeBroken("undone-held");
    await commitRehearsed("undone-held", broken.codeId, { oldId: await mainId("undone-held") });
    expect(await visitText("undone-held")).toBe("old 1");
  });

  it("takes the branch away again if it was the first deploy", async () => {
    await supervisorOf("undone-first").openForPush();
    const broken = await storeBroken("undone-first");
    const commit = await commitRehearsed("undone-first", broken.codeId);
    expect(await supervisorOf("undone-first").cutOver(commit.deploy?.number ?? 0)).toMatchObject({
      kind: "reverted",
      liveDeployNumber: undefined,
    });
    expect(await supervisorOf("undone-first").readRepository()).toMatchObject({ head: undefined, refs: [] });
    expect((await visit("undone-first")).headers.get("slipway-error")).toBe("app-not-deployed");
    expect((await deploy("undone-first", SLOW("good"))).cutover.kind).toBe("live");
  });

  it("goes back past every version that failed", async () => {
    await deploy("undone-twice", SLOW("old"));
    const before = await mainId("undone-twice");
    const one = await storeBroken("undone-twice", "one");
    const two = await storeBroken("undone-twice", "two");
    await commitRehearsed("undone-twice", one.codeId, { oldId: before });
    const last = await commitRehearsed("undone-twice", two.codeId, { oldId: await mainId("undone-twice") });
    expect(await supervisorOf("undone-twice").cutOver(last.deploy?.number ?? 0)).toMatchObject({ kind: "reverted" });
    expect(await visitText("undone-twice")).toBe("old 1");
    expect(await mainId("undone-twice")).toBe(before);
  });
});
