// What this server says it can do, and so what a client may ask for (gitprotocol-capabilities, gitprotocol-v2).
// One table: announcing a capability and looking for it in a request both go through it, so a capability without a row does not
// exist on either side, and the compiler refuses to look for one.

/** Git's name for each service in protocol versions 0 and 1; "version-2" for the capability advertisement of version 2. */
export type Service = "git-receive-pack" | "git-upload-pack" | "version-2";

/** Sent as the server's agent. The version is the one in package.json. */
export const AGENT = "slipway/0.1.0";

/** Announced by its name alone. */
const FLAG = true;
/** Announced with a value that the repository gives, and not at all without one. */
const OF_REPOSITORY = null;

const CAPABILITIES = {
  "git-receive-pack": {
    "report-status": FLAG,
    "report-status-v2": FLAG,
    "delete-refs": FLAG,
    "side-band-64k": FLAG,
    quiet: FLAG,
    atomic: FLAG,
    "ofs-delta": FLAG,
    "push-options": FLAG,
    "object-format": "sha1",
    agent: AGENT,
  },
  "git-upload-pack": {
    multi_ack: FLAG,
    "thin-pack": FLAG,
    "side-band": FLAG,
    "side-band-64k": FLAG,
    "ofs-delta": FLAG,
    shallow: FLAG,
    "deepen-since": FLAG,
    "deepen-not": FLAG,
    "deepen-relative": FLAG,
    "no-progress": FLAG,
    "include-tag": FLAG,
    multi_ack_detailed: FLAG,
    "allow-tip-sha1-in-want": FLAG,
    "allow-reachable-sha1-in-want": FLAG,
    "no-done": FLAG,
    symref: OF_REPOSITORY,
    filter: FLAG,
    "object-format": "sha1",
    agent: AGENT,
  },
  "version-2": {
    agent: AGENT,
    "ls-refs": "unborn",
    fetch: "shallow wait-for-done filter",
    "server-option": FLAG,
    "object-format": "sha1",
    "object-info": FLAG,
  },
} as const satisfies Record<Service, Readonly<Record<string, true | string | null>>>;

/** The names in a service's row of the table. */
export type CapabilityName<S extends Service> = keyof (typeof CAPABILITIES)[S] & string;

/** What a client asked for: a capability's value, or true where it gave none. */
export type RequestedCapabilities<S extends Service> = ReadonlyMap<CapabilityName<S>, string | true>;

/** The announced capabilities in order, each as "name" or "name=value": v0 and v1 join them with spaces, v2 sends a line each. */
export function listCapabilities<S extends Service>(
  service: S,
  ofRepository: Partial<Record<CapabilityName<S>, string>> = {},
): string[] {
  const given = new Map<string, unknown>(Object.entries(ofRepository));
  const rows: [string, true | string | null][] = Object.entries(CAPABILITIES[service]);
  return rows.flatMap(([name, fixed]) => {
    const value = fixed === OF_REPOSITORY ? given.get(name) : fixed;
    if (value === FLAG) return [name];
    return typeof value === "string" ? [`${name}=${value}`] : [];
  });
}

/** The capabilities as they follow the NUL of the first ref in versions 0 and 1. */
export function formatCapabilities<S extends "git-receive-pack" | "git-upload-pack">(
  service: S,
  ofRepository: Partial<Record<CapabilityName<S>, string>> = {},
): string {
  return listCapabilities(service, ofRepository).join(" ");
}

/**
 * What a client asks for in versions 0 and 1, separated by white space, as git's parse_feature_value reads it: the first of two
 * counts, and what was not announced is ignored.
 */
export function parseCapabilities<S extends Service>(service: S, text: string): RequestedCapabilities<S> {
  const requested = new Map<CapabilityName<S>, string | true>();
  for (const word of text.split(/[ \t\n\v\f\r]+/)) {
    const { name, value } = splitCapability(word);
    if (isCapability(service, name) && !requested.has(name)) requested.set(name, value);
  }
  return requested;
}

/** One "name" or "name=value". The name may be one that was never announced. */
export function splitCapability(word: string): { name: string; value: string | true } {
  const equals = word.indexOf("=");
  if (equals < 0) return { name: word, value: true };
  return { name: word.slice(0, equals), value: word.slice(equals + 1) };
}

/** Whether the service's table has a row of this name. */
export function isCapability<S extends Service>(service: S, name: string): name is CapabilityName<S> {
  return Object.hasOwn(CAPABILITIES[service], name);
}
