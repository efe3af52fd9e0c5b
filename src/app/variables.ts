// The variables that an app's owner set, as an environment of the app sees them. Production has its own. Previews and old deploys on show
// have those that were set for previews, and beside them production's plain values; production's secrets they do not have.
import { findDeploy } from "../store/deploys.ts";
import { findRepository } from "../store/settings.ts";
import { listVariables, type Variable } from "../store/variables.ts";
import { environmentKind } from "./environment.ts";
import type { HostedApp } from "./hosted-app.ts";
import { openSecret, SecretBoxError } from "./secret-box.ts";
import { maskSecrets } from "./secret-mask.ts";
import type { StartFailure } from "./start-failure.ts";

/** What goes into `env`, opened. Never to be logged, hashed or stored. */
export interface OpenVariables {
  readonly values: Readonly<Record<string, string>>;
  /** Those of the values that are secret. */
  readonly secrets: readonly string[];
}

const NONE: OpenVariables = { values: {}, secrets: [] };

/** The variables of a configuration that an environment sees. */
export function viewVariables(variables: readonly Variable[], facet: string): readonly Variable[] {
  if (environmentKind(facet) === "production") return variables.filter(({ scope }) => scope === "production");
  const own = variables.filter(({ scope }) => scope === "preview");
  const inherited = variables.filter(
    ({ scope, name, content }) =>
      scope === "production" && "plain" in content && !own.some((variable) => variable.name === name),
  );
  return [...own, ...inherited];
}

/**
 * The values of a configuration in an environment.
 * @throws SecretBoxError where a secret cannot be opened: see findUnreadable, which is asked before anything starts
 */
export function openVariables(app: HostedApp, envId: string | undefined, facet: string): OpenVariables {
  if (envId === undefined) return NONE;
  const opened = viewVariables(listVariables(app.db, envId), facet).map((variable) => {
    return { name: variable.name, value: openVariable(app, variable), isSecret: "sealed" in variable.content };
  });
  return {
    values: Object.fromEntries(opened.map(({ name, value }) => [name, value])),
    secrets: opened.flatMap(({ value, isSecret }) => (isSecret ? [value] : [])),
  };
}

/** One value in the clear. @throws SecretBoxError */
export function openVariable(app: HostedApp, { content, valueId, name }: Variable): string {
  if ("plain" in content) return content.plain;
  const repositoryId = findRepository(app.db)?.repositoryId ?? "";
  return openSecret(app.env.ENV_KEY, { repositoryId, valueId, name }, content.sealed);
}

/** Why nothing can be started with the configuration; undefined: it can. */
export function findUnreadable(app: HostedApp, envId: string | undefined, facet: string): StartFailure | undefined {
  try {
    openVariables(app, envId, facet);
    return undefined;
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error;
    return { code: "secrets-unavailable", phase: "load", reason: error.message, frames: [] };
  }
}

/** So many lists of secrets stay in memory. */
const MAX_REMEMBERED = 50;

/** A text of an app's making, without the secrets that it has. */
export function maskSecretsOf(
  app: HostedApp,
  { deployNumber, facet }: { readonly deployNumber: number; readonly facet: string },
  text: string,
): string {
  return maskSecrets(text, secretsOf(app, deployNumber, facet));
}

/** The secrets that a deploy has in an environment, from memory if it was asked for before. */
function secretsOf(app: HostedApp, deployNumber: number, facet: string): readonly string[] {
  const key = `${deployNumber} ${facet}`;
  const known = app.secrets.get(key);
  if (known !== undefined) return known;
  const secrets = readSecrets(app, deployNumber, facet);
  if (app.secrets.size >= MAX_REMEMBERED) app.secrets.clear();
  app.secrets.set(key, secrets);
  return secrets;
}

function readSecrets(app: HostedApp, deployNumber: number, facet: string): readonly string[] {
  const envId = findDeploy(app.db, deployNumber)?.envId;
  // What cannot be opened was never given to the app.
  if (envId === undefined || findUnreadable(app, envId, facet) !== undefined) return [];
  return openVariables(app, envId, facet).secrets;
}
