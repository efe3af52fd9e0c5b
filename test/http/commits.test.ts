import { describe, expect, it } from "vitest";
import { call, codeOf } from "./api-client.ts";

function appSource(answer: string): string {
  return `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  fetch() { return new Response(${JSON.stringify(answer)}); }
}
`;
}

/** The same with something in its database. */
function storingSource(answer: string): string {
  const constructor = "constructor(...args) { super(...args); this.ctx.storage.kv.put('a', 1); }";
  return appSource(answer).replace("fetch()", `${constructor}\n  fetch()`);
}

interface Report {
  readonly commit: string;
  readonly ok: boolean;
  readonly deploy: number;
  readonly lines: readonly string[];
}

async function commit(app: string, body: Record<string, unknown>): Promise<Response> {
  return call("POST", `/apps/${app}/commits`, { body: { message: "A change", ...body } });
}

async function commitOk(app: string, body: Record<string, unknown>): Promise<Report> {
  const response = await commit(app, body);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json<Report>();
}

describe("POST /apps/{app}/commits", () => {
  it("makes an app, then changes one file of it and keeps the others", async () => {
    const first = await commitOk("written", {
      files: { "src/index.ts": appSource("one"), "docs/deep/note.txt": "kept", "bin/logo": { base64: "AAEC" } },
    });
    expect(first).toMatchObject({
      app: "written",
      ok: true,
      deploy: 1,
      url: "http://written.localhost/",
      subject: "A change",
    });
    expect(first.lines.join("\n")).toContain("http://written.localhost/");
    const second = await commitOk("written", { files: { "src/index.ts": appSource("two") }, parent: first.commit });
    expect(second.deploy).toBe(2);
    const third = await commitOk("written", { files: { "docs/deep/note.txt": null, "bin/logo": null } });
    expect(third.deploy).toBe(3);
    const { deploys } = await (await call("GET", "/apps/written/deploys")).json<{ deploys: unknown[] }>();
    expect(deploys[0]).toMatchObject({ commit: third.commit, actor: "owner", state: "live" });
    // Both files are gone, so they cannot be deleted again.
    expect(await codeOf(await commit("written", { files: { "docs/deep/note.txt": null } }))).toBe("invalid-request");
  });

  it("refuses a failed build with its code and report, and changes nothing", async () => {
    const { commit: liveId } = await commitOk("steady", { files: { "src/index.ts": appSource("fine") } });
    const failed = await commit("steady", { files: { "src/index.ts": "export class App {" } });
    expect(failed.status).toBe(422);
    const problem = await failed.json<{ code: string; detail: string; report: Report }>();
    expect(problem).toMatchObject({ code: "syntax-error", report: { ok: false, app: "steady" } });
    expect(problem.report.lines.join("\n")).toContain("src/index.ts:1");
    expect(await (await call("GET", "/apps/steady")).json()).toMatchObject({ live: { commit: liveId } });
  });

  it("says what is stored of what may be, and caps snapshots by hand", async () => {
    const first = await commitOk("stores", { files: { "src/index.ts": storingSource("one") } });
    expect(first).toMatchObject({ stored: { usedBytes: expect.any(Number), limitBytes: 1_000_000_000 } });
    expect(first.lines.join("\n")).not.toContain("databaseBytes");
    const caps = { databaseBytes: 1, snapshotBytes: 1 };
    expect((await call("PATCH", "/apps/stores/quotas", { body: caps })).status).toBe(200);
    const second = await commitOk("stores", { files: { "src/index.ts": storingSource("two") } });
    expect(second.lines.join("\n")).toContain("that the quota databaseBytes allows: only requests that read");
    const refused = await call("POST", "/apps/stores/snapshots");
    expect([refused.status, await refused.json()]).toEqual([
      429,
      expect.objectContaining({ code: "quota-exceeded", quota: "snapshotBytes", limit: 1 }),
    ]);
  });

  it("refuses a stale parent, and says what the branch names by now", async () => {
    const { commit: first } = await commitOk("raced", { files: { "src/index.ts": appSource("1") } });
    const { commit: second } = await commitOk("raced", { files: { "src/index.ts": appSource("2") }, parent: first });
    const stale = await commit("raced", { files: { "src/index.ts": appSource("3") }, parent: first });
    expect(stale.status).toBe(409);
    expect(await stale.json()).toMatchObject({ code: "ref-stale", current: second });
    expect((await commit("raced", { files: {}, parent: null })).status).toBe(409);
    const absent = { files: {}, parent: "1".repeat(40), branch: "other", options: ["store"] };
    expect(await codeOf(await commit("raced", absent))).toBe("object-missing");
  });

  it("stores another branch that begins at production's commit", async () => {
    await commitOk("branched", { files: { "src/index.ts": appSource("main"), "a.txt": "a" } });
    const other = { branch: "topic", options: ["store"], files: { "a.txt": null } };
    expect(await commitOk("branched", other)).toMatchObject({ ok: true });
    expect(await (await call("GET", "/apps/branched")).json()).toMatchObject({ refCount: 2, productionBranch: "main" });
  });

  it.each([
    ["above the root", "../x"],
    ["from the root", "/x"],
    ["in .git", ".git/config"],
    ["in .GIT", "a/.GIT/config"],
    ["with an empty part", "a//b"],
    ["that ends in a slash", "a/"],
    ["with a NUL", "a\0b"],
    ["with a backslash", "a\\b"],
    ["that is empty", ""],
  ])("refuses a path %s", async (_name, path) => {
    expect(await codeOf(await commit("pathless", { files: { [path]: "x" } }))).toBe("invalid-request");
  });

  it("refuses what only git's own check knows as .git", async () => {
    expect(await codeOf(await commit("disguised", { files: { "git~1/config": "x" } }))).toBe("object-invalid");
  });

  it.each([
    ["a file below a file", { "package.json": "{}", "package.json/x": "x" }],
    ["no message", undefined],
    ["a file of no known form", { a: { hex: "00" } }],
    ["bytes that are not base64", { a: { base64: "%" } }],
  ])("refuses %s", async (_name, files) => {
    const body = files === undefined ? { files: {}, message: " " } : { files };
    expect(await codeOf(await commit("malformed", body))).toBe("invalid-request");
  });

  it("refuses a body over its limit", async () => {
    const files = { "large.txt": "x".repeat(17 * 1024 * 1024) };
    expect(await codeOf(await commit("heavy", { files }))).toBe("push-too-large");
  });
});

describe("an app from another's code", () => {
  it("is made of a template", async () => {
    const made = await call("POST", "/apps", { body: { name: "templated", template: "counter" } });
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ productionBranch: "main", live: { number: 1 } });
    expect(await codeOf(await call("POST", "/apps", { body: { name: "templated", template: "counter" } }))).toBe(
      "app-exists",
    );
    expect(await codeOf(await call("POST", "/apps", { body: { name: "other", template: "none" } }))).toBe("not-found");
  });

  it("is made of an app, with its other branches", async () => {
    const { commit: mainId } = await commitOk("origin", { files: { "src/index.ts": appSource("origin") } });
    await commitOk("origin", { branch: "side", options: ["store"], files: { "b.txt": "b" } });
    const fork = await call("POST", "/apps/origin/fork", { body: { name: "forked" } });
    expect(fork.status).toBe(201);
    expect(await (await call("GET", "/apps/forked")).json()).toMatchObject({
      refCount: 2,
      live: { commit: mainId, number: 1 },
    });
    expect(await codeOf(await call("POST", "/apps/origin/fork", { body: { name: "forked" } }))).toBe("app-exists");
    expect(await codeOf(await call("POST", "/apps/nobody/fork", { body: { name: "forked-2" } }))).toBe("not-found");
  });
});
