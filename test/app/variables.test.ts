import { describe, expect, it } from "vitest";
import type { VariableChange } from "../../src/app/variable-change.ts";
import {
  addConfiguration,
  hasConfiguration,
  pruneConfigurations,
  setNewestEnvId,
  type Variable,
} from "../../src/store/variables.ts";
import { inDatabase } from "../store/memory.ts";
import { appSource, deploy, MAIN, makeCode, supervisorOf, testId, visitText } from "./deployment.ts";

const SHOW = appSource("return Response.json([this.env.A, this.env.B]);");

function set(name: string, value: string | undefined, isSecret?: boolean): VariableChange {
  return { name, scope: "production", value, isSecret };
}

function plain(valueId: string, name: string): Variable {
  return { valueId, scope: "production", name, content: { plain: "x" }, setAtMs: 1, setBy: "owner" };
}

describe("a deploy that was prepared for other variables", () => {
  it("is refused by the commit, which changes nothing", async () => {
    const app = "stale-variables";
    await deploy(app, SHOW);
    const supervisor = supervisorOf(app);
    const code = makeCode(`${SHOW}// two`);
    await supervisor.rehearse({ code, varsJson: "{}" });
    const choice = await supervisor.chooseVariables({
      commitId: testId(8),
      isPreview: false,
      varsJson: "{}",
      assetsId: undefined,
    });
    expect(choice).toMatchObject({ variables: { newest: null }, asIn: undefined });
    // Another scope's change is a newer configuration as well.
    const stored = await supervisor.prepareVariables([{ ...set("A", "1"), scope: "preview" }], "owner");
    expect(stored.kind).toBe("stored");
    const state = await supervisor.openForPush();
    const command = {
      name: MAIN,
      oldId: state.refs.find(({ name }) => name === MAIN)?.id ?? testId(0),
      newId: testId(8),
    };
    const place = { ref: MAIN, commitId: testId(8), treeId: testId(9), subject: "Two" };
    const { envId, variables } = choice;
    const outcome = await supervisor.commit({
      repositoryId: state.repositoryId,
      commands: [command],
      atomic: false,
      checkedPackIds: [],
      deploy: { ...place, codeId: code.codeId, varsJson: "{}", envId, variables },
      nowMs: Date.now(),
    });
    expect(outcome.results).toMatchObject([{ kind: "refused", code: "variables-stale" }]);
    expect(await visitText(app)).toBe("[null,null]");
  });
});

describe("prepareVariables", () => {
  it("keeps what nobody sees before it is deployed", async () => {
    const app = "prepared-variables";
    await deploy(app, SHOW);
    const supervisor = supervisorOf(app);
    const prepared = await supervisor.prepareVariables([set("A", "1"), set("B", "a-secret-value", true)], "ci");
    if (prepared.kind !== "prepared") throw new Error(prepared.kind);
    expect(await supervisor.readVariables()).toMatchObject({ variables: [], live: { changed: [] } });
    expect(await visitText(app)).toBe("[null,null]");
    expect(JSON.stringify(prepared)).not.toContain("a-secret-value");
  });
});

describe("pruneConfigurations", () => {
  it("takes what is old and that nothing names, with the values that only it had", async () => {
    const counts = await inDatabase("configurations", (db) => {
      db.sql.exec(
        "INSERT INTO repository (only, repository_id, app_name, reserved_at_ms, deploys_pushes) VALUES (1, 'r', 'a', 0, 1)",
      );
      addConfiguration(db, { envId: "old", variables: [plain("1", "A"), plain("2", "B")], nowMs: 1 });
      addConfiguration(db, { envId: "newest", variables: [plain("1", "A"), plain("3", "B")], nowMs: 2 });
      addConfiguration(db, { envId: "young", variables: [plain("4", "C")], nowMs: 100 });
      setNewestEnvId(db, "newest");
      pruneConfigurations(db, 50);
      const valueIds = db.sql.exec("SELECT value_id FROM variables ORDER BY value_id").toArray();
      return { left: ["old", "newest", "young"].filter((envId) => hasConfiguration(db, envId)), valueIds };
    });
    expect(counts.left).toEqual(["newest", "young"]);
    expect(counts.valueIds.map((row) => row["value_id"])).toEqual(["1", "3", "4"]);
  });
});
