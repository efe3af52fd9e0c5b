// `npm run deploy -- --host example.com`: this Worker to Cloudflare, with wrangler. `-- --dry-run` only bundles and measures.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BUCKET, checkLogin, readBucket, type Finding } from "./doctor-checks.ts";
import { checkHost } from "./host-option.ts";
import { readRegistries } from "./npm-registry.ts";
import { runScript, StartError } from "./start-error.ts";
import { askWrangler, ROOT, runWrangler } from "./wrangler.ts";

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

/** What has to be in place before anything is changed. What could not be asked is left to the deploy itself. */
function demand({ state, what, fix }: Finding): void {
  if (state === "missing") throw new StartError(`${what} ${fix}`);
}

async function deploy(host: string): Promise<void> {
  demand(checkLogin(askWrangler, process.env));
  const bucket = readBucket(askWrangler);
  if (!bucket.canBeMade) demand(bucket.finding);
  else if (!runWrangler(["r2", "bucket", "create", BUCKET])) {
    throw new StartError("The R2 bucket for the repositories could not be made: wrangler's reason is above.");
  }
  const routes = [`${host}/*`, `*.${host}/*`].flatMap((route) => ["--route", route]);
  const variables = Object.entries({ HOST: host, ...(await readRegistries(ROOT, process.env)) });
  const named = variables.flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  if (!runWrangler(["deploy", ...named, ...routes])) {
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
  const isBundled = runWrangler(["deploy", "--dry-run", "--outdir", join(ROOT, ".wrangler", "deploy")]);
  if (!isBundled) throw new StartError("The Worker could not be bundled: wrangler's reason is above.");
});
