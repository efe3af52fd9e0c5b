// The host with two additions: the app's class as a plain Durable Object in the same workerd, and as a facet behind nothing but the hop
// to it. Both are measured side by side with the hosted app.
import { DurableObject } from "cloudflare:workers";
import host from "../../src/index.ts";

// oxlint-disable-next-line oxc/no-barrel-file -- the Worker that is measured is the whole host, with entrypoints that are to come
export * from "../../src/index.ts";

/** Just what the bench pushes as an app. */
export class Plain extends DurableObject {
  override fetch(): Response {
    const visits = (this.ctx.storage.kv.get<number>("visits") ?? 0) + 1;
    this.ctx.storage.kv.put("visits", visits);
    return new Response(`${visits}`, { headers: { "x-version": "1" } });
  }
}

/** The same, as a module of a Dynamic Worker. */
const PLAIN_MODULE = `import { DurableObject } from "cloudflare:workers";
export class Plain extends DurableObject {
  fetch() {
    const visits = (this.ctx.storage.kv.get("visits") ?? 0) + 1;
    this.ctx.storage.kv.put("visits", visits);
    return new Response(String(visits), { headers: { "x-version": "1" } });
  }
}`;

/** The least that any supervisor is: it passes requests on to a facet. */
export class Hop extends DurableObject<BenchEnv> {
  override fetch(request: Request): Promise<Response> {
    const facet = this.ctx.facets.get("plain", () => ({
      class: this.env.LOADER.get("hop", () => ({
        compatibilityDate: "2026-11-02",
        mainModule: "plain.js",
        modules: { "plain.js": { js: PLAIN_MODULE } },
        globalOutbound: null,
      })).getDurableObjectClass("Plain"),
    }));
    return fetch(request, { fetcher: facet });
  }
}

interface BenchEnv extends Env {
  readonly PLAIN: DurableObjectNamespace<Plain>;
  readonly HOP: DurableObjectNamespace<Hop>;
}

export default {
  fetch(request, env, context) {
    const { hostname } = new URL(request.url);
    if (hostname === "plain.bench") return env.PLAIN.getByName("plain").fetch(request);
    if (hostname === "hop.bench") return env.HOP.getByName("hop").fetch(request);
    return host.fetch(request, env, context);
  },
} satisfies ExportedHandler<BenchEnv>;
