import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import { writeRetention } from "../../src/store/retention.ts";
import { START_LIMIT_MS } from "../../src/app/facet-start.ts";
import type { RehearsalOutcome } from "../../src/app/rehearsal.ts";
import type { Code } from "../../src/store/code.ts";
import { appSource, deploy, IMPORTS, makeCode, supervisorOf, visitText } from "./deployment.ts";

const ANSWER = appSource(`    return new Response("fine");`);

/** An app whose constructor runs `body`. */
function constructing(body: string): string {
  return `${IMPORTS}export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ${body}
  }
  fetch() {
    return new Response("fine");
  }
}
`;
}

async function rehearse(app: string, source: string, overrides: Partial<Code> = {}): Promise<RehearsalOutcome> {
  const supervisor = supervisorOf(app);
  await supervisor.openForPush();
  return supervisor.rehearse({ code: makeCode(source, overrides), varsJson: '{"GREETING":"hello"}' });
}

describe("a rehearsal", () => {
  it("says what the entry module exports", async () => {
    const outcome = await rehearse("exports", `${ANSWER}export default { fetch() {} };`);
    expect(outcome).toMatchObject({ kind: "started", data: "empty" });
    expect(outcome.kind === "started" && outcome.exports.map((fact) => fact.name).toSorted()).toEqual([
      "App",
      "default",
    ]);
  });

  it("gives the app its variables", async () => {
    expect(await rehearse("vars", constructing("throw new Error(env.GREETING);"))).toMatchObject({
      exception: { name: "Error", message: "hello" },
    });
  });

  it("runs on a copy of the data and leaves the data as it was", async () => {
    const counter = appSource(`    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return new Response(String(count));`);
    await deploy("copied", counter);
    expect(await visitText("copied")).toBe("1");
    const meddler = constructing(
      `const count = ctx.storage.kv.get("count"); ctx.storage.kv.put("count", 99); throw new Error("saw " + count);`,
    );
    for (let turn = 0; turn < 2; turn += 1) {
      const outcome = await rehearse("copied", meddler);
      expect(outcome).toMatchObject({ kind: "failed", data: "copy", exception: { message: "saw 1" } });
    }
    expect(await visitText("copied")).toBe("2");
  });

  it("says what the constructor changes in the schema", async () => {
    const table = "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT)";
    const old = `ctx.storage.sql.exec("${table}; CREATE INDEX IF NOT EXISTS by_name ON items (name)");`;
    await deploy("schema", constructing(old));
    expect(await visitText("schema")).toBe("fine");
    expect(await rehearse("schema", constructing(old))).toMatchObject({ data: "copy", schemaChanges: [] });
    const change = `ALTER TABLE items ADD COLUMN done INTEGER; CREATE TABLE notes (id INTEGER); DROP INDEX by_name`;
    expect(await rehearse("schema", constructing(`ctx.storage.sql.exec("${change}");`))).toMatchObject({
      kind: "started",
      schemaChanges: ["+ column items.done", "+ table notes", "- index by_name"],
    });
  });

  it("does without data that is too large to copy, and says so", async () => {
    await deploy("too-large", constructing(`ctx.storage.kv.put("a", 1);`));
    await visitText("too-large");
    await deploy("too-large", ANSWER);
    await supervisorOf("too-large").tidySnapshots(2);
    await runInDurableObject(supervisorOf("too-large"), (_, { storage }) =>
      writeRetention(openDatabase(storage), { rehearsedBytes: 1 }),
    );
    const outcome = await rehearse("too-large", constructing(`if (ctx.storage.kv.get("a")) throw new Error("data");`));
    expect(outcome).toMatchObject({ kind: "started", data: "empty", tooLargeBytes: expect.any(Number) });
  });

  it("sees how large the data of an app that runs has become", async () => {
    const app = "grown";
    await deploy(app, appSource(`this.ctx.storage.kv.put("a", "x".repeat(1e6)); return new Response("grown");`));
    await runInDurableObject(supervisorOf(app), (_, { storage }) =>
      writeRetention(openDatabase(storage), { rehearsedBytes: 500_000 }),
    );
    expect(await rehearse(app, ANSWER)).toMatchObject({ kind: "started", data: "copy" });
    expect(await visitText(app)).toBe("grown");
    const outcome = await rehearse(app, ANSWER);
    expect(outcome).toMatchObject({ kind: "started", data: "empty" });
    expect(outcome.kind === "started" && outcome.tooLargeBytes).toBeGreaterThan(1_000_000);
  });

  it("leaves nothing for the next one", async () => {
    const marker = `const seen = ctx.storage.kv.get("seen"); ctx.storage.kv.put("seen", 1); if (seen) throw new Error("left");`;
    expect((await rehearse("clean", constructing(marker))).kind).toBe("started");
    expect((await rehearse("clean", constructing(marker))).kind).toBe("started");
  });

  it("blocks the network", async () => {
    const outcome = await rehearse(
      "egress",
      constructing(`ctx.blockConcurrencyWhile(async () => { await fetch("http://example.com/"); });`),
    );
    expect(outcome).toMatchObject({ kind: "failed", code: "start-failed", phase: "constructor" });
    expect(outcome.kind === "failed" && outcome.reason).toContain("not permitted to access the internet");
  });

  it("can be tried again at once after a failure", async () => {
    expect((await rehearse("retried", constructing(`throw new Error("no");`))).kind).toBe("failed");
    expect((await rehearse("retried", ANSWER)).kind).toBe("started");
  });

  it("takes one at a time", async () => {
    const slow = constructing(`ctx.blockConcurrencyWhile(async () => {
      if (ctx.storage.kv.get("busy")) throw new Error("two at once");
      ctx.storage.kv.put("busy", true);
      await scheduler.wait(50);
      ctx.storage.kv.put("busy", false);
    });`);
    const outcomes = await Promise.all([rehearse("queued", slow), rehearse("queued", slow), rehearse("queued", slow)]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(["started", "started", "started"]);
  });
});

describe("a rehearsal that fails", () => {
  it("names the place of a throw at module scope", async () => {
    const outcome = await rehearse(
      "module-scope",
      `const settings = null;\nexport const port = settings.port;\n${ANSWER}`,
    );
    expect(outcome).toMatchObject({
      kind: "failed",
      code: "start-failed",
      phase: "module scope",
      exception: { name: "TypeError" },
      frames: [{ path: "src/index.ts", line: 2, lineText: "export const port = settings.port;" }],
    });
  });

  it("names the place of a throw in the constructor", async () => {
    const outcome = await rehearse("constructor", constructing("env.MISSING.length;"));
    expect(outcome).toMatchObject({
      code: "start-failed",
      phase: "constructor",
      exception: { name: "TypeError" },
      frames: [{ functionName: "new App", path: "src/index.ts", line: 5 }],
    });
  });

  it("names the place of a throw in blockConcurrencyWhile, where migrations run", async () => {
    const outcome = await rehearse(
      "migration",
      constructing(
        `ctx.blockConcurrencyWhile(async () => {\n      ctx.storage.sql.exec("SELECT * FROM missing");\n    });`,
      ),
    );
    expect(outcome).toMatchObject({
      code: "start-failed",
      phase: "constructor",
      frames: [{ path: "src/index.ts", line: 6 }],
    });
    expect(outcome.kind === "failed" && outcome.reason).toContain("no such table: missing");
  });

  it("tells of values that are thrown and are no errors", async () => {
    expect(await rehearse("odd-throw", constructing(`throw "just text";`))).toMatchObject({
      exception: { name: "", message: "just text" },
      frames: [],
    });
  });

  it.each([
    ["a plain class", "export class App { fetch() {} }", "a class that does not extend DurableObject"],
    ["a function", "export function App() {}", "a function"],
    ["an object", "export const App = { fetch() {} };", "an object with fetch"],
  ])("says what App is if it is %s", async (_, source, words) => {
    const outcome = await rehearse("wrong-kind", source);
    expect(outcome).toMatchObject({ kind: "failed", code: "export-wrong-kind", phase: "export" });
    expect(outcome.kind === "failed" && outcome.reason).toContain(words);
  });

  it.each([
    ["date", { compatibilityDate: "2199-01-01" }],
    ["flag", { compatibilityFlags: ["no_such_flag"] }],
  ])("says that the runtime does not have a compatibility %s", async (_, overrides) => {
    expect(await rehearse("incompatible", ANSWER, overrides)).toMatchObject({
      code: "config-unsupported",
      phase: "load",
    });
  });

  it(
    "gives up on a constructor that never ends",
    async () => {
      const endless = constructing("ctx.blockConcurrencyWhile(() => new Promise(() => setInterval(() => {}, 1000)));");
      const begunMs = Date.now();
      expect(await rehearse("endless", endless)).toMatchObject({ code: "start-timeout" });
      expect(Date.now() - begunMs).toBeLessThan(START_LIMIT_MS + 2000);
      expect((await rehearse("endless", ANSWER)).kind).toBe("started");
    },
    START_LIMIT_MS + 5000,
  );

  it("leaves the live version as it was", async () => {
    await deploy("untouched", ANSWER);
    await rehearse("untouched", constructing(`throw new Error("no");`));
    expect(await visitText("untouched")).toBe("fine");
    expect((await supervisorOf("untouched").describe())?.live?.number).toBe(1);
  });
});
