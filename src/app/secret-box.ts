// Secrets at rest: AES-256-GCM with a key of each app's own, derived (HKDF) from the host's ENV_KEY. What is sealed is bound to the app and
// to the variable's name, so that no row can take another's place. ENV_KEY may be several keys with spaces between: the first seals, all of
// them open, which is how a host goes over to a new key.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** What a sealed value belongs to. */
export interface SecretPlace {
  readonly repositoryId: string;
  readonly valueId: string;
  readonly name: string;
}

/** Why secrets cannot be sealed or opened here. The message is for the host's owner, and says nothing of the secret. */
export class SecretBoxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SecretBoxError";
  }
}

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Shorter ones could be guessed. */
const MIN_KEY_LENGTH = 32;

/**
 * Seals a secret. The bytes: the key's id, the nonce, the ciphertext, the tag.
 * @throws SecretBoxError where the host has no key
 */
export function sealSecret(envKey: string | undefined, place: SecretPlace, secret: string): Uint8Array {
  const [key] = readKeys(envKey, place.repositoryId);
  if (key === undefined) throw missingKey();
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key.bytes, iv);
  cipher.setAAD(boundTo(place));
  const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
  return new Uint8Array(Buffer.concat([key.id, iv, text, cipher.getAuthTag()]));
}

/**
 * Opens what sealSecret made.
 * @throws SecretBoxError where the host has not the key that sealed it, or the bytes are not what was sealed
 */
export function openSecret(envKey: string | undefined, place: SecretPlace, sealed: Uint8Array): string {
  const keys = readKeys(envKey, place.repositoryId);
  if (keys.length === 0) throw missingKey();
  const bytes = Buffer.from(sealed);
  const key = keys.find(({ id }) => id.equals(bytes.subarray(0, KEY_ID_BYTES)));
  const wrongKey = `The secret ${place.name} was sealed with another ENV_KEY than this host has: bring that key back, or set the secret again.`;
  if (key === undefined) throw new SecretBoxError(wrongKey);
  try {
    const textStart = KEY_ID_BYTES + IV_BYTES;
    const decipher = createDecipheriv(CIPHER, key.bytes, bytes.subarray(KEY_ID_BYTES, textStart), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(place));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(textStart, -TAG_BYTES)), decipher.final()]).toString();
  } catch {
    // The tag does not match, or there are too few bytes.
    throw new SecretBoxError(`The secret ${place.name} is stored damaged: set it again.`);
  }
}

/** Why secrets cannot be sealed here; undefined: they can. */
export function explainMissingKey(envKey: string | undefined): string | undefined {
  return splitKeys(envKey).length === 0 ? missingKey().message : undefined;
}

function missingKey(): SecretBoxError {
  return new SecretBoxError(
    `This host cannot keep secrets: it has no ENV_KEY of at least ${MIN_KEY_LENGTH} characters. ` +
      "npm start makes one in .dev.vars; on Cloudflare: openssl rand -base64 32 | npx wrangler secret put ENV_KEY",
  );
}

function splitKeys(envKey: string | undefined): readonly string[] {
  return (envKey ?? "").split(/\s+/).filter((key) => key.length >= MIN_KEY_LENGTH);
}

function readKeys(envKey: string | undefined, repositoryId: string): { readonly id: Buffer; readonly bytes: Buffer }[] {
  return splitKeys(envKey).map((key) => {
    const derive = (purpose: string, length: number): Buffer =>
      Buffer.from(hkdfSync("sha256", key, repositoryId, `slipway variables 1 ${purpose}`, length));
    return { id: derive("id", KEY_ID_BYTES), bytes: derive("key", KEY_BYTES) };
  });
}

function boundTo({ repositoryId, valueId, name }: SecretPlace): Buffer {
  return Buffer.from(`${repositoryId}\n${valueId}\n${name}`);
}
