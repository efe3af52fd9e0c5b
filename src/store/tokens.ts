// The tokens that were made beside the owner's. Only a hash of a token is kept, so that whoever reads this table can use none.
import { findFirst, type Database } from "./database.ts";

/** What a token may do: everything on the host, or this much of one app. Each includes what stands before it. */
export type Scope =
  | { readonly kind: "host" }
  | { readonly kind: "app"; readonly app: string; readonly access: "read" | "push" | "admin" };

/** One token, without its secret. */
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  readonly createdAtMs: number;
  /** Whose token made it. */
  readonly createdBy: string;
  readonly expiresAtMs: number | undefined;
  /** To the hour. */
  readonly lastUsedAtMs: number | undefined;
}

/** A token to keep. */
export type NewToken = Omit<Token, "lastUsedAtMs"> & { readonly secretHash: string };

interface TokenColumns extends Record<string, SqlStorageValue> {
  readonly id: string;
  readonly name: string;
  readonly app: string | null;
  readonly access: string;
  readonly secret_hash: string;
  readonly created_at_ms: number;
  readonly created_by: string;
  readonly expires_at_ms: number | null;
  readonly last_used_at_ms: number | null;
}

const USE_GRAIN_MS = 60 * 60 * 1000;

export function addToken(db: Database, token: NewToken): void {
  db.sql.exec(
    `INSERT INTO tokens (id, name, app, access, secret_hash, created_at_ms, created_by, expires_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    token.id,
    token.name,
    token.scope.kind === "app" ? token.scope.app : null,
    token.scope.kind === "app" ? token.scope.access : "host",
    token.secretHash,
    token.createdAtMs,
    token.createdBy,
    token.expiresAtMs ?? null,
  );
}

/** The token of this id with the hash of its secret. Expired ones are found too. */
export function findToken(db: Database, id: string): (Token & { readonly secretHash: string }) | undefined {
  const row = findFirst(db.sql.exec<TokenColumns>("SELECT * FROM tokens WHERE id = ?", id));
  return row === undefined ? undefined : { ...readToken(row), secretHash: row.secret_hash };
}

/** By id, from after `after`; all, or those of one app. */
export function listTokens(
  db: Database,
  page: { readonly app?: string | undefined; readonly after?: string | undefined; readonly limit: number },
): Token[] {
  const rows = db.sql.exec<TokenColumns>(
    "SELECT * FROM tokens WHERE id > ? AND (? IS NULL OR app = ?) ORDER BY id LIMIT ?",
    page.after ?? "",
    page.app ?? null,
    page.app ?? null,
    page.limit,
  );
  return [...rows].map(readToken);
}

/** Of any app, or only of the one that is named. Whether there was such a token. */
export function removeToken(db: Database, id: string, app: string | undefined): boolean {
  const sql = "DELETE FROM tokens WHERE id = ? AND (? IS NULL OR app = ?)";
  return db.sql.exec(sql, id, app ?? null, app ?? null).rowsWritten > 0;
}

/** Every token that is for this app alone. */
export function removeAppTokens(db: Database, app: string): void {
  db.sql.exec("DELETE FROM tokens WHERE app = ?", app);
}

/** Writes down that a token was used, at most once an hour. */
export function noteTokenUse(db: Database, token: Token, nowMs: number): void {
  if (nowMs - (token.lastUsedAtMs ?? 0) < USE_GRAIN_MS) return;
  db.sql.exec("UPDATE tokens SET last_used_at_ms = ? WHERE id = ?", nowMs, token.id);
}

function readToken(row: TokenColumns): Token {
  return {
    id: row.id,
    name: row.name,
    scope: readScope(row),
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    expiresAtMs: row.expires_at_ms ?? undefined,
    lastUsedAtMs: row.last_used_at_ms ?? undefined,
  };
}

function readScope({ app, access }: TokenColumns): Scope {
  if (app === null && access === "host") return { kind: "host" };
  if (app !== null && (access === "read" || access === "push" || access === "admin"))
    return { kind: "app", app, access };
  throw new Error(`A token's row has the access ${access}, which no token was given.`);
}
