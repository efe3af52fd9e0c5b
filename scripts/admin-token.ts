// The owner's token on this machine: from the environment, else from .dev.vars (which plain `wrangler dev` reads too), else made here.
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
  const token = randomBytes(24).toString("base64url");
  const separator = devVars === "" || devVars.endsWith("\n") ? "" : "\n";
  try {
    writeFileSync(devVarsPath, `${devVars}${separator}ADMIN_TOKEN=${token}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new StartError(`A token cannot be kept in ${devVarsPath}: set ADMIN_TOKEN in the environment.`, { cause });
  }
  return token;
}

function checkToken(token: string, source: string): string {
  if (URL_SAFE.test(token)) return token;
  throw new StartError(`ADMIN_TOKEN in ${source} may hold only letters, digits and . _ ~ - (it is put into URLs).`);
}
