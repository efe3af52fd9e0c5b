// What a host on Cloudflare needs of the account that wrangler is logged in to. Every check reads and changes nothing; what could not be
// asked is unknown, with the reason, and nothing is taken for granted. Wrangler's own sentences are not read, only its exit and codes.

/** How one question to wrangler ended. */
export interface WranglerAnswer {
  readonly isDone: boolean;
  readonly stdout: string;
  /** The API's error codes. */
  readonly codes: readonly number[];
}

export type AskWrangler = (args: readonly string[]) => WranglerAnswer;

/** One line of the report. */
export interface Finding {
  readonly state: "ok" | "missing" | "unknown";
  readonly what: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** What is deployed. */
export interface DeployedWorker {
  /** By name; the value of a variable that is no secret. */
  readonly bindings: ReadonlyMap<string, { readonly type: string; readonly text: string | undefined }>;
}

export const BUCKET = "slipway";
const NO_SUCH_BUCKET = 10_006;
const R2_IS_OFF = 10_042;
const NO_SUCH_WORKER: readonly number[] = [10_007, 10_090];

const LOG_IN = "Run npx wrangler login, or set CLOUDFLARE_API_TOKEN.";

/** Who is logged in, and which account is meant. What comes after it can be asked only if this is ok. */
export function checkLogin(ask: AskWrangler, environment: NodeJS.ProcessEnv): Finding {
  const { stdout } = ask(["whoami", "--json"]);
  const answer = readJson(stdout);
  if (answer === undefined) return { state: "unknown", what: "wrangler does not say who is logged in.", fix: LOG_IN };
  if (at(answer, "loggedIn") !== true) return { state: "missing", what: "wrangler is not logged in.", fix: LOG_IN };
  const accounts = list(at(answer, "accounts"));
  const chosen = environment["CLOUDFLARE_ACCOUNT_ID"];
  if (chosen !== undefined && !accounts.some((account) => at(account, "id") === chosen)) {
    const what = "CLOUDFLARE_ACCOUNT_ID is no account that this login may use.";
    return { state: "missing", what, fix: "Set it to one that npx wrangler whoami lists." };
  }
  if (chosen === undefined && accounts.length > 1) {
    const what = `This login may use ${accounts.length} accounts, and none is chosen.`;
    return { state: "missing", what, fix: "Set CLOUDFLARE_ACCOUNT_ID to one that npx wrangler whoami lists." };
  }
  return { state: "ok", what: "wrangler is logged in, and the account is clear." };
}

/** The bucket that packs, assets and npm packages are in. `canBeMade`: it is not there, and nothing is in the way. */
export function readBucket(ask: AskWrangler): { readonly finding: Finding; readonly canBeMade: boolean } {
  const { isDone, codes } = ask(["r2", "bucket", "info", BUCKET, "--json"]);
  if (isDone) return { canBeMade: false, finding: { state: "ok", what: `The R2 bucket ${BUCKET} is there.` } };
  if (codes.includes(R2_IS_OFF)) {
    const fix = "Switch it on in Cloudflare's dashboard, under R2.";
    return { canBeMade: false, finding: { state: "missing", what: "R2 is not switched on.", fix } };
  }
  if (codes.includes(NO_SUCH_BUCKET)) {
    const fix = `npm run deploy makes it; so does npx wrangler r2 bucket create ${BUCKET}.`;
    return { canBeMade: true, finding: { state: "missing", what: `There is no R2 bucket ${BUCKET}.`, fix } };
  }
  const what = `Whether there is an R2 bucket ${BUCKET}: ${refusal(codes)}.`;
  return { canBeMade: false, finding: { state: "unknown", what } };
}

/** The Worker as it is deployed, and what is to be said of that. */
export function readWorker(ask: AskWrangler): {
  readonly worker: DeployedWorker | undefined;
  readonly finding: Finding;
} {
  const status = ask(["deployments", "status", "--json"]);
  const versionId = at(list(at(readJson(status.stdout), "versions"))[0], "version_id");
  if (!status.isDone || typeof versionId !== "string") {
    if (!status.codes.some((code) => NO_SUCH_WORKER.includes(code))) {
      return unknownWorker(status.codes);
    }
    const fix =
      "npm run deploy -- --host NAME does it. It takes the Workers Paid plan, which cannot be asked about from here: apps run as Dynamic Workers.";
    return { worker: undefined, finding: { state: "missing", what: "The Worker is not deployed.", fix } };
  }
  const view = ask(["versions", "view", versionId, "--json"]);
  const bindings = at(at(readJson(view.stdout), "resources"), "bindings");
  if (!view.isDone || bindings === undefined) return unknownWorker(view.codes);
  const entries = list(bindings).map((binding) => {
    const text = at(binding, "text");
    return [String(at(binding, "name")), { type: String(at(binding, "type")), text: string(text) }] as const;
  });
  const worker = { bindings: new Map(entries) };
  return { worker, finding: checkFeatures(worker) };
}

function unknownWorker(codes: readonly number[]) {
  const what = `Whether the Worker is deployed: ${refusal(codes)}.`;
  return { worker: undefined, finding: { state: "unknown", what } as const };
}

/** That a version with these was accepted is how an account shows that its plan has them. */
function checkFeatures({ bindings }: DeployedWorker): Finding {
  const wanted: Readonly<Record<string, string>> = {
    LOADER: "Dynamic Workers",
    SUPERVISOR: "Durable Objects",
    DIRECTORY: "Durable Objects",
    BUCKET: "R2",
  };
  const lacking = Object.keys(wanted).filter((name) => !bindings.has(name));
  if (lacking.length === 0) {
    return {
      state: "ok",
      what: "The Worker is deployed, so the account's plan has Dynamic Workers and Durable Objects.",
    };
  }
  const features = [...new Set(lacking.map((name) => `${name} (${wanted[name]})`))].join(", ");
  return { state: "missing", what: `The deployed Worker lacks ${features}.`, fix: "Deploy it again: npm run deploy." };
}

/** Secrets and variables of the deployed Worker. */
export function checkSettings(
  { bindings }: DeployedWorker,
  wanted: { readonly host: string | undefined; readonly registry: string | undefined; readonly hasNpmToken: boolean },
): Finding[] {
  const secret = (name: string, without: string, command: string): Finding =>
    bindings.get(name)?.type === "secret_text"
      ? { state: "ok", what: `The secret ${name} is set.` }
      : { state: "missing", what: `The secret ${name} is not set: ${without}.`, fix: `Run ${command}.` };
  const findings = [
    secret("ADMIN_TOKEN", "everything but the templates is closed", "npx wrangler secret put ADMIN_TOKEN"),
    secret(
      "ENV_KEY",
      "apps can have no secrets",
      "openssl rand -base64 32 | npx wrangler secret put ENV_KEY, and keep a copy",
    ),
  ];
  if (wanted.hasNpmToken) {
    const command = "npx wrangler secret put NPM_TOKEN (or NPM_TOKENS)";
    const name = bindings.has("NPM_TOKENS") ? "NPM_TOKENS" : "NPM_TOKEN";
    findings.push(secret(name, "packages of private registries cannot be had, as they can here", command));
  }
  return [
    ...findings,
    checkHostName(bindings.get("HOST")?.text, wanted.host),
    ...checkRegistry(bindings, wanted.registry),
  ];
}

function checkHostName(deployed: string | undefined, host: string | undefined): Finding {
  const fix = "Deploy again: npm run deploy -- --host NAME.";
  if (deployed === undefined) return { state: "missing", what: "The deployed Worker has no variable HOST.", fix };
  if (host !== undefined && host !== deployed) {
    return { state: "missing", what: `The Worker was deployed for ${deployed}, not for ${host}.`, fix };
  }
  return { state: "ok", what: `The Worker was deployed for ${deployed}.` };
}

function checkRegistry(bindings: DeployedWorker["bindings"], registry: string | undefined): Finding[] {
  const deployed = bindings.get("NPM_REGISTRY")?.text;
  if (deployed === undefined) {
    const fix = "Deploy again from a machine whose npm has a registry: npm run deploy.";
    return [{ state: "missing", what: "The Worker knows no npm registry: apps can use no packages.", fix }];
  }
  if (registry === undefined || registry === deployed)
    return [{ state: "ok", what: "The Worker knows its npm registry." }];
  const what = "The Worker's npm registry is another than the one that npm is configured with here.";
  return [{ state: "ok", what }];
}

function refusal(codes: readonly number[]): string {
  return codes.length === 0 ? "wrangler gave no answer" : `Cloudflare answered with code ${codes.join(", ")}`;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is no answer, which every check says in its own words.
    return undefined;
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function string(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
