// A guestbook: a page with a form, over one SQL table.
import { DurableObject } from "cloudflare:workers";
import { guestbookPage, MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH, type Entry } from "./page.ts";

/** The app. There is exactly one of it, every request comes to it, and this.ctx.storage is its own database. */
export class App extends DurableObject<Env> {
  // Runs at every start, also on data that an older version wrote: so "if not exists".
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec(`CREATE TABLE IF NOT EXISTS entries (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      message TEXT NOT NULL,
      signed_at TEXT NOT NULL
    )`);
  }

  override async fetch(request: Request): Promise<Response> {
    const route = `${request.method} ${new URL(request.url).pathname}`;
    if (route === "GET /") return this.#show();
    if (route === "POST /sign") return this.#sign(await request.formData().catch(() => new FormData()));
    return new Response("Not found\n", { status: 404 });
  }

  #show(problem = ""): Response {
    const entries = this.ctx.storage.sql
      .exec<Entry>("SELECT name, message, signed_at AS signedAt FROM entries ORDER BY id DESC LIMIT 100")
      .toArray();
    return new Response(guestbookPage(entries, problem), {
      status: problem ? 400 : 200,
      headers: {
        "content-type": "text/html; charset=utf-8",
        // Should escaping ever be forgotten, a visitor's script still does not run.
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
      },
    });
  }

  #sign(form: FormData): Response {
    const name = readField(form, "name");
    const message = readField(form, "message");
    if (!name || !message) return this.#show("Please give both a name and a message.");
    if (name.length > MAX_NAME_LENGTH || message.length > MAX_MESSAGE_LENGTH) return this.#show("That is too long.");

    // Values go in as parameters, never into the statement's text.
    this.ctx.storage.sql.exec(
      "INSERT INTO entries (name, message, signed_at) VALUES (?, ?, ?)",
      name,
      message,
      new Date().toISOString(),
    );
    // 303 makes the browser GET the page, so that a reload does not sign twice.
    return new Response(null, { status: 303, headers: { location: "/" } });
  }
}

function readField(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}

interface Env {
  APP: DurableObjectNamespace<App>;
}

// Plain `wrangler dev` comes in here; a push host goes straight to App.
export default {
  fetch: (request, env) => env.APP.getByName("app").fetch(request),
} satisfies ExportedHandler<Env>;
