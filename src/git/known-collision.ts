// The published SHA-1 collision (SHAttered, 2017): two blocks after a 192-byte PDF header, then anything. Whatever file begins with
// either variant has a twin of the same SHA-1. Attacks on other prefixes are not recognised: that takes a SHA-1 which watches its own
// intermediate states, as git's sha1dc does, and node:crypto has none.
import { createHash } from "node:crypto";

/** The header and the two blocks that collide. */
export const COLLISION_PREFIX_BYTES = 320;

/** What both variants of these bytes hash to. */
const COLLISION_PREFIX_SHA1 = "f92d74e3874587aaf443d1db961d4e26dde13e9c";

const PDF = [0x25, 0x50, 0x44, 0x46];

/** Whether a file with this content, or whose content begins so, is of the published collision. */
export function isKnownCollision(content: Uint8Array): boolean {
  if (content.byteLength < COLLISION_PREFIX_BYTES) return false;
  if (!PDF.every((byte, i) => content[i] === byte)) return false;
  const prefix = content.subarray(0, COLLISION_PREFIX_BYTES);
  return createHash("sha1").update(prefix).digest("hex") === COLLISION_PREFIX_SHA1;
}
