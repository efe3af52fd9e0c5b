// Idempotency-Key: a creating call that is repeated with the same key within a day gets the first answer and is not done again. What
// is kept is sealed with the caller's own token and the key, neither of which is stored, because an answer may contain a new token.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import type { Caller } from "../../app/access.ts";
import { HostingError } from "../../errors.ts";

const MAX_KEY_LENGTH = 200;
const MAX_KEPT_BYTES = 256 * 1024;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A call with a key. */
export interface RepeatableCall {
  readonly env: Env;
  readonly caller: Caller;
  readonly key: string;
  /** The caller's token, by whichever scheme it came; "" for who is signed in without one. */
  readonly credentials: string;
  /** Everything that makes the call what it is: method, path and body. */
  readonly content: string;
}

/**
 * The answer of `act`, now or the first time.
 * @throws HostingError "invalid-request", "idempotency-mismatch" for a key of another call, "idempotency-running"
 */
export async function answerOnce(asked: RepeatableCall, act: () => Promise<Response>): Promise<Response> {
  const { env, key, credentials, content } = asked;
  if (key === "" || key.length > MAX_KEY_LENGTH) {
    throw new HostingError("invalid-request", `An Idempotency-Key has 1 to ${MAX_KEY_LENGTH} characters.`);
  }
  const directory = env.DIRECTORY.getByName("directory");
  // Another token has keys of its own, so that no answer is met that it cannot open. What is sealed with is never what is stored.
  const caller = `${asked.caller.tokenId ?? "owner"}\n${credentials}\n${key}`;
  const id = digest(`id\n${caller}`).toString("hex");
  const sealingKey = digest(`seal\n${caller}`);
  const begun = await directory.beginAnswer({ id, fingerprint: digest(content).toString("hex") });
  switch (begun.kind) {
    case "kept": {
      const { status, contentType, sealedBody } = begun.answer;
      const body = unseal(sealedBody, sealingKey);
      return new Response(body, { status, headers: { "content-type": contentType, "idempotency-replayed": "true" } });
    }
    case "mismatch":
      throw new HostingError("idempotency-mismatch", "This Idempotency-Key was used for another call. Use a new one.");
    case "running":
      throw new HostingError("idempotency-running", "The first call with this Idempotency-Key is still being done.", {
        retryAfterS: 1,
      });
    case "new":
      break;
  }
  let kept: Parameters<typeof directory.endAnswer>[1];
  try {
    const response = await act();
    const body = Buffer.from(await response.clone().arrayBuffer());
    if (response.status < 500 && response.status !== 429 && body.byteLength <= MAX_KEPT_BYTES) {
      const contentType = response.headers.get("content-type") ?? "application/json";
      kept = { status: response.status, contentType, sealedBody: seal(body, sealingKey) };
    }
    return response;
  } finally {
    await directory.endAnswer(id, kept);
  }
}

function seal(body: Uint8Array, key: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(body), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

function unseal(sealed: Uint8Array, key: Uint8Array): Uint8Array<ArrayBuffer> {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const start = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([start, decipher.final()]);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
