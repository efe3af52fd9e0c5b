// The directory: one Durable Object, named "directory", that knows which apps exist, which tokens there are and
// who did what. Not on the path of an app's request.
import { DurableObject } from "cloudflare:workers";
import { listApps, putApp, removeApp, type DirectoryEntry } from "../store/apps.ts";
import { beginAnswer, endAnswer, type Begun, type KeptAnswer } from "../store/answers.ts";
import { addAuditEntry, listAuditEntries, type AuditEntry, type NewAuditEntry } from "../store/audit.ts";
import { openDatabase, type Database } from "../store/database.ts";
import { countApps, listMetrics, putMetrics, removeMetrics, type AppMetrics } from "../store/metrics.ts";
import { DIRECTORY_MIGRATIONS, migrate } from "../store/schema.ts";
import {
  addToken,
  findToken,
  listTokens,
  noteTokenUse,
  removeAppTokens,
  removeToken,
  type NewToken,
  type Token,
} from "../store/tokens.ts";
import type { Caller } from "./access.ts";
import {
  closeSession,
  findSessionCaller,
  followSessionLink,
  openSession,
  type OpenedSession,
  type SessionStore,
} from "./sessions.ts";

/** A page of the list: from after a name. */
export interface DirectoryPage {
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of the audit log: from below the number `before`. */
export interface AuditPage {
  readonly app?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What an app has come to. */
export type AppReport = AppMetrics;

/** A token as lists show it. */
export type TokenEntry = Token;

export class Directory extends DurableObject<Env> {
  readonly #db: Database;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = openDatabase(ctx.storage);
    migrate(this.#db, DIRECTORY_MIGRATIONS);
  }

  /** Idempotent. */
  register(entry: DirectoryEntry): void {
    putApp(this.#db, entry);
  }

  /** Idempotent. */
  remove(name: string): void {
    removeApp(this.#db, name);
    removeMetrics(this.#db, name);
  }

  /** By name; all, or only the one of this name. */
  list(page: DirectoryPage & { readonly own?: string | undefined }): readonly DirectoryEntry[] {
    return listApps(this.#db, page);
  }

  addToken(token: NewToken): void {
    addToken(this.#db, token);
  }

  /** The token, if its secret has this hash; expired ones too. Notes that it was used. */
  verifyToken(id: string, secretHash: string): Token | undefined {
    const found = findToken(this.#db, id);
    if (found === undefined || found.secretHash !== secretHash) return undefined;
    noteTokenUse(this.#db, found, Date.now());
    const { secretHash: _, ...token } = found;
    return token;
  }

  /** By id; all, or those for one app. */
  listTokens(page: DirectoryPage & { readonly app?: string | undefined }): readonly Token[] {
    return listTokens(this.#db, page);
  }

  /** Of any app, or only of the one that is named. Whether there was such a token. */
  revokeToken(id: string, app: string | undefined): boolean {
    return removeToken(this.#db, id, app);
  }

  /** The tokens that are for this app alone. */
  revokeAppTokens(app: string): void {
    removeAppTokens(this.#db, app);
  }

  /** For the bearer of a token; undefined: the owner's. */
  openSession(kind: "session" | "link", tokenId: string | undefined): OpenedSession {
    return openSession(this.#sessions(), { kind, tokenId }, Date.now());
  }

  /** Who is signed in with it. */
  findSessionCaller(text: string): Caller | undefined {
    return findSessionCaller(this.#sessions(), { kind: "session", text }, Date.now());
  }

  /** A session for a link that was not followed yet. */
  followSessionLink(text: string): OpenedSession | undefined {
    return followSessionLink(this.#sessions(), text, Date.now());
  }

  closeSession(text: string): void {
    closeSession(this.#sessions(), text);
  }

  /** A call with an Idempotency-Key begins: what is known of it. */
  beginAnswer(call: { readonly id: string; readonly fingerprint: string }): Begun {
    return beginAnswer(this.#db, call, Date.now());
  }

  /** undefined: nothing is kept, and the call may be done again. */
  endAnswer(id: string, answer: KeptAnswer | undefined): void {
    endAnswer(this.#db, id, answer);
  }

  reportMetrics(report: AppReport): void {
    putMetrics(this.#db, report);
  }

  /** How many apps there are, and what the first so many by name used. */
  readMetrics(limit: number): { readonly appCount: number; readonly apps: readonly AppReport[] } {
    return { appCount: countApps(this.#db), apps: listMetrics(this.#db, limit) };
  }

  recordAudit(entry: NewAuditEntry): void {
    addAuditEntry(this.#db, entry);
  }

  /** Newest first; all, or what was done to one app. */
  listAudit(page: AuditPage): readonly AuditEntry[] {
    return listAuditEntries(this.#db, page);
  }

  #sessions(): SessionStore {
    return { db: this.#db, ownerToken: this.env.ADMIN_TOKEN ?? "" };
  }
}
