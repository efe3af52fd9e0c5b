// Who is asking. One owner's token, sent as the password of HTTP Basic (any user name, as git does) or as a Bearer token.
// A request that a browser sends from another origin is refused before its token is looked at: apps live on origins of
// their own, and a page of one must not be able to use the owner's session.
import { createHash, timingSafeEqual } from "node:crypto";
import { HostingError } from "../errors.ts";

/**
 * Returns if the request carries the owner's token.
 * @throws HostingError "auth-required", "auth-forbidden", or "host-not-configured" where no token is set at all
 */
export function requireOwner(request: Request, env: Env): void {
  if (env.ADMIN_TOKEN === undefined || env.ADMIN_TOKEN === "") {
    throw new HostingError(
      "host-not-configured",
      "This host has no owner's token yet. Set it with `npx wrangler secret put ADMIN_TOKEN`; until then only the templates can be read.",
    );
  }
  refuseOtherOrigins(request);
  const token = readToken(request.headers.get("authorization"));
  if (token === undefined || !isSameSecret(token, env.ADMIN_TOKEN)) {
    const url = new URL(request.url);
    throw new HostingError(
      "auth-required",
      `This needs the host's token. For git: put it into the remote's URL, ${url.protocol}//x:TOKEN@${url.host}/<app>.git, or into a credential helper. For the API: Authorization: Bearer TOKEN.`,
    );
  }
}

/**
 * Refuses what a browser sends on behalf of a page of another origin (the Fetch standard's Origin and Sec-Fetch-Site headers).
 * git and curl send neither.
 */
function refuseOtherOrigins(request: Request): void {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  const isOtherOrigin = origin !== null && origin !== new URL(request.url).origin;
  if (isOtherOrigin || site === "cross-site" || site === "same-site") {
    throw new HostingError("auth-forbidden", "Requests from pages of another origin are refused here.");
  }
}

/** The password of Basic credentials or a Bearer token (RFC 7617, RFC 6750). */
function readToken(authorization: string | null): string | undefined {
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
