import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { AttemptEnd } from "../../src/store/attempts.ts";
import { openDatabase } from "../../src/store/database.ts";
import { writeRetention } from "../../src/store/retention.ts";
import { appSource, commitRehearsed, deploy, MAIN, makeCode, supervisorOf, testId } from "./deployment.ts";

const SOURCE = appSource(`    return new Response("fine");`);

const FAILED: AttemptEnd = {
  outcome: "failed",
  subject: "Break it",
  failure: { stage: "build", code: "syntax-error", reason: "syntax-error: src/index.ts:1:1: no" },
  factsJson: '{"stagesMs":{"build":3}}',
};

function attempt(app: string) {
  return supervisorOf(app).openAttempt({ kind: "push", ref: MAIN, commitId: testId(5), actor: "ada" });
}

async function failAttempt(app: string): Promise<number> {
  const number = await attempt(app);
  if (number === undefined) throw new Error("There is no history.");
  await supervisorOf(app).closeAttempt(number, FAILED);
  return number;
}

describe("an attempt", () => {
  it("takes its number from the deploys' sequence and is listed with why it failed", async () => {
    await deploy("sequence", SOURCE);
    expect(await failAttempt("sequence")).toBe(2);
    const { commit } = await deploy("sequence", SOURCE);
    expect(commit.deploy?.number).toBe(3);
    const history = await supervisorOf("sequence").listHistory({ limit: 9 });
    expect(history.map(({ attempt: { number }, state }) => [number, state])).toEqual([
      [3, "live"],
      [2, "failed"],
      [1, "started"],
    ]);
    expect(history[1]?.attempt).toMatchObject({ actor: "ada", commitId: testId(5), end: FAILED });
  });

  it("is running until it ends", async () => {
    await deploy("running", SOURCE);
    const number = await attempt("running");
    expect((await supervisorOf("running").findHistoryEntry(number ?? 0))?.state).toBe("running");
    await runInDurableObject(supervisorOf("running"), (_, { storage }) => {
      storage.sql.exec("UPDATE attempts SET began_at_ms = 1 WHERE number = ?", number ?? 0);
    });
    expect((await supervisorOf("running").findHistoryEntry(number ?? 0))?.state).toBe("interrupted");
  });

  it("is there for an app that it did not come to make", async () => {
    await supervisorOf("unborn").openForPush();
    expect(await failAttempt("unborn")).toBe(1);
    expect((await supervisorOf("unborn").findHistoryEntry(1))?.state).toBe("failed");
  });

  it("keeps a log of any length in order", async () => {
    await deploy("logged", SOURCE);
    const number = (await attempt("logged")) ?? 0;
    const long = "ü".repeat(1_200_000);
    await supervisorOf("logged").logAttempt(number, "first\n");
    await supervisorOf("logged").logAttempt(number, long);
    let text = "";
    let position = 0;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- each piece begins behind the one before
      const chunk = await supervisorOf("logged").readLog(number, position);
      if (chunk === undefined) break;
      position = chunk.position;
      text += chunk.text;
    }
    expect(text === `first\n${long}`).toBe(true);
  });

  it("refuses its deploy where a later one was committed meanwhile", async () => {
    const app = "outrun";
    await deploy(app, SOURCE);
    const number = await attempt(app);
    await deploy(app, SOURCE);
    const { refs, repositoryId } = await supervisorOf(app).openForPush();
    const id = makeCode(SOURCE).codeId;
    const outcome = await supervisorOf(app).commit({
      repositoryId,
      commands: [{ name: MAIN, oldId: refs[0]!.id, newId: testId(8) }],
      atomic: false,
      checkedPackIds: [],
      deploy: { number, ref: MAIN, commitId: testId(8), treeId: testId(7), subject: "", codeId: id, varsJson: "{}" },
      nowMs: Date.now(),
    });
    expect(outcome).toMatchObject({ results: [{ kind: "refused", code: "ref-stale" }] });
    expect(outcome.deploy).toBeUndefined();
  });
});

describe("the history", () => {
  it("keeps so many attempts, and what is live, was live before, or has its data kept", async () => {
    const app = "retained";
    for (let turn = 0; turn < 4; turn += 1) await deploy(app, appSource(`    return new Response("v${turn}");`));
    await runInDurableObject(supervisorOf(app), (_, { storage }) =>
      writeRetention(openDatabase(storage), { keptDeploys: 2, keptSnapshots: 1 }),
    );
    await supervisorOf(app).tidySnapshots(4);
    for (let turn = 5; turn <= 8; turn += 1) await failAttempt(app);
    const numbers = (await supervisorOf(app).listHistory({ limit: 50 })).map(({ attempt: { number } }) => number);
    expect(numbers).toEqual([8, 7, 4, 3]);
    await runInDurableObject(supervisorOf(app), (_, { storage }) => {
      const codes = storage.sql.exec("SELECT DISTINCT code_id FROM deploys").toArray();
      expect(codes).toHaveLength(2);
    });
    const { refs } = await supervisorOf(app).openForPush();
    await commitRehearsed(app, makeCode(appSource(`    return new Response("v3");`)).codeId, { oldId: refs[0]?.id });
    expect((await supervisorOf(app).findHistoryEntry(9))?.deploy?.previous).toMatchObject({ number: 4 });
  });
});
