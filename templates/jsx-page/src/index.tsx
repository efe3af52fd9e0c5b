// A poll as a page that the server renders: JSX in, HTML out, and no script in the browser.
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { CHOICES, PollPage } from "./page.tsx";

/** The app. There is exactly one of it, every request comes to it, and this.ctx.storage is its own database. */
export class App extends DurableObject<Env> {
  #routes = new Hono();

  // Runs at every start, also on data that an older version wrote.
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS votes (choice TEXT PRIMARY KEY, count INTEGER NOT NULL)");
    this.#routes.get("/", (c) => c.html(<PollPage counts={readCounts(sql)} />));
    this.#routes.post("/vote", async (c) => {
      const { choice } = await c.req.parseBody();
      if (typeof choice !== "string" || !CHOICES.includes(choice)) return c.text("No such choice.\n", 400);
      sql.exec("INSERT INTO votes VALUES (?, 1) ON CONFLICT (choice) DO UPDATE SET count = count + 1", choice);
      return c.redirect("/", 303);
    });
  }

  override fetch(request: Request): Response | Promise<Response> {
    return this.#routes.fetch(request);
  }
}

function readCounts(sql: SqlStorage): Map<string, number> {
  const rows = sql.exec<{ choice: string; count: number }>("SELECT choice, count FROM votes").toArray();
  return new Map(rows.map(({ choice, count }) => [choice, count]));
}

interface Env {
  APP: DurableObjectNamespace<App>;
}

// Plain `wrangler dev` comes in here; a push host goes straight to App.
export default {
  fetch: (request, env) => env.APP.getByName("app").fetch(request),
} satisfies ExportedHandler<Env>;
