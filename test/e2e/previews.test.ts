// Previews, with the real git client against the real Worker: one host, an app a test.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commit, git, makeRepository, tryGit } from "./git.ts";
import { callApi, request, startHost, type Host } from "./host.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.stop());

function counter(mark: string): string {
  return `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  async fetch(request) {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return new Response("${mark} " + count + " " + this.env.SLIPWAY.environment);
  }
}
`;
}

async function push(repository: string, app: string, ...args: string[]) {
  const result = await tryGit(repository, ["push", ...optionsFirst(host.gitUrl(`${app}.git`), args)]);
  const lines = result.stderr.split("\n").flatMap((line) => /^remote: ?(.*?)\s*$/.exec(line)?.[1] ?? []);
  return { ...result, lines };
}

/** Options, the repository, then refs. */
function optionsFirst(url: string, args: readonly string[]): string[] {
  const at = args.findIndex((arg, index) => !arg.startsWith("-") && args[index - 1] !== "-o");
  const split = at === -1 ? args.length : at;
  return [...args.slice(0, split), url, ...args.slice(split)];
}

async function visit(label: string): Promise<string> {
  return (await request(host.appUrl(label))).text;
}

describe("a branch", () => {
  it("gets a preview on a copy of the data, and takes it along", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("main") });
    await push(repository, "hello", "main");
    expect(await visit("hello")).toBe("main 1 production");
    await git(repository, "checkout", "--quiet", "-b", "feature/x");
    await commit(repository, { "src/index.ts": counter("x") }, "Try x");

    const first = await push(repository, "hello", "feature/x");
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(first.lines.length).toBeLessThan(12);
    expect(first.lines).toContain(`preview   ${host.appUrl("feature-x--hello")} (deploy 2)`);
    expect(first.lines).toContain(`deploy    ${host.appUrl("v2--hello")}`);
    expect(await visit("feature-x--hello")).toBe("x 2 preview");
    expect(await visit("feature-x--hello")).toBe("x 3 preview");
    expect(await visit("hello")).toBe("main 2 production");
    expect(await visit("v1--hello")).toBe("main 3 version");
    expect(await visit("hello")).toBe("main 3 production");

    await commit(repository, { "src/index.ts": counter("x2") }, "Go on");
    const second = await push(repository, "hello", "feature/x");
    expect(second.lines.find((line) => line.startsWith("undo"))).toMatch(/^undo {6}git push -f origin .*:feature\/x$/);
    expect(await visit("feature-x--hello")).toBe("x2 4 preview");
    const forked = await push(repository, "hello", "-f", "-o", "data=fork", "HEAD~1:feature/x");
    expect(forked, forked.stderr).toMatchObject({ code: 0 });
    expect(await visit("feature-x--hello")).toBe("x 4 preview");

    const deleted = await push(repository, "hello", ":feature/x");
    expect(deleted.lines.join("\n")).toContain("preview of feature/x deleted, with its data");
    expect((await request(host.appUrl("feature-x--hello"))).status).toBe(404);
    expect(await visit("hello")).toBe("main 4 production");
  });

  it("whose code does not start is refused and leaves nothing", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("main") });
    await push(repository, "broken", "main");
    await git(repository, "checkout", "--quiet", "-b", "bad");
    await commit(repository, { "src/index.ts": `throw new Error("no");\n${counter("bad")}` }, "Break it");
    const refused = await push(repository, "broken", "bad");
    expect(refused.code).toBe(1);
    expect(refused.lines).toContain("bad has no preview yet, and this push changed nothing.");
    expect((await request(host.appUrl("bad--broken"))).status).toBe(404);
    expect(await git(repository, "ls-remote", host.gitUrl("broken.git"))).not.toContain("bad");
  });
});

describe("a push of several branches", () => {
  it("deploys production and the previews, each judged by itself", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("main") });
    await git(repository, "checkout", "--quiet", "-b", "good");
    await commit(repository, { "src/index.ts": counter("good") }, "Good");
    await git(repository, "checkout", "--quiet", "-b", "bad", "main");
    await commit(repository, { "src/index.ts": "export class App {" }, "Bad");
    const { code, stderr } = await push(repository, "several", "main", "good", "bad");
    expect(code).toBe(1);
    expect(stderr).toContain("syntax-error");
    expect(await visit("several")).toBe("main 1 production");
    expect(await visit("good--several")).toBe("good 1 preview");
    const refs = await git(repository, "ls-remote", host.gitUrl("several.git"));
    expect(refs).toContain("refs/heads/good");
    expect(refs).not.toContain("refs/heads/bad");

    await git(repository, "checkout", "--quiet", "good");
    await commit(repository, { "src/index.ts": counter("better") }, "Better");
    const atomic = await push(repository, "several", "--atomic", "good", "bad");
    expect(atomic.code).toBe(1);
    expect(await visit("good--several")).toBe("good 2 preview");
  });

  it("tells of the first at length and of the others in a few lines, and keeps the rest in their logs", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("main") });
    const sources = {
      bad: "export class App {",
      broken: `throw new Error("no");\n${counter("broken")}`,
      good: counter("good"),
      other: counter("other"),
    };
    for (const [branch, source] of Object.entries(sources)) {
      await git(repository, "checkout", "--quiet", "-b", branch, "main");
      await commit(repository, { "src/index.ts": source }, `Try ${branch}`);
    }
    const { code, lines } = await push(repository, "told", "main", ...Object.keys(sources));
    expect(code).toBe(1);
    const log = `${host.url}/api/v1/apps/told/deploys`;
    for (const [branch, end] of [
      [
        "bad",
        [`error: bad: build failed, log ${log}/2/log`, expect.stringMatching(/^syntax-error src\/index.ts:1:19 /)],
      ],
      ["broken", [`error: broken: rehearse failed, log ${log}/3/log`, expect.stringContaining("src/index.ts:1:7: ")]],
      ["good", [`preview   ${host.appUrl("good--told")} (deploy 4, good)`]],
      ["other", [`preview   ${host.appUrl("other--told")} (deploy 5, other)`]],
    ] as const) {
      const id = (await git(repository, "rev-parse", "--short=7", branch)).trim();
      expect(lines).toEqual(expect.arrayContaining([`deploying told: ${branch} ${id} Try ${branch}`, ...end]));
    }
    expect(lines).toContain(`live      ${host.appUrl("told")} (deploy 1)`);
    expect(lines.length, lines.join("\n")).toBeLessThan(12 + 4 * 4);
    const kept = (await callApi(host, "GET", "/apps/told/deploys/2/log")).text;
    expect(kept).toContain("export class App {");
    expect((await callApi(host, "GET", "/apps/told/deploys/4/log")).text).toContain("rehearsed");
  });

  it("that is atomic goes back whole where one of them fails at its cutover only", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("main") });
    await git(repository, "branch", "fix");
    await git(repository, "tag", "v1");
    await push(repository, "atomic", "--atomic", "main", "fix", "v1");
    const before = await git(repository, "ls-remote", host.gitUrl("atomic.git"));
    await commit(repository, { "src/index.ts": counter("main2") }, "Go on");
    await git(repository, "tag", "--force", "--annotate", "--message", "Again", "v1");
    await git(repository, "tag", "v2");
    await git(repository, "checkout", "--quiet", "fix");
    const liveOnly = counter("fix").replace(
      "async fetch",
      `constructor(ctx, env) { super(ctx, env); if (env.SLIPWAY.deploy) throw new Error("live only"); }\n  async fetch`,
    );
    await commit(repository, { "src/index.ts": liveOnly }, "Break it");
    const refused = await push(repository, "atomic", "--force", "--atomic", "main", "fix", "v1", "v2");
    expect(refused.code, refused.stderr).toBe(1);
    expect(refused.stderr.match(/! \[remote rejected\]/g)).toHaveLength(4);
    expect(refused.lines.join("\n")).toContain("error: fix: cut over failed");
    expect(refused.lines.join("\n")).not.toContain("live      ");
    const main = (await git(repository, "rev-parse", "--short=7", "main~1")).trim();
    expect(refused.lines).toContain(`          main: deploy 1 (${main}) at ${host.appUrl("atomic")}`);
    expect(await git(repository, "ls-remote", host.gitUrl("atomic.git"))).toBe(before);
    expect(await visit("atomic")).toBe("main 1 production");
    expect(await visit("fix--atomic")).toBe("main 1 preview");
    const { deploys } = JSON.parse((await callApi(host, "GET", "/apps/atomic/deploys")).text);
    expect(deploys.map(({ state }: { state: string }) => state)).toEqual(["failed", "failed", "started", "live"]);
  });

  it("is told where its preview is deleted while it starts", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("main") });
    await push(repository, "ending", "main");
    await git(repository, "checkout", "--quiet", "-b", "slow");
    const source = counter("slow").replace(
      "async fetch",
      "constructor(ctx, env) { super(ctx, env); ctx.blockConcurrencyWhile(() => scheduler.wait(1500)); }\n  async fetch",
    );
    await commit(repository, { "src/index.ts": source }, "Start slowly");
    const pushing = push(repository, "ending", "slow");
    // Committed, and on its way to start.
    await vi.waitUntil(async () => (await git(repository, "ls-remote", host.gitUrl("ending.git"))).includes("/slow"), {
      timeout: 20_000,
    });
    expect((await callApi(host, "DELETE", "/apps/ending/previews/slow")).status).toBe(204);
    const ended = await pushing;
    expect(ended, ended.stderr).toMatchObject({ code: 1 });
    expect(ended.lines.join("\n")).toContain("error: cut over failed (preview-not-found)");
    expect(ended.stderr).toMatch(/! \[remote rejected\].*preview-not-found: what this was deployed to was deleted/);
    expect((await request(host.appUrl("slow--ending"))).status).toBe(404);
    expect(await visit("ending")).toBe("main 1 production");
  });

  it("makes no previews where the production branch of a first push is refused", async () => {
    const repository = await makeRepository({ "src/index.ts": "export class App {" });
    await git(repository, "checkout", "--quiet", "-b", "good");
    await commit(repository, { "src/index.ts": counter("good") }, "Good");
    const { code, stderr } = await push(repository, "headless", "main", "good");
    expect(code).toBe(1);
    expect(stderr).toContain("without one there are no previews");
    expect((await tryGit(repository, ["ls-remote", host.gitUrl("headless.git")])).stderr).toContain(
      "no such repository",
    );
  });
});

describe("the API", () => {
  it("lists previews, forks them again and deletes them", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("main") });
    await push(repository, "api-app", "main", "main:fix");
    await visit("api-app");
    await visit("fix--api-app");
    await visit("fix--api-app");
    const listed = await callApi(host, "GET", "/apps/api-app/previews");
    expect(listed.status).toBe(200);
    expect(JSON.parse(listed.text)).toMatchObject({
      previews: [{ branch: "fix", slug: "fix", state: "alive", deploy: 2, url: host.appUrl("fix--api-app") }],
    });
    expect((await callApi(host, "POST", "/apps/api-app/previews", { branch: "fix" })).status).toBe(200);
    expect(await visit("fix--api-app")).toBe("main 2 preview");
    expect((await callApi(host, "POST", "/apps/api-app/previews", { branch: "main" })).status).toBe(404);
    expect((await callApi(host, "DELETE", "/apps/api-app/previews/fix")).status).toBe(204);
    expect((await callApi(host, "DELETE", "/apps/api-app/previews/fix")).status).toBe(404);
    expect((await request(host.appUrl("fix--api-app"))).status).toBe(404);
    expect((await callApi(host, "POST", "/apps/api-app/previews", { branch: "fix" })).status).toBe(200);
    expect(await visit("fix--api-app")).toBe("main 2 preview");
  });
});
