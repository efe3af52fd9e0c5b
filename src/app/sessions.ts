// Signing in: what a browser holds instead of a token, and the link that gives it to one. Both are an id and a secret of 192 random
// bits. The hash that is kept of a secret has the owner's token in it where the owner opened the session: with another
// ADMIN_TOKEN none of those is worth anything.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Database } from "../store/database.ts";
import { addSession, findSession, removeSession, type SessionKind } from "../store/sessions.ts";
import { findToken } from "../store/tokens.ts";
import { callerOf, OWNER, type Caller } from "./access.ts";

const TEXT = /^([0-9a-f]{16})\.([0-9a-f]{48})$/;

const LIFE_MS: Readonly<Record<SessionKind, number>> = { session: 7 * 24 * 60 * 60 * 1000, link: 10 * 60 * 1000 };

/** A session or link that was just made: the only time that its text is known here. */
export interface OpenedSession {
  readonly text: string;
  readonly expiresAtMs: number;
}

/** What the verbs need: the directory's database and the owner's token. */
export interface SessionStore {
  readonly db: Database;
  readonly ownerToken: string;
}

/** Makes a session, or a link to one, for the bearer of a token. */
export function openSession(
  { db, ownerToken }: SessionStore,
  { kind, tokenId }: { readonly kind: SessionKind; readonly tokenId: string | undefined },
  nowMs: number,
): OpenedSession {
  const id = randomBytes(8).toString("hex");
  const secret = randomBytes(24).toString("hex");
  const expiresAtMs = nowMs + LIFE_MS[kind];
  addSession(db, { id, kind, tokenId, secretHash: hash(secret, tokenId ?? ownerToken), expiresAtMs }, nowMs);
  return { text: `${id}.${secret}`, expiresAtMs };
}

/** Who opened the session; undefined: it is none, has ended, or the token that it was opened with has. */
export function findSessionCaller(
  { db, ownerToken }: SessionStore,
  { kind, text }: { readonly kind: SessionKind; readonly text: string },
  nowMs: number,
): Caller | undefined {
  const [, id = "", secret = ""] = TEXT.exec(text) ?? [];
  const session = id === "" ? undefined : findSession(db, { id, kind }, nowMs);
  if (session === undefined) return undefined;
  const expected = Buffer.from(session.secretHash, "hex");
  if (!timingSafeEqual(Buffer.from(hash(secret, session.tokenId ?? ownerToken), "hex"), expected)) return undefined;
  if (session.tokenId === undefined) return OWNER;
  const token = findToken(db, session.tokenId);
  return token === undefined ? undefined : callerOf(token, nowMs);
}

/** Opens a session in exchange for a link, which is worth nothing afterwards. */
export function followSessionLink(store: SessionStore, text: string, nowMs: number): OpenedSession | undefined {
  const caller = findSessionCaller(store, { kind: "link", text }, nowMs);
  if (caller === undefined) return undefined;
  closeSession(store, text);
  return openSession(store, { kind: "session", tokenId: caller.tokenId }, nowMs);
}

/** Ends it, whoever asks: to know its text is to have it. */
export function closeSession({ db }: SessionStore, text: string): void {
  const id = TEXT.exec(text)?.[1];
  if (id !== undefined) removeSession(db, id);
}

function hash(secret: string, boundTo: string): string {
  return createHash("sha256").update(`${secret}\n${boundTo}`).digest("hex");
}
