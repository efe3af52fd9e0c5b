// Whether a domain leads to the host: its zone, its names, its certificate and its routes, asked from outside as a visitor would.
import type { Finding } from "./doctor-checks.ts";

/** The network, as far as it is asked. */
export interface Network {
  /** The name servers of a zone; none where the name is no zone. Throws where nobody answers. */
  nameServers(name: string): Promise<readonly string[]>;
  /** Throws an error whose `cause` has a `code` where there is no answer. */
  fetch(url: string): Promise<Response>;
}

/** Reserved, so that no app has it: whoever answers for it answers for every app. */
const PROBE = "templates";
const TIMEOUT_CODES: readonly string[] = [
  "UND_ERR_CONNECT_TIMEOUT",
  "ETIMEDOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EAI_AGAIN",
];

/** All that can be seen of a domain. */
export async function checkDomain(host: string, network: Network): Promise<Finding[]> {
  if (!(await canResolve(network))) {
    return [{ state: "unknown", what: `The domain ${host}: no names can be resolved from here.` }];
  }
  const zone = await findZone(host, network);
  const reached = await Promise.all([
    checkAnswer(network, {
      name: host,
      url: `https://${host}/healthz`,
      record: host,
      zone: zone.name,
      isOurs: (answer) => answer.status === 200,
    }),
    checkAnswer(network, {
      name: `*.${host}`,
      url: `https://${PROBE}.${host}/`,
      record: `*.${host}`,
      zone: zone.name,
      isOurs: (answer) => answer.headers.get("slipway-error") !== null,
    }),
  ]);
  return [zone.finding, ...reached];
}

/** Resolvers of a machine without internet say of every name that there is none. */
async function canResolve(network: Network): Promise<boolean> {
  try {
    return (await network.nameServers("cloudflare.com")).length > 0;
  } catch {
    // Whatever the reason: there is no asking about names.
    return false;
  }
}

async function findZone(host: string, network: Network): Promise<{ name: string | undefined; finding: Finding }> {
  const labels = host.split(".");
  for (let from = 0; from < labels.length - 1; from += 1) {
    const name = labels.slice(from).join(".");
    let servers: readonly string[];
    try {
      // oxlint-disable-next-line no-await-in-loop -- the zone above is asked for only where this is none
      servers = await network.nameServers(name);
    } catch (error) {
      return { name: undefined, finding: { state: "unknown", what: `Whose zone ${host} is in: ${codeOf(error)}.` } };
    }
    if (servers.length > 0) return { name, finding: judgeZone(name, servers) };
  }
  const fix = "Register it, and add it to your Cloudflare account as a domain.";
  return { name: undefined, finding: { state: "missing", what: `No zone has ${host} in it.`, fix } };
}

function judgeZone(name: string, servers: readonly string[]): Finding {
  if (servers.every((server) => server.toLowerCase().endsWith(".ns.cloudflare.com"))) {
    return { state: "ok", what: `The zone ${name} is at Cloudflare.` };
  }
  const fix = "Add it to your Cloudflare account as a domain, and set the name servers that it says at your registrar.";
  return { state: "missing", what: `The zone ${name} is not at Cloudflare, but at ${servers[0]}.`, fix };
}

async function checkAnswer(
  network: Network,
  asked: {
    readonly name: string;
    readonly url: string;
    readonly record: string;
    readonly zone: string | undefined;
    readonly isOurs: (answer: Response) => boolean;
  },
): Promise<Finding> {
  const { name, record, zone } = asked;
  try {
    const answer = await network.fetch(asked.url);
    await answer.body?.cancel();
    if (asked.isOurs(answer)) return { state: "ok", what: `${name} leads to the host, with a certificate.` };
    const fix = `Deploy with npm run deploy -- --host ${name.replace("*.", "")}: it sets the routes. Is another Worker's route in front?`;
    return { state: "missing", what: `${name} answers with status ${answer.status}, and not as this host.`, fix };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOTFOUND") {
      const fix = `Add a proxied DNS record for ${record} (AAAA 100:: will do: nothing behind it is ever asked).`;
      return { state: "missing", what: `The name ${name} does not resolve.`, fix };
    }
    if (TIMEOUT_CODES.includes(code)) return { state: "unknown", what: `Where ${name} leads: ${code}.` };
    const isDeep = zone !== undefined && name !== zone && name !== `*.${zone}`;
    const fix = isDeep
      ? `Universal SSL covers only ${zone} and *.${zone}. Order an advanced certificate for ${name}, or use --host ${zone}.`
      : "Set the DNS record to proxied, and wait until the zone's universal certificate is active (SSL/TLS, Edge Certificates).";
    return { state: "missing", what: `${name} has no certificate that can be trusted (${code}).`, fix };
  }
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "no answer";
}
