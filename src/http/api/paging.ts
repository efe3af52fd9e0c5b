// Lists, a page at a time and all in the same way: `limit` and `cursor` ask for a page; its `next`, and its Link header (RFC 8288), lead to
// the page after it. A cursor is the key of a page's last entry: what came or went meanwhile moves no page.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HostingError } from "../../errors.ts";

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;

/** The longest key of any list: a path. */
const MAX_CURSOR_LENGTH = 4096;

const PageLimit = z.coerce
  .number()
  .int()
  .min(1)
  .max(MAX_PAGE_SIZE)
  .default(DEFAULT_PAGE_SIZE)
  .openapi({ description: "How many entries at most.", example: 20 });

/** A cursor that is a number. */
export const NumberCursor = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)
  .openapi({ type: "string", example: "12" });

/** A cursor that is text, whatever is in it. */
export const TextCursor = z.string().max(MAX_CURSOR_LENGTH);

/** The query of a list whose cursors are of this form. */
export function pageQuery<T extends z.ZodType>(cursor: T) {
  const description = "`next` of the page before; without it, the first page.";
  return z.object({ limit: PageLimit, cursor: cursor.optional().openapi({ description }) });
}

/** In the answer of a list. */
export const Next = z.string().optional().openapi({ description: "`cursor` of the next page, if there is one." });

/** What is shown of a list, and what leads on. */
export interface ListPage<T> {
  readonly page: readonly T[];
  readonly next: string | undefined;
}

/** A page of what was found when one entry more was asked for than it may have. */
export function cutPage<T>(
  c: Context,
  found: readonly T[],
  { limit, keyOf }: { readonly limit: number; readonly keyOf: (entry: T) => string | number },
): ListPage<T> {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { page, next: hasMore ? linkNext(c, String(keyOf(last))) : undefined };
}

/**
 * A page of a list that is only there as a whole.
 * @throws HostingError "invalid-request" for a cursor that is no key of it
 */
export function slicePage<T>(
  c: Context,
  all: readonly T[],
  {
    limit,
    cursor,
    keyOf,
  }: { readonly limit: number; readonly cursor?: string | undefined; readonly keyOf: (entry: T) => string },
): ListPage<T> {
  if (cursor === undefined) return cutPage(c, all, { limit, keyOf });
  const at = all.findIndex((entry) => keyOf(entry) === cursor);
  if (at === -1) {
    const message = `No entry of this list has the cursor ${JSON.stringify(cursor)}, or none any more. Begin without one.`;
    throw new HostingError("invalid-request", message);
  }
  return cutPage(c, all.slice(at + 1), { limit, keyOf });
}

/** The header that leads to the next page; returns its cursor. */
export function linkNext(c: Context, cursor: string): string {
  const url = new URL(c.req.url);
  url.searchParams.set("cursor", cursor);
  c.header("link", `<${url.pathname}${url.search}>; rel="next"`);
  return cursor;
}
