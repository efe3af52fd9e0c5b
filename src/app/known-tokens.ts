// What an isolate remembers of tokens that the directory confirmed, so that a clone's three requests ask once. A token that was
// revoked is believed for MAX_AGE_MS at most; in the isolate that revoked it, for no time at all.
import { callerOf, hashToken, readTokenId, type Caller } from "./access.ts";
import type { Directory } from "./directory.ts";

type Confirmed = NonNullable<Awaited<ReturnType<Directory["verifyToken"]>>>;

const MAX_AGE_MS = 10_000;
const MAX_KNOWN = 1000;

export class KnownTokens {
  readonly #env: Env;
  /** By the token's hash, oldest first. */
  readonly #known = new Map<string, { readonly token: Confirmed; readonly atMs: number }>();

  constructor(env: Env) {
    this.#env = env;
  }

  /** Whoever bears this token; undefined: it is not known, was revoked or has expired. Refusals are not remembered. */
  async findCaller(text: string, nowMs: number): Promise<Caller | undefined> {
    const id = readTokenId(text);
    if (id === undefined) return undefined;
    const hash = hashToken(text);
    const known = this.#known.get(hash);
    if (known !== undefined && nowMs - known.atMs < MAX_AGE_MS) return callerOf(known.token, nowMs);
    this.#known.delete(hash);
    const token = await this.#env.DIRECTORY.getByName("directory").verifyToken(id, hash);
    if (token === undefined) return undefined;
    this.#known.set(hash, { token, atMs: nowMs });
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value ?? hash);
    return callerOf(token, nowMs);
  }

  /** After tokens were revoked. */
  forgetAll(): void {
    this.#known.clear();
  }
}
