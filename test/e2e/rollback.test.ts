// Going back with data, by git and by the API, and the history of it all, with the real git client.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commit, git, makeRepository, tryGit } from "./git.ts";
import { callApi, request, startHost, type Host } from "./host.ts";

let host: Host;

beforeAll(async () => {
  host = await startHost();
});

afterAll(() => host.stop());

function source(name: string): string {
  return `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  fetch() {
    const count = (this.ctx.storage.kv.get<number>("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return new Response("${name}" + count);
  }
}
`;
}

async function visit(app: string): Promise<string> {
  return (await request(host.appUrl(app))).text;
}

async function push(repository: string, app: string, ...args: readonly string[]) {
  const refspec = args.some((arg) => arg.includes(":")) ? [] : ["main"];
  const options = args.slice(0, args.length - (refspec.length === 0 ? 1 : 0));
  const target = refspec.length === 0 ? args.slice(-1) : refspec;
  return tryGit(repository, ["push", ...options, host.gitUrl(`${app}.git`), ...target]);
}

/** An app of two deploys: "a" counted to 1, then "b" to 3. */
async function makeApp(app: string): Promise<{ repository: string; first: string; second: string }> {
  const repository = await makeRepository({ "src/index.ts": source("a") });
  const first = await git(repository, "rev-parse", "HEAD");
  expect((await push(repository, app)).code).toBe(0);
  expect(await visit(app)).toBe("a1");
  const second = await commit(repository, { "src/index.ts": source("b") }, "Say b");
  const pushed = await push(repository, app);
  expect(pushed.stderr).toMatch(/snapshot {2}1, the data before this deploy, /);
  expect([await visit(app), await visit(app)]).toEqual(["b2", "b3"]);
  return { repository, first, second };
}

describe("git push -o restore-data", () => {
  it("brings back code and data, and the line that it prints brings both back again", async () => {
    const { repository, first, second } = await makeApp("back");
    const back = await push(repository, "back", "-f", "-o", "restore-data", `${first}:main`);
    expect(back.code, back.stderr).toBe(0);
    expect(back.stderr).toContain("restored  the data of snapshot 1, as deploy 1 left it");
    expect(await visit("back")).toBe("a2");
    const undo = /git push -f (-o restore-data) origin ([0-9a-f]{10}:main)/.exec(back.stderr);
    expect(undo?.[2]).toBe(`${second.slice(0, 10)}:main`);
    const undone = await push(repository, "back", "-f", "-o", "restore-data", undo?.[2] ?? "");
    expect(undone.code, undone.stderr).toBe(0);
    expect(await visit("back")).toBe("b4");
  });

  it("is refused where no snapshot of that commit is kept, and says what is", async () => {
    const { repository } = await makeApp("unkept");
    const third = await commit(repository, { "src/index.ts": source("c") }, "Say c");
    const refused = await push(repository, "unkept", "-o", "restore-data", `${third}:main`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("snapshot-not-kept");
    expect(refused.stderr).toContain("snapshot 1 (deploy 1");
    expect(await visit("unkept")).toBe("b4");
  });
});

describe("the API", () => {
  it("rolls back with and without data, deploys again, and moves the branch with it", async () => {
    const { first } = await makeApp("api-back");
    const path = "/apps/api-back";
    const code = JSON.parse((await callApi(host, "POST", `${path}/rollback`, { deploy: 1 })).text);
    expect(code).toMatchObject({ deploy: 3, commit: first });
    expect(await visit("api-back")).toBe("a4");
    const data = JSON.parse((await callApi(host, "POST", `${path}/rollback`, { deploy: 1, data: true })).text);
    expect(data).toMatchObject({
      deploy: 4,
      data: { restored: { id: 1 } },
      undo: expect.stringContaining(`"deploy":3,"data":true`),
    });
    expect(await visit("api-back")).toBe("a2");
    expect(JSON.parse((await callApi(host, "POST", `${path}/redeploy`)).text)).toMatchObject({ deploy: 5 });
    expect(await visit("api-back")).toBe("a3");
    const refs = await git(".", "ls-remote", host.gitUrl("api-back.git"), "refs/heads/main");
    expect(refs).toContain(first);
    const { deploys } = JSON.parse((await callApi(host, "GET", `${path}/deploys`)).text);
    expect(deploys.map((deploy: { kind: string; state: string }) => `${deploy.kind} ${deploy.state}`)).toEqual([
      "redeploy live",
      "rollback started",
      "rollback started",
      "push started",
      "push started",
    ]);
  });

  it("asks a deploy's probe again where it goes back to it, by git and by the API", async () => {
    const package1 = JSON.stringify({ slipway: { probe: "/health" } });
    const throwing = (statement: string): string =>
      source("p").replace("fetch() {", `fetch() {\n    if (this.ctx.storage.kv.get("count") === 3) ${statement}`);
    const healthy = { "package.json": package1, "src/index.ts": source("p") };
    const repository = await makeRepository(healthy);
    const first = await git(repository, "rev-parse", "HEAD");
    const pushed = await push(repository, "probed");
    expect(pushed.stderr).toMatch(
      /rehearsed started on an empty database in \d+ ms, probe \/health answered 200 in \d+ ms/,
    );
    await commit(repository, { "src/index.ts": throwing(`throw new Error("three");`) }, "Throw");
    expect((await push(repository, "probed")).code).toBe(0);
    expect([await visit("probed"), await visit("probed"), await visit("probed")]).toEqual(["p1", "p2", "p3"]);
    await commit(repository, { "src/more.ts": "" }, "Change nothing");
    const refused = await push(repository, "probed");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("error: rehearse failed (probe-failed)");
    expect(refused.stderr).toContain("src/index.ts:4:55: GET /health threw Error: three");
    expect(refused.stderr).toMatch(/\[remote rejected\].*probe-failed: src\/index\.ts:4:55/);
    const back = await push(repository, "probed", "-f", `${first}:main`);
    expect(back.stderr).toContain("same code as deploy 1");
    expect(back.stderr).toContain("probe /health answered 200");
    const failed = await callApi(host, "POST", "/apps/probed/rollback", { deploy: 2 });
    expect(failed.status).toBe(422);
    expect(failed.text).toContain("probe-failed");
    const redeployed = JSON.parse((await callApi(host, "POST", "/apps/probed/redeploy")).text);
    expect(redeployed).toMatchObject({ rehearsal: { probe: { path: "/health", status: 200 } } });
  });

  it("makes, restores, lists and deletes snapshots", async () => {
    await makeApp("shots");
    const path = "/apps/shots/snapshots";
    const taken = JSON.parse((await callApi(host, "POST", path)).text);
    expect(taken).toMatchObject({ id: 2, deploy: 2, before: null, reason: "manual" });
    expect(await visit("shots")).toBe("b4");
    expect((await callApi(host, "POST", `${path}/2/restore`)).status).toBe(200);
    expect(await visit("shots")).toBe("b4");
    const { snapshots } = JSON.parse((await callApi(host, "GET", path)).text);
    expect(snapshots.map(({ reason }: { reason: string }) => reason)).toEqual([
      "safety before restore",
      "manual",
      "deploy 2",
    ]);
    expect((await callApi(host, "DELETE", `${path}/2`)).status).toBe(204);
    expect((await callApi(host, "POST", `${path}/2/restore`)).status).toBe(404);
  });

  it("keeps the log of a push that failed, at the address that the push began with", async () => {
    const repository = await makeRepository({ "src/index.ts": "export class App {\n" });
    const failed = await push(repository, "broken");
    expect(failed.code).toBe(1);
    const log = /log +(http\S+)\/api\/v1(\/apps\/broken\/deploys\/1)\/log/.exec(failed.stderr);
    const kept = await callApi(host, "GET", `${log?.[2]}/log`);
    expect(kept.text).toContain("src/index.ts:");
    expect(JSON.parse((await callApi(host, "GET", log?.[2] ?? "")).text)).toMatchObject({
      number: 1,
      state: "failed",
      actor: "owner",
      subject: "Begin",
      failure: { stage: "build", code: "syntax-error" },
      facts: { stagesMs: expect.any(Object), received: { objects: expect.any(Number) } },
    });
  });
});
