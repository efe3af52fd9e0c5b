import { describe, expect, it } from "vitest";
import { ZERO_ID, parseObjectId } from "../src/git/object-id.ts";
import { firstBranch, planPush } from "../src/push-plan.ts";

const A = parseObjectId("a".repeat(40))!;
const create = (name: string) => ({ name, oldId: ZERO_ID, newId: A });
const remove = (name: string) => ({ name, oldId: A, newId: ZERO_ID });
const app = { deploys: true, head: undefined, pushOptions: [], maxPreviews: 0 };

describe("planPush", () => {
  it("deploys the first branch of an app that has none", () => {
    const plan = planPush({ ...app, commands: [create("refs/heads/trunk")] });
    expect(plan.deployments[0]?.command.name).toBe("refs/heads/trunk");
    expect(plan.refusals.size).toBe(0);
  });

  it("refuses a branch that is not the production branch, with the two commands to run", () => {
    const plan = planPush({ ...app, head: "refs/heads/main", commands: [create("refs/heads/feature")] });
    const refusal = plan.refusals.get("refs/heads/feature");
    expect(plan.deployments).toEqual([]);
    expect(refusal?.code).toBe("branch-not-deployed");
    expect(refusal?.lines.join("\n")).toContain("git push origin feature:main");
    expect(refusal?.lines.join("\n")).toContain("git push -o store origin feature");
  });

  it("stores another branch when it is asked to", () => {
    const plan = planPush({
      ...app,
      head: "refs/heads/main",
      pushOptions: ["store"],
      commands: [create("refs/heads/feature")],
    });
    expect(plan).toEqual({ deployments: [], refusals: new Map() });
  });

  it("stores tags and lets other branches be deleted beside a deploy", () => {
    const commands = [create("refs/tags/v1"), remove("refs/heads/old"), create("refs/heads/main")];
    const plan = planPush({ ...app, head: "refs/heads/main", commands });
    expect(plan.deployments[0]?.command.name).toBe("refs/heads/main");
    expect(plan.refusals.size).toBe(0);
  });

  it("refuses every ref of a push with an unknown option", () => {
    const plan = planPush({ ...app, pushOptions: ["stroe"], commands: [create("refs/heads/main")] });
    expect(plan.deployments).toEqual([]);
    expect(plan.refusals.get("refs/heads/main")?.code).toBe("push-option-unknown");
  });

  it("takes any branch and option where nothing deploys", () => {
    const plan = planPush({ ...app, deploys: false, pushOptions: ["x"], commands: [create("refs/heads/f")] });
    expect(plan).toEqual({ deployments: [], refusals: new Map() });
  });
});

describe("firstBranch", () => {
  it.each([
    [["refs/heads/b", "refs/heads/a"], "refs/heads/b"],
    [["refs/heads/b", "refs/heads/main"], "refs/heads/main"],
    [["refs/heads/b", "refs/heads/master"], "refs/heads/master"],
    [["refs/tags/v1"], undefined],
  ])("of %j is %s", (names, expected) => {
    expect(firstBranch(names.map(create))).toBe(expected);
  });

  it("is never a branch that the push deletes", () => {
    expect(firstBranch([remove("refs/heads/main"), create("refs/heads/b")])).toBe("refs/heads/b");
  });
});
