// One host under wrangler's own development server, as a process of its own. start.ts runs it and speaks to it over IPC.
// Apart from start.ts for two reasons: a terminal's Ctrl-C reaches start.ts only, so workerd is stopped in order and not shot; and
// where start.ts is killed outright, the channel closes and this process takes workerd down with it.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RegistryVariables } from "./npm-registry.ts";

/** What start.ts sends first. The token travels here and not in an argument, which every user of the machine could read. */
export interface HostOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataPath: string;
  readonly token: string;
  readonly isVerbose: boolean;
  /** As npm is configured. Tokens for it come with the other secrets, from the environment or .dev.vars. */
  readonly registries: RegistryVariables;
  readonly secrets: Readonly<Record<string, string>>;
}

/** What this process answers, once. */
export type HostMessage =
  | { readonly kind: "ready"; readonly port: number }
  | { readonly kind: "failed"; readonly reason: string };

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

/** wrangler reads these when it is imported. */
function configureWrangler(options: HostOptions): void {
  const logPath = join(options.dataPath, "logs");
  mkdirSync(logPath, { recursive: true });
  Object.assign(process.env, {
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_LOG: options.isVerbose ? "log" : "error",
    WRANGLER_LOG_PATH: logPath,
    // Development pages that show and change every app's data without a token, and a record of every request.
    X_LOCAL_EXPLORER: "false",
    X_LOCAL_OBSERVABILITY: "false",
    // wrangler.jsonc's build command is TypeScript: it needs the Node that runs this.
    PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
  });
}

/** A running wrangler: where it listens, and how to end it with its workerd. */
interface Host {
  readonly port: number;
  dispose(): Promise<void>;
}

function makeBindings({ token, registries, secrets }: HostOptions): Record<string, Binding> {
  // The local runtime's traces say 0 of every event.
  const named = Object.entries({ ...registries, CPU_TIMES: "none" });
  const variables = named.map(([name, value]) => [name, { type: "plain_text", value }] as const);
  const hidden = Object.entries({ ...secrets, ADMIN_TOKEN: token });
  return Object.fromEntries([
    ...variables,
    ...hidden.map(([name, value]) => [name, { type: "secret_text", value }] as const),
  ]);
}

type Binding = { readonly type: "plain_text" | "secret_text"; readonly value: string };

async function startHost(options: HostOptions): Promise<Host> {
  configureWrangler(options);
  const { unstable_startWorker } = await import("wrangler");
  const worker = await unstable_startWorker({
    config: join(ROOT, "wrangler.jsonc"),
    bindings: makeBindings(options),
    dev: {
      remote: false,
      // A host serves what it started with: an edit of its source does not drop requests in flight.
      watch: false,
      server: { hostname: "127.0.0.1", port: options.port },
      inspector: false,
      persist: options.dataPath,
      structuredLogsHandler: ({ level, message }: { level: string; message: string }) => {
        if (level === "error" || options.isVerbose) process.stderr.write(`${message}\n`);
      },
    },
  });
  const failure = new Promise<never>((_resolve, reject) => {
    worker.raw.on("error", (event: { cause?: unknown }) => reject(event.cause ?? event));
  });
  const url = await Promise.race([worker.url, failure]);
  await Promise.race([checkHealth(url), failure]);
  worker.raw.on("error", (event: { cause?: unknown }) => console.error(event.cause ?? event));
  return { port: Number(url.port), dispose: () => worker.dispose() };
}

/** The first request, so that the first push finds the Worker started. wrangler holds it back until the Worker is there. */
async function checkHealth(url: URL): Promise<void> {
  const response = await fetch(new URL("/healthz", url), { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`GET /healthz answered ${response.status}: ${await response.text()}`);
}

/** The message with those of its causes: wrangler's own says little. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${describe(error.cause)}`;
}

function tell(message: HostMessage): void {
  process.send?.(message);
}

process.once("message", (options: HostOptions) => {
  const starting = startHost(options);
  starting.then(
    ({ port }) => tell({ kind: "ready", port }),
    (error: unknown) => tell({ kind: "failed", reason: describe(error) }),
  );
  process.once("disconnect", () => {
    // The group is this process and what it started; start.ts made it one.
    setTimeout(() => process.kill(-process.pid, "SIGKILL"), STOP_TIMEOUT_MS);
    void starting.then((host) => host.dispose()).finally(() => process.exit());
  });
});
