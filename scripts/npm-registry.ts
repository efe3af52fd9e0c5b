// The registries that npm itself is configured with on this machine, for the Worker: no address of a registry stands in any file.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { parseEnv, promisify } from "node:util";

/** Variables of the Worker, as src/push-npm.ts reads them. Empty where there is no npm that answers. */
export interface RegistryVariables {
  readonly NPM_REGISTRY?: string;
  readonly NPM_SCOPES?: string;
}

const TIMEOUT_MS = 20_000;

/** Asks npm, in `folder`. NPM_REGISTRY in the environment counts before it. */
export async function readRegistries(folder: string, environment: NodeJS.ProcessEnv): Promise<RegistryVariables> {
  const listed = await listConfiguration(folder, environment);
  const registry = environment["NPM_REGISTRY"] ?? listed["registry"];
  const scopes = Object.entries(listed).flatMap(([key, value]) => {
    const scope = /^(@[^:]+):registry$/.exec(key)?.[1];
    return scope !== undefined && isAddress(value) ? [[scope, value] as const] : [];
  });
  return {
    ...(isAddress(registry) ? { NPM_REGISTRY: registry } : {}),
    ...(scopes.length > 0 ? { NPM_SCOPES: JSON.stringify(Object.fromEntries(scopes)) } : {}),
  };
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && /^https?:\/\//.test(value);
}

/** npm leaves tokens out of this list, and they are not wanted: they come from secrets. */
async function listConfiguration(
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { stdout } = await promisify(execFile)("npm", ["config", "list", "--json"], {
      cwd: folder,
      env: environment,
      timeout: TIMEOUT_MS,
      maxBuffer: 4 * 1024 * 1024,
    });
    const value: unknown = JSON.parse(stdout);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    // No npm, or one that does not answer: the host runs, and a build that needs the registry says that there is none.
    return {};
  }
}

/** Tokens for private registries, from the environment, else from .dev.vars. They are never part of a message or a command line. */
export function readNpmTokens(environment: NodeJS.ProcessEnv, devVarsPath: string): Record<string, string> {
  const kept = existsSync(devVarsPath) ? parseEnv(readFileSync(devVarsPath, "utf8")) : {};
  const found = ["NPM_TOKEN", "NPM_TOKENS"].map((name) => [name, environment[name] || kept[name]] as const);
  return Object.fromEntries(found.filter((pair): pair is [string, string] => Boolean(pair[1])));
}
