import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAdminToken, readEnvKey } from "../../scripts/admin-token.ts";
import { readHolder } from "../../scripts/data-folder.ts";
import { makeFolder } from "./git.ts";
import { request, ROOT, startHost, type Host } from "./host.ts";

/** Runs the script for cases in which it ends by itself. */
async function runStart(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ["scripts/start.ts", ...args], {
    cwd: ROOT,
    env: { ...process.env, ADMIN_TOKEN: "a-token", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

function makeTokenOnce({ url, token }: Host): ReturnType<typeof request> {
  return request(`${url}/api/v1/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "idempotency-key": "once" },
    body: JSON.stringify({ name: "made once", access: "host" }),
  });
}

function isGroupAlive(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}

/** Empty of a process that has ended since it was listed. */
function readCommandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

describe("a running host", () => {
  let host: Host;
  beforeAll(async () => void (host = await startHost({ token: "a-token~with.every_kind-of.sign" })));
  afterAll(() => host.stop());

  test("says where it is, where the data is, and how to push with the token", () => {
    expect(host.logs()).toContain(`http://localhost:${host.port}/`);
    expect(host.logs()).toContain(host.dataPath);
    expect(host.logs()).toContain(
      `git clone http://x:${host.token}@localhost:${host.port}/new/counter/hello.git && cd hello && git push`,
    );
    expect(host.logs()).toContain(`git push http://x:${host.token}@localhost:${host.port}/hello.git main`);
    expect(host.logs()).toContain(`http://hello.localhost:${host.port}/`);
  });

  test("prints nothing of wrangler", () => {
    expect(host.logs()).not.toMatch(/wrangler|⎔|telemetry/i);
  });

  test("serves", async () => {
    expect(await request(`${host.url}/healthz`)).toMatchObject({ status: 200 });
  });

  test("has no development pages that show data without a token", async () => {
    expect((await request(`${host.url}/cdn-cgi/explorer/api`)).status).not.toBe(200);
  });

  test.runIf(existsSync("/proc/self/cmdline"))("puts the token into no command line", () => {
    const commandLines = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => readCommandLine(name));
    expect(commandLines.some((line) => line.includes("scripts/host.ts"))).toBe(true);
    expect(commandLines.filter((line) => line.includes(host.token))).toEqual([]);
  });

  test("keeps its port", async () => {
    const { code, stderr, stdout } = await runStart(["--port", String(host.port), "--persist-to", makeFolder()]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^Port \d+ is in use: .+\n$/);
  });

  test("keeps its data folder", async () => {
    const { code, stderr } = await runStart(["--port", "0", "--persist-to", host.dataPath]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^A host on port \d+ already serves the folder .+\n$/);
  });
});

describe("a start that cannot be", () => {
  const file = join(makeFolder(), "file");
  writeFileSync(file, "");
  const folder = makeFolder();

  test.each([
    ["an option that does not exist", ["--prot", "1"], {}, /^Unknown option '--prot'\. The options are .+\n$/],
    ["a word too many", ["8787"], {}, /^Unexpected argument '8787'\. The options are .+\n$/],
    ["a port that is no number", ["--port", "http"], {}, /^--port takes a number .+\n$/],
    [
      "a folder that does not exist",
      ["--port", "0", "--persist-to", "/no/such/folder"],
      {},
      /^The folder \/no\/such does not exist: .+\n$/,
    ],
    ["a folder that is a file", ["--port", "0", "--persist-to", file], {}, /^.+ is a file: .+\n$/],
    [
      "a folder in a file",
      ["--port", "0", "--persist-to", join(file, "a")],
      {},
      /^The folder .+ cannot be written .+\n$/,
    ],
    ["a token with a space", ["--port", "0", "--persist-to", folder], { ADMIN_TOKEN: "a b" }, /^ADMIN_TOKEN .+\n$/],
    ["a token with an @", ["--port", "0", "--persist-to", folder], { ADMIN_TOKEN: "a@b" }, /^ADMIN_TOKEN .+\n$/],
  ])("says in one sentence: %s", async (_name, args, environment, sentence) => {
    const { code, stdout, stderr } = await runStart(args, environment);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(sentence);
  });
});

describe("the end of a host", () => {
  test("Ctrl-C ends it with 0 and leaves no process", async () => {
    const host = await startHost();
    const holder = readHolder(host.dataPath)!;
    expect(isGroupAlive(holder.pid)).toBe(true);
    expect(await host.stop()).toBe(0);
    // A killed process stays visible until it is reaped.
    await expect.poll(() => isGroupAlive(holder.pid), { timeout: 10_000 }).toBe(false);
    expect(readHolder(host.dataPath)).toBeUndefined();
    await expect(request(`${host.url}/healthz`)).rejects.toThrow("ECONNREFUSED");
  });

  test("a start script that is killed leaves no process either", async () => {
    const host = await startHost();
    const holder = readHolder(host.dataPath)!;
    await host.kill("start script");
    await expect.poll(() => isGroupAlive(holder.pid), { timeout: 10_000 }).toBe(false);
  });

  test("after a kill the same folder starts again, and knows which calls were done", async () => {
    const first = await startHost();
    const made = await makeTokenOnce(first);
    await first.kill();
    const second = await startHost({ dataPath: first.dataPath });
    expect(await request(`${second.url}/healthz`)).toMatchObject({ status: 200 });
    expect(await makeTokenOnce(second)).toMatchObject({ status: 201, text: made.text });
    await second.stop();
  });

  test("says so when the host ends by itself", async () => {
    const host = await startHost();
    const holder = readHolder(host.dataPath)!;
    process.kill(holder.pid, "SIGKILL");
    expect(await host.ended).toBe(1);
    await expect.poll(() => isGroupAlive(holder.pid), { timeout: 10_000 }).toBe(false);
    expect(host.logs()).toContain("The host ended by itself.");
  });
});

describe("readAdminToken", () => {
  test("makes a token, keeps it for its owner only, and reads it the next time", () => {
    const devVars = join(makeFolder(), ".dev.vars");
    const token = readAdminToken({}, devVars);
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(statSync(devVars).mode & 0o777).toBe(0o600);
    expect(readAdminToken({}, devVars)).toBe(token);
  });

  test("keeps the other variables of .dev.vars", () => {
    const devVars = join(makeFolder(), ".dev.vars");
    writeFileSync(devVars, "OTHER=1");
    const token = readAdminToken({}, devVars);
    expect(readFileSync(devVars, "utf8")).toBe(`OTHER=1\nADMIN_TOKEN=${token}\n`);
  });

  test("prefers the environment and then writes nothing", () => {
    const devVars = join(makeFolder(), ".dev.vars");
    expect(readAdminToken({ ADMIN_TOKEN: "mine" }, devVars)).toBe("mine");
    expect(existsSync(devVars)).toBe(false);
  });
});

describe("readEnvKey", () => {
  test("makes a key beside the token, and reads it the next time", () => {
    const devVars = join(makeFolder(), ".dev.vars");
    const token = readAdminToken({}, devVars);
    const key = readEnvKey({}, devVars);
    expect(key).toMatch(/^[\w-]{43}$/);
    expect([readAdminToken({}, devVars), readEnvKey({}, devVars)]).toEqual([token, key]);
    expect(() => readEnvKey({ ENV_KEY: "short" }, devVars)).toThrow(/32 characters/);
  });
});
