// A counter: the smallest whole app. One class, and one number that outlives every deploy.
import { DurableObject } from "cloudflare:workers";

/** The app. There is exactly one of it, every request comes to it, and this.ctx.storage is its own database. */
export class App extends DurableObject<Env> {
  override fetch(request: Request): Response {
    // Browsers also ask for /favicon.ico, which is not a visit.
    if (new URL(request.url).pathname !== "/") return new Response("Not found\n", { status: 404 });

    const visits = (this.ctx.storage.kv.get<number>("visits") ?? 0) + 1;
    this.ctx.storage.kv.put("visits", visits);
    return new Response(`You are visitor ${visits}.\n`);
  }
}

interface Env {
  APP: DurableObjectNamespace<App>;
}

// Plain `wrangler dev` comes in here; a push host goes straight to App.
export default {
  fetch: (request, env) => env.APP.getByName("app").fetch(request),
} satisfies ExportedHandler<Env>;
