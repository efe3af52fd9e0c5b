// Subresource integrity as lockfiles have it: "sha512-<base64> sha1-<base64>". Only the strongest that is named counts.
import { createHash, type Hash } from "node:crypto";

/** One digest to check. */
export interface Integrity {
  readonly algorithm: "sha512" | "sha384" | "sha256" | "sha1";
  readonly base64: string;
}

const STRENGTH = ["sha512", "sha384", "sha256", "sha1"] as const;
/** Bytes of a digest: what is not as long proves nothing. */
const SIZES = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 } as const;

/** The strongest digest of a text, or undefined where it has none. */
export function parseIntegrity(text: string): Integrity | undefined {
  const parts = text
    .split(/\s+/)
    .map((part) => /^(sha512|sha384|sha256|sha1)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(part));
  for (const algorithm of STRENGTH) {
    const base64 = parts.find((part) => part?.[1] === algorithm)?.[2];
    if (base64 !== undefined && Buffer.from(base64, "base64").byteLength === SIZES[algorithm])
      return { algorithm, base64 };
  }
  return undefined;
}

/** "sha512-<base64>". */
export function formatIntegrity({ algorithm, base64 }: Integrity): string {
  return `${algorithm}-${base64}`;
}

/** A digest under way, for `hash.update` with each chunk. */
export function startDigest({ algorithm }: Integrity): Hash {
  return createHash(algorithm);
}

/** The name of what has this digest, for a key of the cache. */
export function integrityKey({ algorithm, base64 }: Integrity): string {
  return `${algorithm}-${Buffer.from(base64, "base64").toString("hex")}`;
}
