import { describe, expect, it } from "vitest";
import type { CommitOutcome } from "../../src/app/commit.ts";
import { ZERO_ID } from "../../src/git/object-id.ts";
import type { RefCommand } from "../../src/store/refs.ts";
import { appSource, command, makeCode, MAIN, ref, supervisorOf, testId, visitText } from "./deployment.ts";

interface Push {
  readonly atomic?: boolean;
  readonly packId?: string;
}

async function push(
  app: string,
  commands: readonly RefCommand[],
  { atomic = false, packId }: Push = {},
): Promise<CommitOutcome> {
  const supervisor = supervisorOf(app);
  const { repositoryId } = await supervisor.openForPush();
  const pack = packId === undefined ? undefined : { packId, objectCount: 3, packBytes: 500, createdAtMs: 5 };
  return supervisor.commit({ repositoryId, commands, atomic, pack, checkedPackIds: [], nowMs: 1000 });
}

/** "ok" or the code, in the order of the commands. */
function codes(outcome: CommitOutcome): string[] {
  return outcome.results.map((result) => (result.kind === "ok" ? "ok" : result.code));
}

async function refNames(app: string): Promise<string[]> {
  return ((await supervisorOf(app).readRepository())?.refs ?? []).map((row) => row.name);
}

describe("a first push", () => {
  it("makes the app, with its pack, its refs by name and what tags name in the end", async () => {
    expect(await supervisorOf("first").readRepository()).toBeUndefined();
    const tag: RefCommand = { ...command("refs/tags/v1", ZERO_ID, testId(2)), peeledId: testId(1) };
    const outcome = await push("first", [tag, command(MAIN, ZERO_ID, testId(1))], { packId: "p" });
    expect(outcome).toMatchObject({ head: MAIN, isNewApp: true });
    const state = await supervisorOf("first").readRepository();
    expect(state).toMatchObject({ head: MAIN, settings: { deploy: true } });
    expect(state?.refs).toEqual([
      { name: MAIN, id: testId(1) },
      { name: ref("refs/tags/v1"), id: testId(2), peeledId: testId(1) },
    ]);
    expect(state?.packs).toEqual([{ packId: "p", objectCount: 3, packBytes: 500, createdAtMs: 5 }]);
  });

  it("makes no app if every ref is refused", async () => {
    expect(codes(await push("refused", [command(MAIN, testId(9), testId(1))], { packId: "p" }))).toEqual(["ref-stale"]);
    expect(await supervisorOf("refused").readRepository()).toBeUndefined();
  });

  it.each([
    ["main", ["refs/heads/dev", "refs/heads/main", "refs/heads/master"]],
    ["master", ["refs/heads/dev", "refs/heads/master"]],
    ["dev", ["refs/tags/a", "refs/heads/dev", "refs/heads/zoo"]],
  ])("makes %s the production branch of %j", async (expected, names) => {
    const outcome = await push(
      `head-${expected}`,
      names.map((name) => command(name, ZERO_ID, testId(1))),
    );
    expect(outcome.head).toBe(`refs/heads/${expected}`);
  });

  it("of tags alone leaves the production branch open", async () => {
    expect((await push("tags", [command("refs/tags/a", ZERO_ID, testId(1))])).head).toBeUndefined();
    expect((await push("tags", [command("refs/heads/dev", ZERO_ID, testId(1))])).head).toBe("refs/heads/dev");
  });
});

describe("a ref", () => {
  it("moves only from where the push thinks it is", async () => {
    await push("stale", [command(MAIN, ZERO_ID, testId(1))]);
    expect(codes(await push("stale", [command(MAIN, ZERO_ID, testId(2))]))).toEqual(["ref-stale"]);
    expect(codes(await push("stale", [command(MAIN, testId(2), testId(3))]))).toEqual(["ref-stale"]);
    expect(codes(await push("stale", [command(MAIN, testId(1), testId(2))]))).toEqual(["ok"]);
    expect(codes(await push("stale", [command("refs/heads/none", testId(1), ZERO_ID)]))).toEqual(["ref-stale"]);
  });

  it("is moved by one of two pushes that saw the same", async () => {
    await push("race", [command(MAIN, ZERO_ID, testId(1))]);
    const outcomes = await Promise.all([2, 3, 4].map((id) => push("race", [command(MAIN, testId(1), testId(id))])));
    expect(outcomes.flatMap(codes).toSorted()).toEqual(["ok", "ref-stale", "ref-stale"]);
  });

  it.each<[string, readonly string[], string]>([
    ["below one that exists", ["refs/heads/a"], "refs/heads/a/b"],
    ["deep below one that exists", ["refs/heads/a"], "refs/heads/a/b/c/d"],
    ["above one that exists", ["refs/heads/a/b/c"], "refs/heads/a"],
    ["above many that exist", ["refs/heads/a/b", "refs/heads/a-b", "refs/heads/a.b"], "refs/heads/a"],
  ])("is not created %s", async (name, existing, created) => {
    const app = `conflict-${name.replaceAll(" ", "-")}`;
    await push(
      app,
      existing.map((existingName) => command(existingName, ZERO_ID, testId(1))),
    );
    expect(codes(await push(app, [command(created, ZERO_ID, testId(1))]))).toEqual(["ref-conflict"]);
  });

  it("is created beside names that only begin alike", async () => {
    await push("alike", [command("refs/heads/a-b", ZERO_ID, testId(1)), command("refs/heads/a0", ZERO_ID, testId(1))]);
    const created = ["refs/heads/a", "refs/heads/a.b/c", "refs/heads/ab"].map((name) =>
      command(name, ZERO_ID, testId(1)),
    );
    expect(codes(await push("alike", created))).toEqual(["ok", "ok", "ok"]);
  });

  it("conflicts with another of the same push", async () => {
    const commands = ["refs/heads/x", "refs/heads/x/y"].map((name) => command(name, ZERO_ID, testId(1)));
    expect(codes(await push("within", commands))).toEqual(["ok", "ref-conflict"]);
  });

  it("makes way for another in one push", async () => {
    await push("way", [command(MAIN, ZERO_ID, testId(1)), command("refs/heads/x", ZERO_ID, testId(1))]);
    const commands = [command("refs/heads/x/y", ZERO_ID, testId(2)), command("refs/heads/x", testId(1), ZERO_ID)];
    expect(codes(await push("way", commands))).toEqual(["ok", "ok"]);
    expect(await refNames("way")).toEqual([MAIN, "refs/heads/x/y"]);
  });

  it("is not deleted if it is the production branch", async () => {
    await push("protected", [command(MAIN, ZERO_ID, testId(1))]);
    expect(codes(await push("protected", [command(MAIN, testId(1), ZERO_ID)]))).toEqual(["branch-protected"]);
    expect(await refNames("protected")).toEqual([MAIN]);
  });
});

describe("a push of several refs", () => {
  it("moves those that can, and says of each what became of it", async () => {
    await push("several", [command(MAIN, ZERO_ID, testId(1))]);
    const commands = [command("refs/heads/a", ZERO_ID, testId(2)), command(MAIN, testId(5), testId(2))];
    expect(codes(await push("several", commands, { packId: "q" }))).toEqual(["ok", "ref-stale"]);
    expect((await supervisorOf("several").readRepository())?.packs).toHaveLength(1);
  });

  it("moves none if it is atomic and one is refused", async () => {
    await push("atomic", [command(MAIN, ZERO_ID, testId(1))]);
    const commands = [
      command("refs/heads/a", ZERO_ID, testId(2)),
      command(MAIN, testId(5), testId(2)),
      command("refs/heads/b", ZERO_ID, testId(2)),
    ];
    const outcome = await push("atomic", commands, { atomic: true, packId: "q" });
    expect(codes(outcome)).toEqual(["ref-refused", "ref-stale", "ref-refused"]);
    expect(await refNames("atomic")).toEqual([MAIN]);
    expect((await supervisorOf("atomic").readRepository())?.packs).toEqual([]);
  });
});

describe("a deploy in a push", () => {
  const code = makeCode(appSource(`    return new Response("deployed");`));

  async function deployTo(app: string, commands: readonly RefCommand[], deployed: RefCommand): Promise<CommitOutcome> {
    const supervisor = supervisorOf(app);
    const { repositoryId } = await supervisor.openForPush();
    await supervisor.rehearse({ code, varsJson: "{}" });
    const facts = { entry: "src/index.ts", className: "App", moduleCount: 1, sourceBytes: 10, bundleBytes: 20 };
    return supervisor.commit({
      repositoryId,
      commands,
      atomic: false,
      checkedPackIds: [],
      deploy: {
        ref: deployed.name,
        commitId: deployed.newId,
        treeId: testId(50),
        subject: "Begin",
        codeId: code.codeId,
        varsJson: "{}",
      },
      build: { buildKey: "tree and builder", facts },
      nowMs: 1000,
    });
  }

  it("is not made if its ref is refused", async () => {
    await push("no-deploy", [command(MAIN, ZERO_ID, testId(1))]);
    const stale = command(MAIN, testId(9), testId(2));
    const outcome = await deployTo("no-deploy", [command("refs/heads/a", ZERO_ID, testId(2)), stale], stale);
    expect(codes(outcome)).toEqual(["ok", "ref-stale"]);
    expect(outcome.deploy).toBeUndefined();
    expect(await supervisorOf("no-deploy").listHistory({ limit: 10 })).toEqual([]);
  });

  it("is refused where another branch has become the production branch meanwhile", async () => {
    await push("late-branch", [command("refs/heads/trunk", ZERO_ID, testId(1))]);
    const main = command(MAIN, ZERO_ID, testId(2));
    expect(codes(await deployTo("late-branch", [main], main))).toEqual(["branch-not-deployed"]);
  });

  it("is remembered with its build, and found by the build's key", async () => {
    const main = command(MAIN, ZERO_ID, testId(2));
    const outcome = await deployTo("builds", [main], main);
    expect(outcome.deploy).toMatchObject({ number: 1, commitId: testId(2), subject: "Begin", refBefore: ZERO_ID });
    expect(await supervisorOf("builds").findBuild("tree and builder")).toMatchObject({
      codeId: code.codeId,
      deployNumber: 1,
      varsJson: "{}",
      facts: { className: "App" },
    });
    expect(await supervisorOf("builds").findBuild("another")).toBeUndefined();
    expect(await visitText("builds")).toBe("deployed");
  });

  it("is listed newest first, page by page", async () => {
    for (let number = 1; number <= 3; number += 1) {
      const main = command(MAIN, number === 1 ? ZERO_ID : testId(number - 1), testId(number));
      await deployTo("history", [main], main);
    }
    const supervisor = supervisorOf("history");
    expect((await supervisor.listHistory({ limit: 2 })).map(({ attempt }) => attempt.number)).toEqual([3, 2]);
    expect((await supervisor.listHistory({ limit: 2, before: 2 })).map(({ attempt }) => attempt.number)).toEqual([1]);
  });
});

describe("a push to an app that was deleted meanwhile", () => {
  it("is refused", async () => {
    await push("deleted", [command(MAIN, ZERO_ID, testId(1))]);
    const supervisor = supervisorOf("deleted");
    const { repositoryId } = await supervisor.openForPush();
    await supervisor.destroy();
    const commands = [command(MAIN, testId(1), testId(2))];
    expect(
      codes(await supervisor.commit({ repositoryId, commands, atomic: false, checkedPackIds: [], nowMs: 1 })),
    ).toEqual(["ref-stale"]);
    await supervisor.openForPush();
    expect(
      codes(await supervisor.commit({ repositoryId, commands, atomic: false, checkedPackIds: [], nowMs: 1 })),
    ).toEqual(["ref-stale"]);
  });
});
