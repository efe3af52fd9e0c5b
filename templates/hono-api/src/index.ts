// A bookmark list as a JSON API, routed by Hono. This file has the routes; bookmarks.ts has the table.
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { createTable, deleteBookmark, findBookmark, listBookmarks, readBookmark, saveBookmark } from "./bookmarks.ts";

/** The routes. They are made for each start of the app, around its own database. */
function createRoutes(sql: SqlStorage): Hono {
  const routes = new Hono();
  routes.get("/", (c) => c.json({ bookmarks: "/bookmarks" }));
  routes.get("/bookmarks", (c) => c.json(listBookmarks(sql, c.req.query("tag"))));
  routes.post("/bookmarks", async (c) => {
    const bookmark = readBookmark(await c.req.json().catch(() => undefined));
    if (!bookmark) return c.json({ error: 'Expected {"url": "https://…", "tag": "…"}.' }, 400);
    const saved = saveBookmark(sql, bookmark);
    return c.json(saved, 201, { location: `/bookmarks/${saved.id}` });
  });
  routes.get("/bookmarks/:id{[0-9]{1,15}}", (c) => {
    const bookmark = findBookmark(sql, Number(c.req.param("id")));
    return bookmark ? c.json(bookmark) : c.json({ error: "No such bookmark." }, 404);
  });
  routes.delete("/bookmarks/:id{[0-9]{1,15}}", (c) => {
    return deleteBookmark(sql, Number(c.req.param("id")))
      ? c.body(null, 204)
      : c.json({ error: "No such bookmark." }, 404);
  });
  routes.notFound((c) => c.json({ error: "No such path." }, 404));
  return routes;
}

/** The app. There is exactly one of it, every request comes to it, and this.ctx.storage is its own database. */
export class App extends DurableObject<Env> {
  #routes: Hono;

  // Runs at every start, also on data that an older version wrote.
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    createTable(ctx.storage.sql);
    this.#routes = createRoutes(ctx.storage.sql);
  }

  override fetch(request: Request): Response | Promise<Response> {
    return this.#routes.fetch(request);
  }
}

interface Env {
  APP: DurableObjectNamespace<App>;
}

// Plain `wrangler dev` comes in here; a push host goes straight to App.
export default {
  fetch: (request, env) => env.APP.getByName("app").fetch(request),
} satisfies ExportedHandler<Env>;
