// `npm run doctor [-- --host example.com]`: whether everything is in place for a host on Cloudflare, and what to do where it is not.
// Reads only. Exits 0 only if nothing is missing and everything could be asked.
import { resolveNs } from "node:dns/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkLogin, checkSettings, readBucket, readWorker, type Finding } from "./doctor-checks.ts";
import { checkDomain, type Network } from "./doctor-domain.ts";
import { checkHost } from "./host-option.ts";
import { readNpmTokens, readRegistries } from "./npm-registry.ts";
import { runScript, StartError } from "./start-error.ts";
import { askWrangler, ROOT } from "./wrangler.ts";

const TIMEOUT_MS = 30_000;

const MARKS: Readonly<Record<Finding["state"], string>> = { ok: "✓", missing: "✗", unknown: "?" };

const network: Network = {
  nameServers: async (name) => {
    try {
      return await resolveNs(name);
    } catch (error) {
      const isNone = error instanceof Error && "code" in error && ["ENODATA", "ENOTFOUND"].includes(String(error.code));
      if (isNone) return [];
      throw error;
    }
  },
  fetch: (url) => fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) }),
};

function readHost(): string | undefined {
  try {
    const { values } = parseArgs({ options: { host: { type: "string" } } });
    return values.host === undefined ? undefined : checkHost(values.host);
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    throw new StartError("npm run doctor takes -- --host NAME.", { cause });
  }
}

async function examine(host: string | undefined): Promise<Finding[]> {
  const login = checkLogin(askWrangler, process.env);
  const findings: Finding[] = [login];
  let deployedHost: string | undefined;
  if (login.state === "ok") {
    findings.push(readBucket(askWrangler).finding);
    const { worker, finding } = readWorker(askWrangler);
    findings.push(finding);
    if (worker !== undefined) {
      deployedHost = worker.bindings.get("HOST")?.text;
      const { NPM_REGISTRY } = await readRegistries(ROOT, process.env);
      const hasNpmToken = Object.keys(readNpmTokens(process.env, join(ROOT, ".dev.vars"))).length > 0;
      findings.push(...checkSettings(worker, { host, registry: NPM_REGISTRY, hasNpmToken }));
    }
  } else {
    const what = "R2 bucket, plan, Worker, secrets and variables: nobody is logged in to ask.";
    findings.push({ state: "unknown", what });
  }
  const domain = host ?? deployedHost;
  if (domain !== undefined) return [...findings, ...(await checkDomain(domain, network))];
  const what = "DNS records, certificate and routes: the domain is not known.";
  return [...findings, { state: "unknown", what, fix: "Say which, with npm run doctor -- --host NAME." }];
}

await runScript(async () => {
  const findings = await examine(readHost());
  for (const { state, what, fix } of findings) {
    console.log(`${MARKS[state]} ${state === "unknown" ? `Not checked: ${what}` : what}`);
    if (fix !== undefined) console.log(`  ${fix}`);
  }
  const count = (state: Finding["state"]): number => findings.filter((finding) => finding.state === state).length;
  console.log(`\n${count("ok")} in place, ${count("missing")} missing, ${count("unknown")} not checked.`);
  if (count("ok") < findings.length) process.exitCode = 1;
});
