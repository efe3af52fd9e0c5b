import { describe, expect, it } from "vitest";
import {
  assetLines,
  builtLine,
  cutOverLine,
  failureLines,
  identityLine,
  liveLines,
  receivedLine,
  storedLines,
  undoCommand,
  warningLines,
} from "../src/push-report.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const URL = "http://hello.localhost:8787/";
const OWN = "http://v2--hello.localhost/";
const facts = { entry: "src/index.ts", className: "App", moduleCount: 4, sourceBytes: 12_100, bundleBytes: 8_300 };
const candidate = { code: { codeId: "c" }, varsJson: "{}" };
const assets = { fileCount: 12, newCount: 3, uploadedBytes: 45_300 };
const built = { kind: "built", candidate, buildKey: "k", facts, assets, tookMs: 34, warnings: [] } as const;

const ref = (name: string) => ({ name, newId: COMMIT });

describe("assetLines", () => {
  it("tells how many files there are and what was new", () => {
    const served = { ...built, facts: { ...facts, assetCount: 12 } };
    expect(assetLines(built)).toEqual([]);
    expect(assetLines(served)).toEqual(["assets    12 files, 3 new, 45.3 KB uploaded"]);
    expect(assetLines({ ...served, kind: "known", deployNumber: 1 })).toEqual(["assets    12 files, none new"]);
    expect(builtLine({ ...built, facts: { ...facts, entry: "assets only", moduleCount: 0 } })).toBe(
      "built     assets only, no code",
    );
  });
});

describe("the lines of the stages", () => {
  it.each([
    ["received  1 object, 999 B", receivedLine({ objectCount: 1, receivedBytes: 999 })],
    ["received  3 objects, 1.2 KB", receivedLine({ objectCount: 3, receivedBytes: 1234 })],
    ["received  2 objects, 4.0 GB", receivedLine({ objectCount: 2, receivedBytes: 4e9 })],
    ["built     src/index.ts: class App, 4 modules, 12.1 KB -> 8.3 KB in 34 ms", builtLine(built)],
    [
      "built     src/index.ts: same code as deploy 3, build skipped",
      builtLine({ kind: "known", candidate, buildKey: "k", facts, deployNumber: 3 }),
    ],
    [
      "cut over  1 request drained, longest hold 8 ms of at most 10 s",
      cutOverLine({ drainedCount: 1, droppedCount: 0, turnedAwayCount: 0, longestHoldMs: 8, holdLimitMs: 10_000 }),
    ],
    [
      "cut over  0 requests drained, longest hold 8 ms of at most 10 s, 2 requests cut off with 503, 1 waiting request turned away with 503",
      cutOverLine({ drainedCount: 0, droppedCount: 2, turnedAwayCount: 1, longestHoldMs: 8, holdLimitMs: 10_000 }),
    ],
  ])("%s", (expected, line) => {
    expect(line).toBe(expected);
  });
});

describe("identityLine", () => {
  it("undoes a deploy of a branch whose name a shell would run by one word", () => {
    const previous = { number: 1, commitId: COMMIT };
    const deploy = { number: 2, commitId: "b".repeat(40), facet: "app", previous };
    const undo = (branch: string) => undoCommand({ ...deploy, ref: `refs/heads/${branch}` });
    expect(undo("feature/x_1.2")).toBe(`git push -f origin ${COMMIT.slice(0, 10)}:feature/x_1.2`);
    expect(undo("x;$(id)'`")).toBe(`git push -f origin '${COMMIT.slice(0, 10)}:x;$(id)'\\''\`'`);
  });

  it("lets no control character of a subject through, and cuts it", () => {
    const line = identityLine("hello", "main", { commitId: COMMIT, subject: `\u001b[2Jgone\r${"x".repeat(80)}` });
    expect(line).toBe(`deploying hello: main 0123456  [2Jgone ${"x".repeat(50)}…`);
  });
});

describe("liveLines", () => {
  it("end with the URL and the line that undoes the deploy", () => {
    const deploy = {
      number: 2,
      commitId: COMMIT,
      ref: "refs/heads/main",
      facet: "app",
      previous: { number: 1, commitId: COMMIT },
    };
    expect(liveLines(deploy, { url: URL, deployUrl: OWN, isPreview: false })).toEqual([
      "",
      `live      ${URL} (deploy 2)`,
      `deploy    ${OWN}`,
      "undo      git push -f origin 0123456789:main",
    ]);
  });

  it("have nothing to undo after a first deploy", () => {
    const deploy = { number: 1, commitId: COMMIT, ref: "refs/heads/main", facet: "app" };
    expect(liveLines(deploy, { url: URL, deployUrl: OWN, isPreview: false })).toEqual([
      "",
      `live      ${URL} (deploy 1)`,
      `deploy    ${OWN}`,
    ]);
    expect(liveLines(deploy, { url: URL, deployUrl: OWN, isPreview: true })[1]).toBe(`preview   ${URL} (deploy 1)`);
    expect(undoCommand(deploy)).toBeUndefined();
  });
});

describe("failureLines", () => {
  const failure = { stage: "build", code: "syntax-error", lines: ["src/index.ts:1:1: no"], reason: "" } as const;

  it("begin with a word that git highlights and end with what is still live", () => {
    expect(failureLines(failure, { live: { number: 3, commitId: COMMIT }, url: URL, previewOf: undefined })).toEqual([
      "",
      "error: build failed (syntax-error)",
      "src/index.ts:1:1: no",
      `Still live: deploy 3 (0123456) at ${URL}`,
    ]);
  });

  it("say where nothing was live before", () => {
    const still = { live: undefined, url: URL };
    expect(failureLines(failure, { ...still, previewOf: undefined }).at(-1)).toBe(
      "Nothing is live yet, and this push changed nothing.",
    );
    expect(failureLines(failure, { ...still, previewOf: "fix" }).at(-1)).toBe(
      "fix has no preview yet, and this push changed nothing.",
    );
  });
});

describe("storedLines", () => {
  it("name what moved and was not deployed", () => {
    const deleted = { name: "refs/tags/v1", newId: "0".repeat(40) };
    expect(storedLines([ref("refs/heads/a"), deleted])).toEqual(["stored    a at 0123456, v1 deleted; not deployed"]);
  });

  it("count what is too much to name", () => {
    const refs = ["a", "b", "c", "d", "e"].map((name) => ref(`refs/heads/${name}`));
    expect(storedLines(refs)).toEqual(["stored    a at 0123456, b at 0123456, c at 0123456 and 2 more; not deployed"]);
  });

  it("say nothing of nothing", () => {
    expect(storedLines([])).toEqual([]);
  });
});

describe("warningLines", () => {
  it("are at most three and a count", () => {
    expect(warningLines(["a", "b", "c", "d", "e"])).toEqual([
      "warning   a",
      "warning   b",
      "warning   c",
      "          and 2 more warnings",
    ]);
  });
});
