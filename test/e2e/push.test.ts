// The main job, with the real git client against the real host: push, change, break, roll back.
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callApi, request, startHost, type Host } from "./host.ts";
import { commit, git, makeFolder, makeRepository, spawnGit, tryGit } from "./git.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.stop();
});

/** An app that counts its visits and says which version it is. */
const counter = (version: string): string => `
import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  fetch() {
    const visits = (this.ctx.storage.kv.get("visits") ?? 0) + 1;
    this.ctx.storage.kv.put("visits", visits);
    return new Response("${version} " + visits);
  }
}
`;

const visit = async (app: string): Promise<string> => (await request(host.appUrl(app))).text;

/** Pushes and says how it went; `remote:` lines without their padding. */
async function push(repository: string, app: string, ...args: readonly string[]) {
  const result = await tryGit(repository, ["push", ...optionsOf(args), host.gitUrl(`${app}.git`), ...refspecsOf(args)]);
  const lines = result.stderr.split("\n").flatMap((line) => /^remote: ?(.*?)\s*$/.exec(line)?.[1] ?? []);
  return { ...result, remote: lines.join("\n").trim() };
}
const refspecsOf = (args: readonly string[]): readonly string[] => {
  const refspecs = args.filter((arg, at) => !arg.startsWith("-") && args[at - 1] !== "-o");
  return refspecs.length === 0 ? ["main"] : refspecs;
};
const optionsOf = (args: readonly string[]): readonly string[] =>
  args.filter((arg, at) => arg.startsWith("-") || args[at - 1] === "-o");

describe("a push", () => {
  it("creates the app, and the next one keeps its data", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("one") });
    const first = await push(repository, "keeps");
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(first.remote).toContain(host.appUrl("keeps"));
    expect(first.remote.split("\n").length).toBeLessThan(12);
    expect(await visit("keeps")).toBe("one 1");

    const before = (await git(repository, "rev-parse", "HEAD")).slice(0, 10);
    await commit(repository, { "src/index.ts": counter("two") }, "Say two");
    const second = await push(repository, "keeps");
    expect(second, second.stderr).toMatchObject({ code: 0 });
    expect(second.remote.split("\n").length).toBeLessThan(12);
    expect(second.remote.split("\n").at(-1)).toContain(`git push -f origin ${before}:main`);
    expect(await visit("keeps")).toBe("two 2");
  });

  it("prints an undo line that works when it is pasted", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("old") });
    await git(repository, "remote", "add", "origin", host.gitUrl("undo.git"));
    await git(repository, "push", "origin", "main");
    await commit(repository, { "src/index.ts": counter("new") }, "Say new");
    const { stderr } = await tryGit(repository, ["push", "origin", "main"]);
    expect(await visit("undo")).toBe("new 1");

    const line = /git (push -f origin \S+)/.exec(stderr)?.[1] ?? "";
    const undo = await tryGit(repository, line.split(" "));
    expect(undo, undo.stderr).toMatchObject({ code: 0 });
    expect(undo.stderr).toContain("same code as deploy 1");
    expect(await visit("undo")).toBe("old 2");
  });

  it("of the same tree under another commit builds nothing", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("same") });
    await push(repository, "same");
    await commit(repository, {}, "Nothing");
    const again = await push(repository, "same");
    expect(again.code).toBe(0);
    expect(again.remote).toContain("same code as deploy 1");
  });

  it("with -o json prints one line of JSON", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("json") });
    const { code, remote } = await push(repository, "json", "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(remote)).toMatchObject({ app: "json", ok: true, deploy: 1, url: host.appUrl("json") });
  });
});

describe("a push that fails", () => {
  const good = counter("good");
  const cases: readonly [string, string, string, readonly string[]][] = [
    ["a syntax error", "export const = 1;\n", "syntax-error", ["src/index.ts:1:14"]],
    ["an import that is not there", `import "./nowhere";\n${good}`, "import-not-found", ["src/index.ts:1:8"]],
    [
      "a package that is not there",
      `import "left-pad";\n${good}`,
      "dependency-not-found",
      ["left-pad", "src/index.ts:1:8"],
    ],
    [
      "a throw at module scope",
      `${good}\nthrow new Error("too early");\n`,
      "start-failed",
      ["too early", "src/index.ts"],
    ],
    [
      "a throw in the constructor",
      `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    throw new Error("bad start");
  }
}
`,
      "start-failed",
      ["bad start", "src/index.ts:5"],
    ],
    ["no class", "export const x = 1;\n", "export-missing", ["App"]],
    ["a class of another kind", "export class App { fetch() {} }\n", "export-wrong-kind", ["DurableObject"]],
  ];

  it.each(cases)("for %s changes nothing", async (name, source, code, parts) => {
    const app = name.replaceAll(/[^a-z]+/g, "-").slice(0, 38);
    const repository = await makeRepository({ "src/index.ts": good });
    await push(repository, app);
    expect(await visit(app)).toBe("good 1");
    const live = await git(repository, "rev-parse", "HEAD");

    await commit(repository, { "src/index.ts": source }, "Break it");
    const broken = await push(repository, app);
    expect(broken.code, broken.stderr).toBe(1);
    expect(broken.stderr).toMatch(new RegExp(`\\[remote rejected\\].*\\(${code}`));
    for (const part of [code, ...parts]) expect(broken.remote).toContain(part);
    expect(broken.remote).toContain("Still live: deploy 1");
    expect(await visit(app)).toBe("good 2");
    expect(await git(repository, "ls-remote", host.gitUrl(`${app}.git`), "refs/heads/main")).toContain(live);

    await commit(repository, { "src/index.ts": counter("fixed") }, "Mend it");
    expect((await push(repository, app)).code).toBe(0);
    expect(await visit(app)).toBe("fixed 3");
  });

  it("names where it looked when there is no entry file", async () => {
    const repository = await makeRepository({ "lib/app.ts": good });
    const { code, remote } = await push(repository, "no-entry");
    expect(code).toBe(1);
    expect(remote).toContain("entry-not-found");
    expect(remote).toContain("src/index.ts");
    expect(remote).toContain("lib/app.ts");
    expect((await request(host.appUrl("no-entry"))).status).toBe(404);
  });
});

/** Does not start, and takes its time for it. */
const slow = (version: string): string =>
  counter(version).replace(
    "fetch()",
    `constructor(ctx, env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      await scheduler.wait(3000);
      throw new Error("after all");
    });
  }
  fetch()`,
  );

describe("a push whose client goes away", () => {
  it("is seen to its end without it, and does not keep the next one from going live", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("one") });
    await push(repository, "killed");
    await commit(repository, { "src/index.ts": slow("slow") }, "Slow");
    const child = spawnGit(repository, ["push", host.gitUrl("killed.git"), "main"], { detached: true });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => said, { timeout: 20_000 }).toContain("built");
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await once(child, "close");

    await git(repository, "reset", "--quiet", "--hard", "HEAD~1");
    const slowId = (await git(repository, "rev-parse", "ORIG_HEAD")).slice(0, 7);
    await commit(repository, { "src/index.ts": counter("next") }, "Next");
    const next = await push(repository, "killed");
    expect(next, next.stderr).toMatchObject({ code: 0 });
    expect(next.remote).toContain(`waiting   for the push of ${slowId} by owner`);
    expect(await visit("killed")).toBe("next 1");
    const { deploys } = JSON.parse((await callApi(host, "GET", "/apps/killed/deploys")).text);
    expect(deploys.map(({ state }: { state: string }) => state)).toEqual(["live", "failed", "started"]);
    expect((await callApi(host, "GET", "/apps/killed/deploys/2/log")).text).toContain("after all");
  });
});

describe("two pushes to one branch that wait for a third", () => {
  it.each([
    ["goes live where the newer one fails its build", "export class App {", "older"],
    ["gives way where the newer one goes live", counter("newer"), "newer"],
  ])("of which the older one %s", async (_, source, expected) => {
    const app = `rivals-${expected}`;
    const repository = await makeRepository({ "src/index.ts": counter("first") });
    await push(repository, app);
    /** Pushes from a clone of its own; once this returns the history has it. */
    const begin = async (version: string, content: string) => {
      const clone = join(makeFolder(), version);
      await git(repository, "clone", "--quiet", repository, clone);
      const id = await commit(clone, { "src/index.ts": content }, version);
      const pushed = push(clone, app);
      await expect
        .poll(async () => (await callApi(host, "GET", `/apps/${app}/deploys`)).text, { timeout: 20_000, interval: 20 })
        .toContain(id);
      return { pushed };
    };
    const third = await begin("third", slow("third"));
    const older = await begin("older", counter("older"));
    const newer = await begin("newer", source);
    expect(await third.pushed).toMatchObject({ code: 1 });
    const [olderEnd, newerEnd] = [await older.pushed, await newer.pushed];
    const codes = expected === "older" ? [0, 1] : [1, 0];
    expect([olderEnd.code, newerEnd.code], olderEnd.stderr + newerEnd.stderr).toEqual(codes);
    if (expected === "newer") expect(olderEnd.stderr).toContain("push-superseded");
    expect(await visit(app)).toBe(`${expected} 1`);
  });
});

describe("a push that asks for a type check", () => {
  it("is told of errors, or stopped by them, and nobody else is", async () => {
    const typed = counter("typed").replace("fetch()", "fetch(): Response").replace("?? 0", '?? "none"');
    const repository = await makeRepository({ "src/index.ts": typed });
    expect((await push(repository, "typed")).remote).not.toContain("types");
    await commit(repository, { "src/other.ts": "export {};\n" }, "Change something else");
    const told = await push(repository, "typed", "-o", "typecheck");
    expect(told, told.stderr).toMatchObject({ code: 0 });
    expect(told.remote).toMatch(/types\s+1 error; deployed all the same/);
    expect(told.remote).toMatch(/type-error src\/index\.ts:5:\d+ .*TS\d+/);

    await commit(repository, { "src/other.ts": "export const n = 1;\n" }, "Change something else again");
    expect((await callApi(host, "PATCH", "/apps/typed", { typecheck: "strict" })).status).toBe(200);
    const stopped = await push(repository, "typed");
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(/\[remote rejected\].*type-error src\/index\.ts:5:/);
    expect(stopped.remote).toContain("Still live: deploy 2");
    const passed = await push(repository, "typed", "-o", "typecheck=off");
    expect(passed, passed.stderr).toMatchObject({ code: 0 });
  });
});

describe("branches", () => {
  it("other than the production branch are refused where there are no previews, unless they are only to be stored", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("main") });
    await push(repository, "branches");
    expect((await callApi(host, "PATCH", "/apps/branches", { maxPreviews: 0 })).status).toBe(200);
    await git(repository, "checkout", "--quiet", "-b", "feature");
    const id = await commit(repository, { "src/index.ts": counter("feature") }, "A feature");
    const refused = await push(repository, "branches", "feature");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("branch-not-deployed");
    expect(refused.remote).toContain("git push origin feature:main");

    const stored = await push(repository, "branches", "-o", "store", "feature");
    expect(stored, stored.stderr).toMatchObject({ code: 0 });
    expect(stored.remote).toContain("stored");
    expect(await visit("branches")).toBe("main 1");
    expect(await git(repository, "ls-remote", host.gitUrl("branches.git"))).toContain(`${id}\trefs/heads/feature`);
  });

  it("of another name than main become production when they come first", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("trunk") });
    expect((await push(repository, "trunk", "main:trunk")).code).toBe(0);
    expect(await visit("trunk")).toBe("trunk 1");
  });

  it("cannot be deleted where they are production", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("protected") });
    await push(repository, "protected");
    const deleted = await push(repository, "protected", ":main");
    expect(deleted.code).toBe(1);
    expect(deleted.stderr).toContain("branch-protected");
    expect(await visit("protected")).toBe("protected 1");
  });
});

describe("a repository that only stores", () => {
  it("takes any content and deploys nothing until it is told to", async () => {
    expect((await callApi(host, "POST", "/apps", { name: "shelf", deploy: false })).status).toBe(201);
    const repository = await makeRepository({ "notes.txt": "no app\n" });
    expect(await push(repository, "shelf", "main", "main:other")).toMatchObject({ code: 0, remote: "" });
    expect((await request(host.appUrl("shelf"))).status).toBe(404);

    expect((await callApi(host, "PATCH", "/apps/shelf", { deploy: true })).status).toBe(200);
    await commit(repository, { "src/index.ts": counter("now") }, "An app");
    expect(await push(repository, "shelf")).toMatchObject({ code: 0 });
    expect(await visit("shelf")).toBe("now 1");
  });
});

describe("the API", () => {
  it("lists, describes and deletes apps", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("api") });
    await push(repository, "listed");
    const commitId = await git(repository, "rev-parse", "HEAD");
    const list = JSON.parse((await callApi(host, "GET", "/apps")).text);
    expect(list.apps.map((app: { name: string }) => app.name)).toContain("listed");
    const app = JSON.parse((await callApi(host, "GET", "/apps/listed")).text);
    expect(app).toMatchObject({ name: "listed", productionBranch: "main", live: { number: 1, commit: commitId } });
    const { deploys } = JSON.parse((await callApi(host, "GET", "/apps/listed/deploys")).text);
    expect(deploys).toMatchObject([{ number: 1, state: "live", commit: commitId, subject: "Begin" }]);

    expect((await callApi(host, "DELETE", "/apps/listed")).status).toBe(200);
    expect((await callApi(host, "GET", "/apps/listed")).status).toBe(404);
    expect((await request(host.appUrl("listed"))).status).toBe(404);
    const clone = await tryGit(makeFolder(), ["clone", host.gitUrl("listed.git")]);
    expect(clone.code).not.toBe(0);

    const refused = await push(repository, "listed");
    expect([refused.code, refused.stderr]).toEqual([expect.any(Number), expect.stringContaining("409")]);
    expect(refused.code).not.toBe(0);
    expect((await callApi(host, "DELETE", "/apps/listed?forever=1")).status).toBe(204);
    const again = await push(repository, "listed");
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(await visit("listed")).toBe("api 1");
  });

  it("answers what it cannot do with problem details", async () => {
    const answers = await Promise.all([
      callApi(host, "POST", "/apps", { name: "Not--valid" }),
      callApi(host, "POST", "/apps", { name: 1 }),
      callApi(host, "GET", "/apps/nothing-here"),
      request(`${host.url}/api/v1/apps`),
      request(`${host.url}/api/v1/apps`, {
        headers: { authorization: `Bearer ${host.token}`, origin: host.appUrl("evil").slice(0, -1) },
      }),
    ]);
    expect(answers.map(({ status, text }) => [status, JSON.parse(text).code])).toEqual([
      [400, "invalid-app-name"],
      [400, "invalid-request"],
      [404, "not-found"],
      [401, "auth-required"],
      [403, "auth-forbidden"],
    ]);
  });
});

describe("a token that was made", () => {
  it("clones and pushes as far as its access goes, is named in the history, and ends when it is revoked", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("shared") });
    const tokenFor = async (access: string): Promise<{ id: string; token: string }> =>
      JSON.parse((await callApi(host, "POST", "/apps/shared/tokens", { name: `its ${access}`, access })).text);
    const [pusher, reader] = [await tokenFor("push"), await tokenFor("read")];
    const urlWith = ({ token }: { token: string }, app = "shared") =>
      `http://ci:${token}@localhost:${host.port}/${app}.git`;
    expect(await tryGit(repository, ["push", urlWith(pusher), "main"])).toMatchObject({ code: 0 });
    expect(await visit("shared")).toBe("shared 1");
    const { deploys } = JSON.parse((await callApi(host, "GET", "/apps/shared/deploys")).text);
    expect(deploys).toMatchObject([{ number: 1, actor: "its push" }]);

    expect(await tryGit(makeFolder(), ["clone", urlWith(reader)])).toMatchObject({ code: 0 });
    await commit(repository, { "src/index.ts": counter("worse") }, "Worse");
    for (const url of [urlWith(reader), urlWith(pusher, "unshared")]) {
      const refused = await tryGit(repository, ["push", url, "main"]);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("403");
    }
    const { entries } = JSON.parse((await callApi(host, "GET", "/apps/shared/audit")).text);
    expect(entries).toContainEqual(
      expect.objectContaining({ actor: "its push", action: "git push", outcome: "refs/heads/main ok" }),
    );
    expect((await callApi(host, "DELETE", `/tokens/${reader.id}`)).status).toBe(204);
    expect((await tryGit(makeFolder(), ["ls-remote", urlWith(reader)])).code).not.toBe(0);
  });
});

describe("the token", () => {
  it("is needed for everything but templates", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("secret") });
    const folder = makeFolder();
    const pushed = await tryGit(repository, ["push", `${host.url}/secret.git`, "main"]);
    const wrong = await tryGit(repository, ["push", `http://x:wrong@localhost:${host.port}/secret.git`, "main"]);
    const cloned = await tryGit(folder, ["clone", `${host.url}/new/counter/secret.git`]);
    expect([pushed.code, wrong.code, cloned.code]).toEqual([128, 128, 128]);
    expect((await tryGit(folder, ["clone", `${host.url}/templates/counter.git`])).code).toBe(0);
    const answer = await request(`${host.url}/secret.git/info/refs?service=git-receive-pack`);
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toMatch(/^Basic /);
  });

  it("never comes back in what is printed", async () => {
    const repository = await makeRepository({ "src/index.ts": counter("hush") });
    const { remote } = await push(repository, "hush");
    expect(remote).not.toContain(host.token);
    expect(host.logs()).not.toContain("wrong@");
  });
});
