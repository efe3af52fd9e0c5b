// The audit log, for the host and for one app. Nobody writes it through the API: every changing call and every push is in it.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { cutPage, Next, NumberCursor, pageQuery } from "./paging.ts";
import { type ApiEnv, AppPath, isoTime, json, makeRouter, needs, Time } from "./resource.ts";

const AuditPage = pageQuery(NumberCursor);

const AuditList = z.object({
  entries: z.array(
    z
      .object({
        number: z.int(),
        at: Time,
        actor: z.string().openapi({ description: 'The token\'s name; "owner" for ADMIN_TOKEN.' }),
        tokenId: z.string().nullable(),
        action: z.string().openapi({ example: "PATCH /apps/hello" }),
        app: z.string().nullable(),
        address: z.string().openapi({ description: "Where the request came from." }),
        outcome: z.string().openapi({ description: "The status, or what became of each ref.", example: "200" }),
      })
      .openapi("AuditEntry"),
  ),
  next: Next,
});

/** A page of the audit log. */
export type AuditAnswer = z.infer<typeof AuditList>;

export const audit = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/audit",
  summary: "Who did what on this host in the last 90 days, newest first",
  ...needs("host"),
  request: { query: AuditPage },
  responses: { 200: json(AuditList, "A page of the log.") },
});

audit.openapi(listRoute, async (c) => c.json(await listPage(c, c.req.valid("query")), 200));

const listAppRoute = createRoute({
  method: "get",
  path: "/apps/{app}/audit",
  summary: "Who did what to this app in the last 90 days, newest first; its last 2,000 entries at most",
  ...needs("admin"),
  request: { params: AppPath, query: AuditPage },
  responses: { 200: json(AuditList, "A page of the log.") },
});

audit.openapi(listAppRoute, async (c) => {
  const page = { ...c.req.valid("query"), app: c.req.valid("param").app };
  return c.json(await listPage(c, page), 200);
});

async function listPage(
  c: Context<ApiEnv>,
  { app, cursor, limit }: { readonly app?: string; readonly cursor?: number | undefined; readonly limit: number },
): Promise<z.infer<typeof AuditList>> {
  const directory = c.env.host.env.DIRECTORY.getByName("directory");
  const found = await directory.listAudit({ app, before: cursor, limit: limit + 1 });
  const { page, next } = cutPage(c, found, { limit, keyOf: ({ number }) => number });
  return {
    entries: page.map(({ atMs, ...entry }) => ({
      ...entry,
      at: isoTime(atMs),
      tokenId: entry.tokenId ?? null,
      app: entry.app ?? null,
    })),
    next,
  };
}
