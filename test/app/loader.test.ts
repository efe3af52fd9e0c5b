import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { endIsolate, isolateName, makeWorkerCode, readReport } from "../../src/app/loader.ts";
import { appSource, IMPORTS, makeCode } from "./deployment.ts";

const CODE = { repositoryId: "r", facet: "app", codeId: "c" };
const IDENTITY = { ...CODE, envJson: "{}", envId: undefined, deployNumber: 1, attempt: "0" };

describe("isolateName", () => {
  it.each([
    ["repository", { repositoryId: "s" }],
    ["code", { codeId: "d" }],
    ["environment", { facet: "preview:fix" }],
    ["variables", { envJson: '{"A":1}' }],
    ["configuration", { envId: "e" }],
    ["deploy", { deployNumber: 2 }],
    ["attempt", { attempt: "1" }],
  ])("differs for another %s", (_, other) => {
    expect(isolateName({ ...IDENTITY, ...other })).not.toBe(isolateName(IDENTITY));
    expect(isolateName({ ...IDENTITY })).toBe(isolateName(IDENTITY));
  });
});

describe("readReport", () => {
  it("tells the kinds of exports", async () => {
    const source = `${IMPORTS}import { WorkerEntrypoint } from "cloudflare:workers";
      export class App extends DurableObject {}
      export class Door extends WorkerEntrypoint {}
      export class Plain {}
      export function act() {}
      export const settings = { a: 1 };
      export const version = "1";
      export default { fetch() {} };`;
    const report = await readReport(env.LOADER.load(makeWorkerCode({ definition: makeCode(source), envJson: "{}" })));
    expect(report.phase).toBeUndefined();
    expect(Object.fromEntries(report.exports.map((fact) => [fact.name, fact.kind]))).toEqual({
      App: "class extends DurableObject",
      Door: "class extends WorkerEntrypoint",
      Plain: "class",
      act: "function",
      settings: "object",
      version: "value",
      default: "object with fetch",
    });
  });
});

describe("endIsolate", () => {
  it("makes the loader forget a named isolate", async () => {
    let loads = 0;
    const open = () =>
      env.LOADER.get("ended", () => {
        loads += 1;
        return makeWorkerCode({ definition: makeCode(appSource("return new Response();")), envJson: "{}" });
      });
    await readReport(open());
    await readReport(open());
    expect(loads).toBe(1);
    await endIsolate(open());
    await scheduler.wait(20);
    await readReport(open());
    expect(loads).toBe(2);
  });
});
