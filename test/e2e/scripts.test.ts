import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { makeFolder } from "./git.ts";
import { ROOT } from "./host.ts";

async function runScript(path: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [path, ...args], {
    cwd: ROOT,
    // Another home and no other variables: nobody is logged in at Cloudflare here, whoever runs the tests.
    env: { PATH: process.env["PATH"], HOME: makeFolder() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

describe("npm run demo", () => {
  test("holds at every step", async () => {
    const { code, stdout, stderr } = await runScript("scripts/demo.ts");
    expect(stderr).toBe("");
    expect(stdout).toMatch(/Every step held\.\n$/);
    expect(code).toBe(0);
  });
});

describe("npm run deploy", () => {
  test("bundles the Worker, below Cloudflare's limit of 10 MB compressed", async () => {
    const { code, stdout } = await runScript("scripts/deploy.ts", "--dry-run");
    expect(code).toBe(0);
    expect(Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1])).toBeLessThan(10_000);
  });

  test.each([
    ["no domain", [], /^Every app answers at <app>\.HOST: .+\n$/],
    ["a domain that is a URL", ["--host", "https://example.com"], /^--host takes a domain name .+\n$/],
    ["nobody logged in", ["--host", "example.com"], /^wrangler is not logged in\. .+\n$/],
  ])("says in one sentence: %s", async (_name, args, sentence) => {
    const { code, stderr } = await runScript("scripts/deploy.ts", ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});
