// What an agent meets: the page alone takes a shell from nothing to a live, changed app; the MCP SDK's client does the same with tools;
// and programs can tell from exit codes and one line of JSON what became of a push.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commit, makeFolder, makeRepository, tryGit } from "./git.ts";
import { callApi, request, startHost, type Host } from "./host.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.stop();
});

const app = (answer: string): string => `
import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  fetch() {
    return new Response(${JSON.stringify(answer)});
  }
}
`;

/** The commands of the page, recipe by recipe. */
function recipesOf(page: string): string[] {
  return [...page.matchAll(/^```sh\n(.*?)^```/gms)].map((match) => match[1] ?? "");
}

/** The names in the first column of a section's table. */
function namesIn(page: string, section: string): string[] {
  const from = page.slice(page.indexOf(`## ${section}`));
  return [...from.slice(0, from.indexOf("\n## ", 1)).matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? "");
}

/** Runs a script as an agent would: no terminal, nothing to read, nothing of this machine's git configuration. */
async function runShell(script: string) {
  const folder = makeFolder();
  const env = { PATH: process.env["PATH"], HOME: folder, SLIPWAY_TOKEN: host.token };
  const child = spawn("sh", ["-eu"], { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(script);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

/** The one line of JSON among the `remote:` lines. */
function jsonIn(stderr: string): Record<string, unknown> {
  const lines = stderr.split("\n").filter((line) => line.startsWith("remote:"));
  expect(lines, stderr).toHaveLength(1);
  return JSON.parse(lines[0]!.slice("remote:".length));
}

describe("/llms.txt", () => {
  it("takes a shell from nothing to a live, changed app, command by command", async () => {
    const { status, headers, text: page } = await request(`${host.url}/llms.txt`);
    expect([status, headers["content-type"]]).toEqual([200, "text/plain; charset=utf-8"]);
    const recipes = recipesOf(page);
    expect(recipes.length).toBeGreaterThan(6);
    const { code, stdout, stderr } = await runShell(recipes.map((recipe, at) => `${recipe}\necho "#${at}"\n`).join(""));
    expect(code, stdout.slice(-2000) + stderr.slice(-2000)).toBe(0);
    expect(stdout).toContain("visitor 1.");
    expect(stdout).toContain("guest 2.");
    expect(stdout).toContain("Hello by curl");
    expect(stdout).toContain(`#${recipes.length - 1}`);
    expect(stderr).toContain('"ok":true');
    const documented = namesIn(page, "What `git push -o json`");
    const printed = Object.keys(JSON.parse(/^\{.*\}/m.exec(stdout.slice(stdout.indexOf("visitor 1.")))?.[0] ?? "{}"));
    expect(printed.length).toBeGreaterThan(10);
    expect(documented).toEqual(expect.arrayContaining(printed));
    // What is live is what the last commands left.
    expect((await callApi(host, "GET", "/apps/hello-2")).status).toBe(404);
    expect((await callApi(host, "GET", "/apps/hello")).status).toBe(200);
  });

  it("is /AGENTS.md too", async () => {
    const [one, other] = await Promise.all([request(`${host.url}/llms.txt`), request(`${host.url}/AGENTS.md`)]);
    expect(other.headers["content-type"]).toBe("text/markdown; charset=utf-8");
    expect(other.text).toBe(one.text);
  });
});

describe("the MCP server", () => {
  it("takes the SDK's client from a template to a change, a failure and back", async () => {
    const client = new Client({ name: "test", version: "1" });
    const transport = new StreamableHTTPClientTransport(new URL(`${host.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${host.token}` } },
    });
    await client.connect(transport);
    const callTool = async (name: string, args: Record<string, unknown>) => {
      const result = await client.callTool({ name, arguments: args });
      return { isError: result.isError === true, facts: JSON.parse(JSON.stringify(result.structuredContent)) };
    };
    expect(client.getServerVersion()?.name).toBe("slipway");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(["create_app", "commit_files", "rollback"]));

    expect((await callTool("create_app", { name: "tools", template: "counter" })).isError).toBe(false);
    expect((await request(host.appUrl("tools"))).text).toContain("visitor 1.");
    const changed = await callTool("commit_files", {
      app: "tools",
      message: "Say two",
      files: { "src/index.ts": app("two") },
    });
    expect(changed).toMatchObject({ isError: false, facts: { ok: true, deploy: 2, url: host.appUrl("tools") } });
    expect((await request(host.appUrl("tools"))).text).toBe("two");

    const files = { "src/index.ts": "export const = 1;\n" };
    const broken = await callTool("commit_files", { app: "tools", message: "Break it", files });
    expect(broken).toMatchObject({
      isError: true,
      facts: {
        code: "syntax-error",
        report: { failure: { file: "src/index.ts", line: 1, column: 14 }, live: { deploy: 2 } },
      },
    });
    expect((await request(host.appUrl("tools"))).text).toBe("two");
    expect((await callTool("get_deploy_log", { app: "tools", number: 3 })).facts.text).toContain("syntax-error");
    expect((await callTool("rollback", { app: "tools", deploy: 1 })).isError).toBe(false);
    expect((await request(host.appUrl("tools"))).text).toContain("visitor 2.");
    expect((await callTool("list_deploys", { app: "tools" })).facts.deploys).toHaveLength(4);
    expect((await callTool("read_logs", { app: "tools", limit: 5 })).facts.lines.length).toBeGreaterThan(0);
    await client.close();
  });

  it("lets nobody in without a token", async () => {
    const client = new Client({ name: "test", version: "1" });
    const transport = new StreamableHTTPClientTransport(new URL(`${host.url}/mcp`));
    await expect(client.connect(transport)).rejects.toThrow(/auth-required|401/);
  });
});

describe("a push of a program", () => {
  it("tells a success and a failure with -o json, each in one line with all the facts", async () => {
    const repository = await makeRepository({ "src/index.ts": app("one") });
    const push = ["push", "-o", "json", host.gitUrl("json-facts.git"), "main"];
    const good = await tryGit(repository, push);
    expect(good.code, good.stderr).toBe(0);
    expect(jsonIn(good.stderr)).toMatchObject({
      app: "json-facts",
      ok: true,
      branch: "main",
      subject: "Begin",
      received: { objects: expect.any(Number), bytes: expect.any(Number) },
      build: { entry: "src/index.ts", className: "App", moduleCount: 1 },
      rehearsal: { data: "empty" },
      cutover: { droppedCount: 0, longestHoldMs: expect.any(Number) },
      deploy: 1,
      url: host.appUrl("json-facts"),
      deployUrl: host.appUrl("v1--json-facts"),
      log: `${host.url}/api/v1/apps/json-facts/deploys/1/log`,
      refs: [{ name: "refs/heads/main", kind: "ok" }],
      stagesMs: { build: expect.any(Number) },
    });

    await commit(repository, { "src/index.ts": `import "./nowhere";\n${app("two")}` }, "Break the build");
    const unbuilt = await tryGit(repository, push);
    expect(unbuilt.code).toBe(1);
    expect(jsonIn(unbuilt.stderr)).toMatchObject({
      ok: false,
      failure: { stage: "build", code: "import-not-found", file: "src/index.ts", line: 1, column: 8 },
      explained: expect.arrayContaining([expect.stringContaining("./nowhere")]),
      live: { deploy: 1, url: host.appUrl("json-facts") },
      log: `${host.url}/api/v1/apps/json-facts/deploys/2/log`,
    });

    await commit(
      repository,
      { "src/index.ts": `${app("three")}\nthrow new Error("at the start");\n` },
      "Break the start",
    );
    const unstarted = await tryGit(repository, push);
    expect(unstarted.code).toBe(1);
    expect(jsonIn(unstarted.stderr)).toMatchObject({
      ok: false,
      failure: { code: "start-failed", file: "src/index.ts", line: 9 },
      live: { deploy: 1 },
    });

    await commit(repository, { "src/index.ts": app("four") }, "Mend it");
    const undone = jsonIn((await tryGit(repository, push)).stderr);
    expect(undone).toMatchObject({ ok: true, undo: expect.stringContaining("git push -f") });
  });

  it("fails at once and asks nothing where it has no token, or a wrong one", async () => {
    for (const [userInfo, said] of [
      ["", "could not read Username"],
      ["x:wrong@", "This needs a token of this host's."],
    ] as const) {
      const url = `http://${userInfo}localhost:${host.port}/nobodys.git`;
      const script = `git init -q -b main . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x\ngit push ${url} main\n`;
      const { code, stderr } = await runShell(script);
      expect(code).not.toBe(0);
      expect(stderr).toContain(said);
    }
    expect((await callApi(host, "GET", "/apps/nobodys")).status).toBe(404);
  });
});
