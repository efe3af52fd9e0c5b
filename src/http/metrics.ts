// /metrics: what the host's apps have come to, in Prometheus' text format (its documentation, "Text-based format"), in its base units.
// Figures come from the directory, to which each app reports within a minute after something of it changed.
import { permit } from "../app/access.ts";
import type { AppReport } from "../app/directory.ts";
import type { Host } from "../push-host.ts";
import { authenticate } from "./auth.ts";

/** More apps than these are left out: whoever runs so many asks the API for each. */
const MAX_APPS = 10_000;

/** undefined: the app has not reported it yet. */
type Figure = number | undefined;

interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** Where an app has several figures: what tells them apart. */
  readonly label?: string;
  /** Of one app, by the label's value. */
  readonly read: (app: AppReport) => Readonly<Record<string, Figure>>;
}

/** Of all environments of an app, but where it says otherwise. */
const METRICS: readonly Metric[] = [
  counter("slipway_app_requests_total", "Requests of visitors.", ({ counts }) => counts.requests),
  counter("slipway_app_errors_total", "Requests that were answered 5xx.", ({ counts }) => counts.errors),
  counter("slipway_app_cpu_seconds_total", "CPU time. A local host does not measure it.", ({ counts }) =>
    secondsOf(counts.cpuMs),
  ),
  counter(
    "slipway_app_wall_seconds_total",
    "Time until requests were answered, and alarms and cron runs had ended.",
    ({ counts }) => secondsOf(counts.wallMs),
  ),
  counter(
    "slipway_app_egress_requests_total",
    "Requests to other hosts, refused ones too.",
    ({ counts }) => counts.egressRequests,
  ),
  {
    name: "slipway_app_egress_bytes_total",
    type: "counter",
    help: "Bytes of bodies to and from other hosts.",
    label: "direction",
    read: ({ counts }) => ({ sent: counts.egressSentBytes, received: counts.egressReceivedBytes }),
  },
  counter("slipway_app_log_lines_total", "Lines of the log.", ({ counts }) => counts.logLines),
  counter(
    "slipway_app_dropped_log_lines_total",
    "Lines that were too many for the log.",
    ({ counts }) => counts.droppedLogLines,
  ),
  counter(
    "slipway_app_deploys_total",
    "Deploys that were committed, those that did not start too.",
    ({ counts }) => counts.deploys,
  ),
  {
    name: "slipway_app_objects",
    type: "gauge",
    help: "Named objects of production.",
    read: ({ objectCount }) => ({ "": objectCount }),
  },
  {
    name: "slipway_app_stored_bytes",
    type: "gauge",
    help: "What is stored. Of the data, kind data is production's own, objects its objects', previews that of all other environments.",
    label: "kind",
    read: ({ storedBytes }) => ({ ...storedBytes }),
  },
];

/** One figure for each app. */
function counter(name: string, help: string, read: (app: AppReport) => Figure): Metric {
  return { name, type: "counter", help, read: (app) => ({ "": read(app) }) };
}

function secondsOf(ms: Figure): Figure {
  return ms === undefined ? undefined : ms / 1000;
}

/** Needs a token of the whole host. */
export async function answerMetrics(request: Request, host: Host): Promise<Response> {
  permit(await authenticate(request, host), { action: "host" });
  const { appCount, apps } = await host.env.DIRECTORY.getByName("directory").readMetrics(MAX_APPS);
  const lines = ["# HELP slipway_apps Apps on this host.", "# TYPE slipway_apps gauge", `slipway_apps ${appCount}`];
  for (const metric of METRICS) {
    lines.push(`# HELP ${metric.name} ${metric.help}`, `# TYPE ${metric.name} ${metric.type}`);
    for (const app of apps) lines.push(...writeSamples(metric, app));
  }
  const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" };
  return new Response(`${lines.join("\n")}\n`, { headers });
}

/** An app's name is lower-case letters, digits and hyphens, and what else is a label's value is ours: nothing to escape. */
function writeSamples({ name, label, read }: Metric, app: AppReport): string[] {
  return Object.entries(read(app)).flatMap(([value, figure]) => {
    const further = label === undefined ? "" : `,${label}="${value}"`;
    return figure === undefined ? [] : `${name}{app="${app.app}"${further}} ${figure}`;
  });
}
