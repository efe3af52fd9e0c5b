import { describe, expect, it } from "vitest";
import { appEnvironmentJson, environmentLabel, parseLabel, shownDeployNumber } from "../../src/app/environment.ts";

describe("parseLabel", () => {
  it.each([
    ["hello", { app: "hello", facet: "app" }],
    ["fix--hello", { app: "hello", facet: "preview:fix" }],
    ["feature-x--a-b", { app: "a-b", facet: "preview:feature-x" }],
    ["v12--hello", { app: "hello", facet: "version:12" }],
    ["v012--hello", { app: "hello", facet: "preview:v012" }],
    ["v--hello", { app: "hello", facet: "preview:v" }],
    ["1--hello", { app: "hello", facet: "preview:1" }],
  ])("reads %s, as environmentLabel writes it", (label, environment) => {
    expect(parseLabel(label)).toEqual(environment);
    expect(environmentLabel(environment.app, environment.facet)).toBe(label);
  });

  it.each([
    "--hello",
    "a--b--hello",
    "a---hello",
    "-a--hello",
    "A--hello",
    "fix--",
    "fix--api",
    "a.b--hello",
    "v12--",
    "",
  ])("takes %s for nobody's", (label) => {
    expect(parseLabel(label)).toBeUndefined();
  });
});

describe("shownDeployNumber", () => {
  it("is there for a version only", () => {
    expect([shownDeployNumber("version:12"), shownDeployNumber("app"), shownDeployNumber("preview:v12")]).toEqual([
      12,
      undefined,
      undefined,
    ]);
  });
});

describe("appEnvironmentJson", () => {
  const deploy = { ref: "refs/heads/feature/x", commitId: "abc", varsJson: '{"A":1}', number: 3 };

  it("tells the app what it runs as, beside its own variables", () => {
    expect(JSON.parse(appEnvironmentJson("hello", "preview:feature-x", deploy))).toEqual({
      SLIPWAY: { app: "hello", environment: "preview", branch: "feature/x", commit: "abc", deploy: 3 },
      A: 1,
    });
  });

  it("leaves a variable of that name to the app", () => {
    const varsJson = '{"SLIPWAY":"mine"}';
    expect(JSON.parse(appEnvironmentJson("hello", "app", { ...deploy, varsJson }))).toEqual({ SLIPWAY: "mine" });
  });
});
