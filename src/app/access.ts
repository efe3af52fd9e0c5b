// Who calls, and what the caller may do. Pure: where a token comes from is for http/auth.ts, where it is kept for the directory.
import { createHash, randomBytes } from "node:crypto";
import { HostingError } from "../errors.ts";
import type { Scope, Token } from "../store/tokens.ts";

/** Who a request is from, once its token was checked. */
export interface Caller {
  /** For deploys and the audit log: the token's name, or "owner". */
  readonly name: string;
  /** undefined: the owner's own token. */
  readonly tokenId: string | undefined;
  readonly scope: Scope;
}

/**
 * What is to be done. read: clone, fetch, see state. push: also push, commit, roll back. admin: also settings, tokens, data, deletion.
 * Without an app: "host" is what only the whole host's admin may, "any" what every token may.
 */
export type Deed =
  | { readonly app: string; readonly action: "read" | "push" | "admin" }
  | { readonly action: "host" | "any" };

/** The bearer of the owner's own token, ADMIN_TOKEN. */
export const OWNER: Caller = { name: "owner", tokenId: undefined, scope: { kind: "host" } };

const LEVELS = ["read", "push", "admin"] as const;
const TOKEN = /^slp_([0-9a-f]{16})_([0-9a-f]{48})$/;

/**
 * Returns if the caller may do that.
 * @throws HostingError "auth-forbidden", which says what the token may touch and is the same for apps that do not exist
 */
export function permit({ scope }: Caller, deed: Deed): void {
  if (scope.kind === "host" || deed.action === "any") return;
  const isEnough =
    "app" in deed && deed.app === scope.app && LEVELS.indexOf(deed.action) <= LEVELS.indexOf(scope.access);
  if (!isEnough) throw new HostingError("auth-forbidden", `${describeScope(scope)} It may not do this.`);
}

function describeScope({ app, access }: Extract<Scope, { kind: "app" }>): string {
  const extent = { read: "read", push: "read and push to", admin: "read, push to and administer" }[access];
  return `This token may ${extent} the app ${app}, and nothing else.`;
}

/** A new token's id, its text and what is kept of it. 192 random bits, so that a plain hash is enough. */
export function makeToken(): { readonly id: string; readonly text: string; readonly secretHash: string } {
  const id = randomBytes(8).toString("hex");
  const text = `slp_${id}_${randomBytes(24).toString("hex")}`;
  return { id, text, secretHash: hashToken(text) };
}

/** The id in a token's text; undefined: no token of this host's making. */
export function readTokenId(text: string): string | undefined {
  return TOKEN.exec(text)?.[1];
}

/** What is kept of a token instead of its text. */
export function hashToken(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Whoever bears this token; undefined once it has expired. */
export function callerOf({ id, name, scope, expiresAtMs }: Token, nowMs: number): Caller | undefined {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs ? undefined : { name, tokenId: id, scope };
}
