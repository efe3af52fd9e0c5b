// The process that the harness kills: wrangler's development server with worker.ts, on the folder that it is given. Prints
// "READY <port>", and "STOPPED AT <step>" where the Worker stands still.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [dataPath = ""] = process.argv.slice(2);
Object.assign(process.env, {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_LOG: "error",
  X_LOCAL_EXPLORER: "false",
  X_LOCAL_OBSERVABILITY: "false",
});
const { unstable_startWorker } = await import("wrangler");
const worker = await unstable_startWorker({
  config: join(dirname(fileURLToPath(import.meta.url)), "wrangler.jsonc"),
  dev: {
    remote: false,
    watch: false,
    server: { hostname: "127.0.0.1", port: 0 },
    inspector: false,
    persist: dataPath,
    structuredLogsHandler: ({ message }: { message: string }) => process.stdout.write(`${message}\n`),
  },
});
const url = await worker.url;
const health = await fetch(new URL("/healthz", url));
console.log(health.ok ? `READY ${url.port}` : `The host answered ${health.status}.`);
