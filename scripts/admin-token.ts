// The owner's token, and the key of the apps' secrets, on this machine: from the environment, else from .dev.vars (which plain `wrangler dev` reads too), else made here.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { StartError } from "./start-error.ts";

/** What a URL's user information may hold unescaped (RFC 3986, unreserved): the token is pasted into `git clone http://x:TOKEN@…`. */
const URL_SAFE = /^[A-Za-z0-9._~-]+$/;

/** The token to start with; never part of a message. `devVarsPath` is written, readable by its owner only, where nothing else has one. */
export function readAdminToken(environment: NodeJS.ProcessEnv, devVarsPath: string): string {
  if (environment["ADMIN_TOKEN"]) return checkToken(environment["ADMIN_TOKEN"], "the environment");
  const devVars = existsSync(devVarsPath) ? readFileSync(devVarsPath, "utf8") : "";
  const kept = parseEnv(devVars)["ADMIN_TOKEN"];
  if (kept) return checkToken(kept, ".dev.vars");
  return keep("ADMIN_TOKEN", randomBytes(24).toString("base64url"), devVarsPath);
}

/**
 * What secrets of apps are sealed with on this machine, from where the token is. It belongs to the data: without it they are lost.
 * Anything of 32 characters or more will do.
 */
export function readEnvKey(environment: NodeJS.ProcessEnv, devVarsPath: string): string {
  const devVars = existsSync(devVarsPath) ? readFileSync(devVarsPath, "utf8") : "";
  const key = environment["ENV_KEY"] || parseEnv(devVars)["ENV_KEY"];
  if (key) return checkKey(key);
  return keep("ENV_KEY", randomBytes(32).toString("base64url"), devVarsPath);
}

function keep(name: string, value: string, devVarsPath: string): string {
  const devVars = existsSync(devVarsPath) ? readFileSync(devVarsPath, "utf8") : "";
  const separator = devVars === "" || devVars.endsWith("\n") ? "" : "\n";
  try {
    writeFileSync(devVarsPath, `${devVars}${separator}${name}=${value}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new StartError(`${name} cannot be kept in ${devVarsPath}: set it in the environment.`, { cause });
  }
  return value;
}

function checkKey(key: string): string {
  if (key.split(/\s+/).every((part) => part.length >= 32)) return key;
  throw new StartError("ENV_KEY must have at least 32 characters: openssl rand -base64 32 makes one.");
}

function checkToken(token: string, source: string): string {
  if (URL_SAFE.test(token)) return token;
  throw new StartError(`ADMIN_TOKEN in ${source} may hold only letters, digits and . _ ~ - (it is put into URLs).`);
}
