// /metrics: what the host's apps have come to, in Prometheus' text format (its documentation, "Text-based format"). Counts come from
// the directory, to which each app reports once a minute while it does something.
import { permit } from "../app/access.ts";
import type { Host } from "../push-host.ts";
import { authenticate } from "./auth.ts";

/** More apps than these are left out: whoever runs so many asks the API for each. */
const MAX_APPS = 10_000;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly of: "requests" | "errors" | "cpuSeconds" | "egressRequests" | "deploys";
}

const METRICS: readonly Metric[] = [
  { name: "slipway_app_requests_total", help: "Requests of visitors.", of: "requests" },
  { name: "slipway_app_errors_total", help: "Requests that were answered 5xx.", of: "errors" },
  { name: "slipway_app_cpu_seconds_total", help: "CPU time of apps.", of: "cpuSeconds" },
  { name: "slipway_app_egress_requests_total", help: "Requests of apps to other hosts.", of: "egressRequests" },
  { name: "slipway_app_deploys_total", help: "Deploys.", of: "deploys" },
];

/** Needs a token of the whole host. */
export async function answerMetrics(request: Request, host: Host): Promise<Response> {
  permit(await authenticate(request, host), { action: "host" });
  const { appCount, apps } = await host.env.DIRECTORY.getByName("directory").readMetrics(MAX_APPS);
  const lines = ["# HELP slipway_apps Apps on this host.", "# TYPE slipway_apps gauge", `slipway_apps ${appCount}`];
  for (const { name, help, of } of METRICS) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
    for (const app of apps) {
      const values = { ...app, cpuSeconds: app.cpuMs / 1000 };
      // An app's name is lower-case letters, digits and hyphens: nothing to escape.
      lines.push(`${name}{app="${app.app}"} ${values[of]}`);
    }
  }
  const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" };
  return new Response(`${lines.join("\n")}\n`, { headers });
}
