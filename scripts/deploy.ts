// `npm run deploy -- --host example.com`: this Worker to Cloudflare, with wrangler. `-- --dry-run` only bundles and measures.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BUCKET } from "./doctor-checks.ts";
import { checkHost } from "./host-option.ts";
import { readRegistries } from "./npm-registry.ts";
import { runScript, StartError } from "./start-error.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs wrangler; what it prints is shown, unless it is only asked a question. */
function wrangler(args: readonly string[], output: "shown" | "read"): boolean {
  const { status } = spawnSync("wrangler", args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
    stdio: output === "shown" ? "inherit" : "pipe",
  });
  return status === 0;
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

async function deploy(host: string): Promise<void> {
  if (!wrangler(["whoami", "--json"], "read")) {
    throw new StartError("wrangler is not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.");
  }
  if (!wrangler(["r2", "bucket", "info", BUCKET], "read")) {
    if (!wrangler(["r2", "bucket", "create", BUCKET], "shown")) {
      throw new StartError("The R2 bucket for the repositories could not be made: wrangler's reason is above.");
    }
  }
  const routes = [`${host}/*`, `*.${host}/*`].flatMap((route) => ["--route", route]);
  const variables = Object.entries({ HOST: host, ...(await readRegistries(ROOT, process.env)) });
  const named = variables.flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  if (!wrangler(["deploy", ...named, ...routes], "shown")) {
    throw new StartError("The Worker could not be deployed: wrangler's reason is above.");
  }
  console.log("\nThe Worker is deployed. What else it needs:\n");
  spawnSync(process.execPath, [join(ROOT, "scripts", "doctor.ts"), "--host", host], { cwd: ROOT, stdio: "inherit" });
}

await runScript(async () => {
  const { host, isDryRun } = readOptions();
  if (!isDryRun) {
    await deploy(checkHost(host));
    return;
  }
  const isBundled = wrangler(["deploy", "--dry-run", "--outdir", join(ROOT, ".wrangler", "deploy")], "shown");
  if (!isBundled) throw new StartError("The Worker could not be bundled: wrangler's reason is above.");
});
