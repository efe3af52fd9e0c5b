// Which addresses an app may call: a list of hosts that its owner allows, and what no list can allow. Pure. URLs come parsed as the
// URL standard says, so that other spellings of an address (octal, hexadecimal, one number, full-width digits) are the address.
import { BlockList, isIP } from "node:net";

/** A host that an app may call: "api.example.com", "*.example.com" for everything below it, "*" for all; with ":8443", that port only. */
export interface EgressRule {
  /** Lower case; "*" or a name, perhaps with "*." in front. An IPv6 address has its brackets. */
  readonly host: string;
  /** undefined: any. */
  readonly port: string | undefined;
}

/** Whether a request may go out, or why not, as a sentence for the app's own log. */
export type EgressDecision = { readonly kind: "allowed" } | { readonly kind: "refused"; readonly reason: string };

/** Longer lists are no lists of hosts any more. */
export const MAX_RULES = 200;

/** IPv4 addresses that are nobody's public ones (IANA's special-purpose registry; RFC 6890). */
const SPECIAL_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** The part of IPv6 that is handed out to the public (RFC 4291), and in it what carries IPv4 or is for documents and tests. */
const PUBLIC_IPV6: readonly [string, number] = ["2000::", 3];
const SPECIAL_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

/** Names that mean a machine nearby (RFC 6761, RFC 6762, RFC 8375, and what clouds call their own). */
const NEARBY_NAMES: readonly string[] = ["localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion"];

const special = new BlockList();
for (const [network, prefix] of SPECIAL_IPV4) special.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of SPECIAL_IPV6) special.addSubnet(network, prefix, "ipv6");
const publicIpv6 = new BlockList();
publicIpv6.addSubnet(...PUBLIC_IPV6, "ipv6");

/** One line of the list, or undefined for what is no host. */
export function parseEgressRule(text: string): EgressRule | undefined {
  const match = /^(\*\.)?(\*|\[[0-9a-fA-F:.]+\]|[^\s*:/?#@[\]\\%]+)(?::([0-9]{1,5}))?$/.exec(text.trim());
  const [, below = "", name = "", port] = match ?? [];
  if (match === null || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) return undefined;
  if (name === "*") return below === "" ? { host: "*", port } : undefined;
  const host = normalHost(name);
  if (host === undefined) return undefined;
  return isIP(bare(host)) > 0 && below !== "" ? undefined : { host: below + host, port };
}

/** A rule as text, the same for all ways to write it. */
export function formatEgressRule({ host, port }: EgressRule): string {
  return port === undefined ? host : `${host}:${port}`;
}

/** Decides for one request. `ownHost` is the host's own name, which no app calls, nor any app below it. */
export function decideEgress(
  url: URL,
  { rules, ownHost }: { readonly rules: readonly EgressRule[]; readonly ownHost: string },
): EgressDecision {
  if (!["http:", "https:", "ws:", "wss:"].includes(url.protocol)) return refused(`${url.protocol} cannot be fetched`);
  const host = url.hostname.toLowerCase().replace(/\.$/, "");
  const nearby = nearbyReason(host);
  if (nearby !== undefined) return refused(nearby);
  if (isAtOrBelow(host, ownHost.toLowerCase())) return refused(`${host} is this host itself, which no app may call`);
  const port = url.port === "" ? defaultPort(url.protocol) : url.port;
  if (rules.some((rule) => (rule.port === undefined || rule.port === port) && matches(rule.host, host))) {
    return { kind: "allowed" };
  }
  return refused(`${host} is not on the list of hosts that this app may call`);
}

function nearbyReason(host: string): string | undefined {
  const address = bare(host);
  const family = isIP(address);
  if (family === 4 && special.check(address, "ipv4")) return `${host} is no public address`;
  if (family === 6 && (!publicIpv6.check(address, "ipv6") || special.check(address, "ipv6"))) {
    return `${host} is no public address`;
  }
  if (family > 0) return undefined;
  const isNearby = !host.includes(".") || NEARBY_NAMES.some((name) => isAtOrBelow(host, name));
  return isNearby ? `${host} is no public name` : undefined;
}

function matches(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function isAtOrBelow(host: string, name: string): boolean {
  return host === name || host.endsWith(`.${name}`);
}

/** A host as the URL standard writes it. */
function normalHost(text: string): string | undefined {
  const url = URL.parse(`http://${text}/`);
  return url === null || url.hostname === "" || url.port !== "" ? undefined : url.hostname.replace(/\.$/, "");
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function defaultPort(protocol: string): string {
  return protocol === "https:" || protocol === "wss:" ? "443" : "80";
}

function refused(reason: string): EgressDecision {
  return { kind: "refused", reason };
}
