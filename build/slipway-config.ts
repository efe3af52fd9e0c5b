// What package.json says to this host, under "slipway". Not in the wrangler configuration, because wrangler warns of keys that it does
// not know.
import { type ConfigFile, isTable } from "./config-file.ts";
import type { BuildMessage } from "./messages.ts";
import { nearestName } from "./nearest.ts";

/** The settings. A key is here or it is refused, so that a misspelt one is not taken for a setting. */
export interface SlipwayConfig {
  /** The path that a rehearsal asks for before a version goes live; undefined: none. */
  readonly probe: string | undefined;
}

/** `client` is read where the client is built: client.ts. */
const KEYS: Readonly<Record<keyof SlipwayConfig | "client", true>> = { probe: true, client: true };

const MAX_PROBE_LENGTH = 1000;

/** The settings, or everything that is wrong with them. */
export type SlipwayOutcome =
  | { readonly kind: "read"; readonly config: SlipwayConfig }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[] };

/** Reads them from package.json; undefined: there is none. */
export function readSlipwayConfig(file: ConfigFile | undefined): SlipwayOutcome {
  const table = file?.value["slipway"];
  if (file === undefined || table === undefined) return { kind: "read", config: { probe: undefined } };
  const invalid = (keys: readonly string[], text: string, fix: string): BuildMessage => ({
    code: "config-invalid",
    text,
    location: file.locate(keys),
    fix,
  });
  if (!isTable(table)) {
    const text = `"slipway" must be an object.`;
    return { kind: "failed", messages: [invalid(["slipway"], text, `Write "slipway": { "probe": "/health" }.`)] };
  }
  const messages = Object.keys(table)
    .filter((key) => !Object.hasOwn(KEYS, key))
    .map((key) => {
      const near = nearestName(key, Object.keys(KEYS));
      const fix = near === undefined ? `Known are: ${Object.keys(KEYS).join(", ")}.` : `Did you mean "${near}"?`;
      return invalid(["slipway", key], `"slipway" has no setting "${key}".`, fix);
    });
  const { probe } = table;
  if (probe !== undefined && !isPath(probe)) {
    const text = `"probe" must be a path that begins with "/", and is ${JSON.stringify(probe).slice(0, 100)}.`;
    messages.push(invalid(["slipway", "probe"], text, `Write "probe": "/health", or "/" for the front page.`));
  }
  if (messages.length > 0) return { kind: "failed", messages };
  return { kind: "read", config: { probe: isPath(probe) ? probe : undefined } };
}

/** Printable ASCII, as a request line has it. "//host" would be another host's address. */
function isPath(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_PROBE_LENGTH && /^\/(?!\/)[!-~]*$/.test(value);
}
