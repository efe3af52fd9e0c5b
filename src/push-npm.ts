// The registries of this host, as the npm of whoever started or deployed it was configured: scripts/npm-registry.ts puts them into
// variables. Without any, builds still have what the cache has.
import type { PackageHost } from "../build/npm/package-store.ts";
import type { RegistryConfig } from "../build/npm/registry.ts";

export function createPackageHost(env: Env): PackageHost {
  return { bucket: env.BUCKET, registry: { config: readRegistryConfig(env), fetch: (url, init) => fetch(url, init) } };
}

type RegistryVariables = Pick<Env, "NPM_REGISTRY" | "NPM_SCOPES" | "NPM_TOKEN" | "NPM_TOKENS">;

/** A token alone is for the registry itself; a table of tokens has one for each address. */
function readRegistryConfig(variables: RegistryVariables): RegistryConfig {
  const url = withSlash(variables.NPM_REGISTRY);
  const scopes = readTable(variables.NPM_SCOPES, "NPM_SCOPES");
  const tokens = readTable(variables.NPM_TOKENS, "NPM_TOKENS");
  return {
    url,
    scopes: Object.fromEntries(Object.entries(scopes).flatMap(([scope, address]) => entry(scope, withSlash(address)))),
    tokens: {
      ...(url === undefined || !variables.NPM_TOKEN ? {} : { [url]: variables.NPM_TOKEN }),
      ...Object.fromEntries(Object.entries(tokens).flatMap(([address, token]) => entry(withSlash(address), token))),
    },
  };
}

function entry<K, V>(key: K | undefined, value: V | undefined): [K, V][] {
  return key === undefined || value === undefined ? [] : [[key, value]];
}

/** URLs are made by appending to it. */
function withSlash(url: string | undefined): string | undefined {
  if (url === undefined || url === "") return undefined;
  return url.endsWith("/") ? url : `${url}/`;
}

/** An object of strings. A mistake here is the host's owner's: the value is not repeated, since it may hold a token. */
function readTable(json: string | undefined, name: string): Readonly<Record<string, string>> {
  if (!json) return {};
  const problem = `${name} is not a JSON object of strings.`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The error would quote the value.
    throw new Error(problem);
  }
  if (typeof value !== "object" || value === null) throw new Error(problem);
  const entries = Object.entries(value);
  if (!entries.every((each): each is [string, string] => typeof each[1] === "string")) throw new Error(problem);
  return Object.fromEntries(entries);
}
