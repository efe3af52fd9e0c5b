// Who is asking; whether they may is for permit in app/access.ts. The owner's token or one that was made through the API, sent as the password of HTTP Basic
// (any user name, as git does) or as a Bearer token. A request that a browser sends from another origin is refused before its
// token is looked at: apps live on origins of their own, and a page of one must not be able to use the owner's session.
// Clients that guess are slowed down: after too many wrong tokens none of theirs is looked at, but one that was right before.
import { createHash, timingSafeEqual } from "node:crypto";
import { OWNER, type Caller } from "../app/access.ts";
import { HostingError } from "../errors.ts";
import type { Host } from "../push-host.ts";
import { clientKey } from "./client.ts";

/**
 * Whoever sent the request. Only a token that is not the owner's costs a question to the directory, once in ten seconds.
 * @throws HostingError "auth-required", "auth-forbidden", "rate-limited", or "host-not-configured" where no owner's token is set
 */
export async function authenticate(request: Request, host: Host): Promise<Caller> {
  if (host.env.ADMIN_TOKEN === undefined || host.env.ADMIN_TOKEN === "") {
    throw new HostingError(
      "host-not-configured",
      "This host has no owner's token yet. Set it with `npx wrangler secret put ADMIN_TOKEN`; until then only the templates can be read.",
    );
  }
  refuseOtherOrigins(request);
  const token = readToken(request.headers.get("authorization") ?? undefined);
  if (token === undefined) {
    limitAnonymous(request, host);
    throw authRequired(request);
  }
  const { guesses, proven } = host.limits;
  const nowMs = Date.now();
  const client = clientKey(request);
  const digest = digestOf(token).toString("hex");
  const waitS = proven.has(client, digest) ? undefined : guesses.waitFor(client, nowMs);
  if (waitS !== undefined) throw tooMany("wrong tokens", waitS);
  const isOwner = isSameSecret(token, host.env.ADMIN_TOKEN);
  const caller = isOwner ? OWNER : await host.tokens.findCaller(token, nowMs);
  if (caller === undefined) {
    proven.remove(client, digest);
    guesses.take(client, nowMs);
    throw authRequired(request);
  }
  proven.add(client, digest);
  return caller;
}

/**
 * Counts a request that comes without a token.
 * @throws HostingError "rate-limited"
 */
export function limitAnonymous(request: Request, host: Host): void {
  const waitS = host.limits.anonymous.take(clientKey(request), Date.now());
  if (waitS !== undefined) throw tooMany("requests without a token", waitS);
}

function tooMany(what: string, retryAfterS: number): HostingError {
  const message = `There were too many ${what} from this address. Try again in ${retryAfterS} s.`;
  return new HostingError("rate-limited", message, { retryAfterS });
}

function authRequired(request: Request): HostingError {
  const url = new URL(request.url);
  return new HostingError(
    "auth-required",
    `This needs a token of this host's. For git: put it into the remote's URL, ${url.protocol}//x:TOKEN@${url.host}/<app>.git, or into a credential helper. For the API: Authorization: Bearer TOKEN.`,
  );
}

/**
 * Refuses what a browser sends on behalf of a page of another origin (the Fetch standard's Origin and Sec-Fetch-Site headers).
 * git and curl send neither.
 * @throws HostingError "auth-forbidden"
 */
export function refuseOtherOrigins(request: Request): void {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  const isOtherOrigin = origin !== null && origin !== new URL(request.url).origin;
  if (isOtherOrigin || site === "cross-site" || site === "same-site") {
    throw new HostingError("auth-forbidden", "Requests from pages of another origin are refused here.");
  }
}

/** The password of Basic credentials or a Bearer token (RFC 7617, RFC 6750), of an Authorization header. */
export function readToken(authorization: string | undefined): string | undefined {
  const [scheme = "", credentials = ""] = (authorization ?? "").trim().split(/\s+/, 2);
  if (scheme.toLowerCase() === "bearer") return credentials;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const decoded = Buffer.from(credentials, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon === -1 ? undefined : decoded.slice(colon + 1);
}

/** Digests first, so that neither the content nor the length of the secret shows in the time it takes. */
function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
