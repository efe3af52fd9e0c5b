// `npm run deploy -- --host example.com`: this Worker to Cloudflare, with wrangler. `-- --dry-run` only bundles and measures.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readRegistries } from "./npm-registry.ts";
import { runScript, StartError } from "./start-error.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUCKET = "slipway";

/** Runs wrangler; what it prints is shown, unless it is only asked a question. */
function wrangler(args: readonly string[], output: "shown" | "read"): { isDone: boolean; stdout: string } {
  const { status, stdout } = spawnSync("wrangler", args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
    stdio: output === "shown" ? "inherit" : "pipe",
  });
  return { isDone: status === 0, stdout };
}

function readOptions(): { host: string | undefined; isDryRun: boolean } {
  try {
    const { values } = parseArgs({
      options: { host: { type: "string" }, "dry-run": { type: "boolean", default: false } },
    });
    return { host: values.host, isDryRun: values["dry-run"] };
  } catch (cause) {
    throw new StartError("npm run deploy takes -- --host NAME and --dry-run.", { cause });
  }
}

function checkHost(host: string | undefined): string {
  if (host === undefined) {
    throw new StartError("Every app answers at <app>.HOST: say which domain of yours that is, with -- --host NAME.");
  }
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) {
    throw new StartError(`--host takes a domain name such as apps.example.com, not ${JSON.stringify(host)}.`);
  }
  return host;
}

async function deploy(host: string): Promise<void> {
  if (!wrangler(["whoami", "--json"], "read").isDone) {
    throw new StartError("wrangler is not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.");
  }
  if (!wrangler(["r2", "bucket", "info", BUCKET], "read").isDone) {
    if (!wrangler(["r2", "bucket", "create", BUCKET], "shown").isDone) {
      throw new StartError("The R2 bucket for the repositories could not be made: wrangler's reason is above.");
    }
  }
  const routes = [`${host}/*`, `*.${host}/*`].flatMap((route) => ["--route", route]);
  const variables = Object.entries({ HOST: host, ...(await readRegistries(ROOT, process.env)) });
  const named = variables.flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  if (!wrangler(["deploy", ...named, ...routes], "shown").isDone) {
    throw new StartError("The Worker could not be deployed: wrangler's reason is above.");
  }
  console.log(`\nThe routes need proxied DNS records for ${host} and *.${host}, and a certificate that covers both.`);
  const { stdout: secrets } = wrangler(["secret", "list"], "read");
  if (!secrets.includes('"ADMIN_TOKEN"')) {
    console.log("Everything but the templates is closed until it has a token: npx wrangler secret put ADMIN_TOKEN");
  }
  if (!secrets.includes('"ENV_KEY"')) {
    console.log(
      "Apps can have no secrets until it has a key: openssl rand -base64 32 | npx wrangler secret put ENV_KEY",
    );
    console.log("Keep a copy of that key: what is sealed with it cannot be opened without it.");
  }
}

await runScript(async () => {
  const { host, isDryRun } = readOptions();
  if (!isDryRun) {
    await deploy(checkHost(host));
    return;
  }
  const { isDone } = wrangler(["deploy", "--dry-run", "--outdir", join(ROOT, ".wrangler", "deploy")], "shown");
  if (!isDone) throw new StartError("The Worker could not be bundled: wrangler's reason is above.");
});
