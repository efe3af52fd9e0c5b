// What `npm run doctor` and `npm run deploy` say of an account and a domain. Wrangler is one on PATH that answers as Cloudflare would; the
// domain's network is given. Nobody is logged in anywhere.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { checkDomain, type Network } from "../../scripts/doctor-domain.ts";
import { makeFolder } from "./git.ts";
import { ROOT } from "./host.ts";

/** What wrangler prints and how it ends, by how its arguments begin. */
type Answers = Readonly<
  Record<string, { readonly status?: number; readonly stdout?: string; readonly stderr?: string }>
>;

const FAKE = `#!/usr/bin/env node
const { appendFileSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const asked = process.argv.slice(2).join(" ");
appendFileSync(join(__dirname, "calls"), asked + "\\n");
const answers = JSON.parse(readFileSync(join(__dirname, "answers.json"), "utf8"));
const found = Object.keys(answers).find((key) => asked.startsWith(key));
const { status = 0, stdout = "", stderr = "" } = answers[found] ?? { status: 1, stderr: "unknown: " + asked };
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = status;
`;

async function runScript(name: string, args: readonly string[], answers: Answers) {
  const folder = makeFolder();
  writeFileSync(join(folder, "wrangler"), FAKE);
  chmodSync(join(folder, "wrangler"), 0o755);
  writeFileSync(join(folder, "answers.json"), JSON.stringify(answers));
  const PATH = `${folder}:${process.env["PATH"]}`;
  const child = spawn(process.execPath, [`scripts/${name}.ts`, ...args], {
    cwd: ROOT,
    env: { PATH, HOME: folder, NPM_REGISTRY: "https://registry.invalid/" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr, calls: readFileSync(join(folder, "calls"), "utf8").trim().split("\n") };
}

const answer = (value: unknown) => ({ stdout: JSON.stringify(value) });
const refuse = (code: number) => ({
  status: 1,
  stderr: `✘ [ERROR] A request to the Cloudflare API failed. [code: ${code}]`,
});

const LOGIN = { whoami: answer({ loggedIn: true, accounts: [{ id: "a1", name: "Ada" }] }) };
const DEPLOYED = {
  ...LOGIN,
  "r2 bucket info slipway": answer({ name: "slipway" }),
  "deployments status": answer({ versions: [{ version_id: "v1", percentage: 100 }] }),
};

function versionWith(bindings: Readonly<Record<string, readonly [type: string, text?: string]>>): Answers {
  const list = Object.entries(bindings).map(([name, [type, value]]) => ({ name, type, text: value }));
  return { "versions view v1": answer({ resources: { bindings: list } }) };
}

const WHOLE = {
  LOADER: ["worker_loader"],
  SUPERVISOR: ["durable_object_namespace"],
  DIRECTORY: ["durable_object_namespace"],
  BUCKET: ["r2_bucket"],
  ADMIN_TOKEN: ["secret_text"],
  ENV_KEY: ["secret_text"],
  HOST: ["plain_text", "host.invalid"],
  NPM_REGISTRY: ["plain_text", "https://registry.invalid/"],
} as const;

describe("npm run doctor", () => {
  test("says what it could not check where nobody is logged in", async () => {
    const { code, stdout, calls } = await runScript("doctor", [], {
      whoami: { ...answer({ loggedIn: false }), status: 1 },
    });
    expect(stdout).toContain("✗ wrangler is not logged in.\n  Run npx wrangler login");
    expect(stdout).toContain("? Not checked: R2 bucket, plan, Worker, secrets and variables");
    expect(stdout).toContain("? Not checked: DNS records, certificate and routes");
    expect([code, calls]).toEqual([1, ["whoami --json"]]);
  });

  test.each([
    [
      "several accounts",
      { whoami: answer({ loggedIn: true, accounts: [{ id: "a" }, { id: "b" }] }) },
      "may use 2 accounts",
    ],
    ["R2 off", { ...LOGIN, r2: refuse(10042) }, "✗ R2 is not switched on."],
    ["no bucket", { ...LOGIN, r2: refuse(10006) }, "✗ There is no R2 bucket slipway."],
    [
      "a bucket that may not be seen",
      { ...LOGIN, r2: refuse(10000) },
      "? Not checked: Whether there is an R2 bucket slipway: Cloudflare answered with code 10000.",
    ],
    ["no Worker", { ...LOGIN, deployments: refuse(10007) }, "✗ The Worker is not deployed.\n  npm run deploy"],
    [
      "no answer",
      { ...LOGIN, deployments: { status: 1 } },
      "? Not checked: Whether the Worker is deployed: wrangler gave no answer.",
    ],
  ])("names what is missing, and the remedy: %s", async (_name, answers: Answers, line) => {
    const { code, stdout } = await runScript("doctor", [], answers);
    expect(stdout).toContain(line);
    expect(code).toBe(1);
  });

  test("names all that a deployed version lacks", async () => {
    const bare = versionWith({ HOST: ["plain_text", "host.invalid"] });
    const { stdout } = await runScript("doctor", [], { ...DEPLOYED, ...bare });
    expect(stdout).toContain("lacks LOADER (Dynamic Workers), SUPERVISOR (Durable Objects)");
    expect(stdout).toContain("✗ The secret ADMIN_TOKEN is not set");
    expect(stdout).toContain("✗ The secret ENV_KEY is not set");
    expect(stdout).toContain("✗ The Worker knows no npm registry");
  });

  test("finds everything on an account that has everything, by questions that change nothing", async () => {
    const { stdout, calls } = await runScript("doctor", [], { ...DEPLOYED, ...versionWith(WHOLE) });
    expect(stdout.split("\n").filter((line) => line.startsWith("✓"))).toHaveLength(7);
    expect(stdout).not.toContain("✗ The");
    expect(calls).toEqual([
      "whoami --json",
      "r2 bucket info slipway --json",
      "deployments status --json",
      "versions view v1 --json",
    ]);
  });

  test("compares the domain with the one that was deployed for", async () => {
    const { stdout } = await runScript("doctor", ["--host", "other.invalid"], { ...DEPLOYED, ...versionWith(WHOLE) });
    expect(stdout).toContain("✗ The Worker was deployed for host.invalid, not for other.invalid.");
  });
});

describe("npm run deploy", () => {
  test("makes the bucket, deploys with the domain, its routes and the registry, then says what is missing", async () => {
    const bare = { ...WHOLE, ADMIN_TOKEN: ["plain_text"] } as const;
    const { code, stdout, calls } = await runScript("deploy", ["--host", "host.invalid"], {
      ...DEPLOYED,
      ...versionWith(bare),
      "r2 bucket info slipway": refuse(10006),
      "r2 bucket create slipway": {},
      "deploy --var HOST:host.invalid": {},
    });
    expect(code).toBe(0);
    expect(calls.find((call) => call.startsWith("deploy "))).toBe(
      "deploy --var HOST:host.invalid --var NPM_REGISTRY:https://registry.invalid/ --route host.invalid/* --route *.host.invalid/*",
    );
    expect(calls.indexOf("r2 bucket create slipway")).toBe(2);
    expect(stdout).toContain("✗ The secret ADMIN_TOKEN is not set");
  });
});

describe("npm run deploy changes nothing", () => {
  test.each([
    ["without R2", { ...LOGIN, r2: refuse(10042) }, "R2 is not switched on. Switch it on"],
    [
      "with several accounts",
      { whoami: answer({ loggedIn: true, accounts: [{ id: "a" }, { id: "b" }] }) },
      "Set CLOUDFLARE_ACCOUNT_ID",
    ],
  ])("%s, and says why", async (_name, answers: Answers, words) => {
    const { code, stderr, calls } = await runScript("deploy", ["--host", "host.invalid"], answers);
    expect(stderr).toContain(words);
    expect(code).toBe(1);
    expect(calls.filter((call) => /create|^deploy/.test(call))).toEqual([]);
  });
});

/** A network in which names have these name servers, and URLs these answers. */
function networkOf(
  zones: Readonly<Record<string, readonly string[]>>,
  urls: Readonly<Record<string, Response | string>>,
): Network {
  const known: typeof zones = { "cloudflare.com": ["ns3.cloudflare.com"], ...zones };
  return {
    nameServers: async (name) => known[name] ?? [],
    fetch: async (url) => {
      const found = urls[url] ?? "ENOTFOUND";
      if (typeof found !== "string") return found;
      throw new TypeError("fetch failed", { cause: { code: found } });
    },
  };
}

const HERE = { "example.com": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"] };
const states = async (host: string, network: Network) => (await checkDomain(host, network)).map(({ state }) => state);
const told = async (host: string, network: Network) =>
  (await checkDomain(host, network)).map(({ what, fix }) => `${what} ${fix}`).join("\n");

describe("a domain", () => {
  test("that leads to the host, and everything below it too, is in place", async () => {
    const network = networkOf(HERE, {
      "https://example.com/healthz": new Response("ok"),
      "https://templates.example.com/": new Response("", {
        status: 404,
        headers: { "slipway-error": "app-not-found" },
      }),
    });
    expect(await states("example.com", network)).toEqual(["ok", "ok", "ok"]);
  });

  test("elsewhere, without names, or led to somebody else is told so", async () => {
    const network = networkOf(
      { "example.com": ["ns1.elsewhere.example"] },
      { "https://example.com/healthz": new Response("", { status: 404 }) },
    );
    const report = await told("example.com", network);
    expect(report).toContain("The zone example.com is not at Cloudflare, but at ns1.elsewhere.example.");
    expect(report).toContain("example.com answers with status 404, and not as this host.");
    expect(report).toContain("The name *.example.com does not resolve. Add a proxied DNS record for *.example.com");
  });

  test("below a zone is told of the certificate that it takes", async () => {
    const network = networkOf(HERE, {
      "https://apps.example.com/healthz": new Response("ok"),
      "https://templates.apps.example.com/": "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    });
    expect(await states("apps.example.com", network)).toEqual(["ok", "ok", "missing"]);
    expect(await told("apps.example.com", network)).toContain("Order an advanced certificate for *.apps.example.com");
  });

  test("that cannot be asked about is not judged", async () => {
    const offline: Network = { nameServers: async () => [], fetch: async () => Promise.reject(new Error("unused")) };
    expect(await states("example.com", offline)).toEqual(["unknown"]);
    const slow = networkOf(HERE, {
      "https://example.com/healthz": "ETIMEDOUT",
      "https://templates.example.com/": "ETIMEDOUT",
    });
    expect(await states("example.com", slow)).toEqual(["ok", "unknown", "unknown"]);
  });
});
