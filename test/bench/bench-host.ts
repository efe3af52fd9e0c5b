// The host with the plain Durable Object beside it, on a free port and in a folder that goes away.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder } from "../e2e/git.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** As test/bench/wrangler.jsonc has it. */
const TOKEN = "bench-token";

export interface BenchHost {
  readonly port: number;
  gitUrl(app: string): string;
  /** Makes a repository that only stores. */
  createStore(app: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startBenchHost(): Promise<BenchHost> {
  Object.assign(process.env, {
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_LOG: "error",
    X_LOCAL_EXPLORER: "false",
    X_LOCAL_OBSERVABILITY: "false",
  });
  const { unstable_startWorker } = await import("wrangler");
  const worker = await unstable_startWorker({
    config: join(ROOT, "test", "bench", "wrangler.jsonc"),
    dev: {
      remote: false,
      watch: false,
      server: { hostname: "127.0.0.1", port: 0 },
      inspector: false,
      persist: makeFolder(),
    },
  });
  const url = await worker.url;
  const health = await fetch(new URL("/healthz", url));
  if (!health.ok) throw new Error(`GET /healthz answered ${health.status}.`);
  const port = Number(url.port);
  return {
    port,
    gitUrl: (app) => `http://x:${TOKEN}@localhost:${port}/${app}.git`,
    createStore: async (app) => {
      const response = await fetch(new URL("/api/v1/apps", url), {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        body: JSON.stringify({ name: app, deploy: false }),
      });
      if (!response.ok) throw new Error(`Making ${app} was answered ${response.status}.`);
    },
    stop: () => worker.dispose(),
  };
}
