// App names: one DNS label, so that every app has its own origin. "--" separates a branch from an app in a preview's host name.
import { HostingError } from "../errors.ts";

declare const brand: unique symbol;

/** A name that an app may have: lower-case letters, digits and single hyphens, beginning with a letter, at most 40 characters. */
export type AppName = string & { readonly [brand]: "AppName" };

/** Names that the host needs for itself, now or on its own origin, and names that visitors would take for the host's. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "admin",
  "api",
  "auth",
  "dashboard",
  "healthz",
  "login",
  "logout",
  "mcp",
  "metrics",
  "new",
  "slipway",
  "templates",
  "www",
]);

const MAX_LENGTH = 40;

const RULE =
  "An app's name has 1 to 40 lower-case letters, digits and single hyphens, begins with a letter, does not end with a hyphen and is not a name of the host's own.";

/** The name, or undefined if it is not one that an app may have. */
export function parseAppName(text: string): AppName | undefined {
  return isAppName(text) ? text : undefined;
}

function isAppName(text: string): text is AppName {
  const isLabel = /^[a-z][a-z0-9-]{0,39}$/.test(text) && !text.includes("--") && !text.endsWith("-");
  return isLabel && !RESERVED_NAMES.has(text);
}

/**
 * The name.
 * @throws HostingError "invalid-app-name", with the rule and a name that would do
 */
export function readAppName(text: string): AppName {
  const app = parseAppName(text);
  if (app !== undefined) return app;
  throw new HostingError("invalid-app-name", `${RULE} This one would do: ${suggestAppName(text)}.`);
}

/** A valid name near a refused one. Whether it is free is for whoever asks for it to see. */
function suggestAppName(text: string): string {
  const slug = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, MAX_LENGTH - 4)
    .replace(/-+$/, "");
  const name = slug === "" ? "my-app" : slug;
  return parseAppName(name) ?? `my-${name}`;
}
