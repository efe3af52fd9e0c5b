// Tokens beside the owner's: for the whole host, or for one app. A token's text is in the answer that makes it and nowhere else.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { makeToken, type Caller } from "../../app/access.ts";
import { readAppName } from "../../app/app-name.ts";
import type { TokenEntry } from "../../app/directory.ts";
import { HostingError } from "../../errors.ts";
import { cutPage, Next, pageQuery } from "./paging.ts";
import { refuses } from "./refusals.ts";
import { type ApiEnv, AppPath, isoTime, json, jsonBody, makeRouter, needs, Time } from "./resource.ts";

const AppAccess = z.enum(["read", "push", "admin"]).openapi({
  description: "read: clone, fetch, see state and logs. push: also push, commit, roll back. admin: everything.",
});

const TokenJson = z
  .object({
    id: z.string(),
    name: z.string(),
    app: z.string().nullable().openapi({ description: "null: the whole host." }),
    access: z.enum(["read", "push", "admin", "host"]),
    createdAt: Time,
    createdBy: z.string().openapi({ description: 'The name of the token that made it; "owner" for ADMIN_TOKEN.' }),
    expiresAt: Time.nullable(),
    lastUsedAt: Time.nullable().openapi({ description: "To the hour." }),
  })
  .openapi("Token");

const MadeToken = TokenJson.extend({
  token: z.string().openapi({ description: "The token. It is shown this once and stored nowhere." }),
}).openapi("MadeToken");

/** A token, and one that was just made. */
export type TokenAnswer = z.infer<typeof TokenJson>;
export type MadeTokenAnswer = z.infer<typeof MadeToken>;

const NewAppToken = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .openapi({ description: "What deploys and the audit log call its bearer.", example: "ci" }),
  access: AppAccess,
  expiresAt: Time.optional().openapi({ description: "Without it the token is valid until it is revoked." }),
});

const TokenPage = pageQuery(z.string().regex(/^[0-9a-f]{16}$/));

const TokenPath = z.object({ token: z.string().openapi({ param: { name: "token", in: "path" } }) });
const TokenList = z.object({ tokens: z.array(TokenJson), next: Next });

export const tokens = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/tokens",
  summary: "All tokens but the owner's, by id",
  ...needs("host"),
  request: { query: TokenPage },
  responses: { 200: json(TokenList, "A page of the list.") },
});

tokens.openapi(listRoute, async (c) => c.json(await listPage(c, c.req.valid("query")), 200));

const makeTokenRoute = createRoute({
  method: "post",
  path: "/tokens",
  summary: "Make a token for the whole host, or for one app",
  ...needs("host"),
  ...refuses("invalid-app-name"),
  request: {
    body: jsonBody(
      z
        .discriminatedUnion("access", [
          NewAppToken.extend({ access: z.literal("host") }),
          NewAppToken.extend({ app: z.string().openapi({ description: "It need not exist yet.", example: "hello" }) }),
        ])
        .openapi("NewToken"),
    ),
  },
  responses: { 201: json(MadeToken, "The token.") },
});

tokens.openapi(makeTokenRoute, async (c) => {
  const asked = c.req.valid("json");
  const scope =
    asked.access === "host"
      ? ({ kind: "host" } as const)
      : ({ kind: "app", app: readAppName(asked.app), access: asked.access } as const);
  return c.json(await make(c.env.host.env, c.get("caller"), { ...asked, scope }), 201);
});

const revokeRoute = createRoute({
  method: "delete",
  path: "/tokens/{token}",
  summary: "Revoke a token, by its id; it is refused everywhere after 10 seconds at most",
  ...needs("host"),
  ...refuses("not-found"),
  request: { params: TokenPath },
  responses: { 204: { description: "It is revoked." } },
});

tokens.openapi(revokeRoute, async (c) => {
  const { env, tokens: known } = c.env.host;
  await revoke(env, c.req.valid("param").token, undefined);
  known.forgetAll();
  return c.body(null, 204);
});

const listAppRoute = createRoute({
  method: "get",
  path: "/apps/{app}/tokens",
  summary: "The tokens that are for this app alone, by id",
  ...needs("admin"),
  request: { params: AppPath, query: TokenPage },
  responses: { 200: json(TokenList, "A page of the list.") },
});

tokens.openapi(listAppRoute, async (c) => {
  const page = { ...c.req.valid("query"), app: c.req.valid("param").app };
  return c.json(await listPage(c, page), 200);
});

const makeAppTokenRoute = createRoute({
  method: "post",
  path: "/apps/{app}/tokens",
  summary: "Make a token for this app alone, which need not exist yet",
  ...needs("admin"),
  request: { params: AppPath, body: jsonBody(NewAppToken.openapi("NewAppToken")) },
  responses: { 201: json(MadeToken, "The token.") },
});

tokens.openapi(makeAppTokenRoute, async (c) => {
  const { app } = c.req.valid("param");
  const asked = c.req.valid("json");
  const scope = { kind: "app", app, access: asked.access } as const;
  return c.json(await make(c.env.host.env, c.get("caller"), { ...asked, scope }), 201);
});

const revokeAppRoute = createRoute({
  method: "delete",
  path: "/apps/{app}/tokens/{token}",
  summary: "Revoke a token that is for this app alone, by its id",
  ...needs("admin"),
  ...refuses("not-found"),
  request: { params: AppPath.extend(TokenPath.shape) },
  responses: { 204: { description: "It is revoked." } },
});

tokens.openapi(revokeAppRoute, async (c) => {
  const { env, tokens: known } = c.env.host;
  const { app, token } = c.req.valid("param");
  await revoke(env, token, app);
  known.forgetAll();
  return c.body(null, 204);
});

async function listPage(
  c: Context<ApiEnv>,
  { app, cursor, limit }: { readonly app?: string; readonly cursor?: string | undefined; readonly limit: number },
): Promise<z.infer<typeof TokenList>> {
  const directory = c.env.host.env.DIRECTORY.getByName("directory");
  const found = await directory.listTokens({ app, after: cursor, limit: limit + 1 });
  const { page, next } = cutPage(c, found, { limit, keyOf: ({ id }) => id });
  return { tokens: page.map(tokenJson), next };
}

async function make(
  env: Env,
  caller: Caller,
  asked: Pick<TokenEntry, "name" | "scope"> & { readonly expiresAt?: string | undefined },
): Promise<z.infer<typeof MadeToken>> {
  const nowMs = Date.now();
  const expiresAtMs = asked.expiresAt === undefined ? undefined : Date.parse(asked.expiresAt);
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) {
    throw new HostingError("invalid-request", '"expiresAt" must be in the future.');
  }
  const { id, text, secretHash } = makeToken();
  const { name, scope } = asked;
  const token = { id, name, scope, createdAtMs: nowMs, createdBy: caller.name, expiresAtMs };
  await env.DIRECTORY.getByName("directory").addToken({ ...token, secretHash });
  return { ...tokenJson({ ...token, lastUsedAtMs: undefined }), token: text };
}

async function revoke(env: Env, id: string, app: string | undefined): Promise<void> {
  if (await env.DIRECTORY.getByName("directory").revokeToken(id, app)) return;
  throw new HostingError("not-found", "There is no such token. GET on the list says which there are.");
}

function tokenJson(token: TokenEntry): z.infer<typeof TokenJson> {
  const { id, name, scope, createdAtMs, createdBy, expiresAtMs, lastUsedAtMs } = token;
  return {
    id,
    name,
    app: scope.kind === "app" ? scope.app : null,
    access: scope.kind === "app" ? scope.access : "host",
    createdAt: isoTime(createdAtMs),
    createdBy,
    expiresAt: expiresAtMs === undefined ? null : isoTime(expiresAtMs),
    lastUsedAt: lastUsedAtMs === undefined ? null : isoTime(lastUsedAtMs),
  };
}
