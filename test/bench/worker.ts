// The host with one addition: the app's class as a plain Durable Object in the same workerd, to be measured side by side.
import { DurableObject } from "cloudflare:workers";
import host from "../../src/index.ts";

// oxlint-disable-next-line oxc/no-barrel-file -- the Worker that is measured is the whole host, with entrypoints that are to come
export * from "../../src/index.ts";

/** Just what the bench pushes as an app. */
export class Plain extends DurableObject {
  override fetch(): Response {
    const visits = (this.ctx.storage.kv.get<number>("visits") ?? 0) + 1;
    this.ctx.storage.kv.put("visits", visits);
    return new Response(`${visits}`);
  }
}

interface BenchEnv extends Env {
  readonly PLAIN: DurableObjectNamespace<Plain>;
}

export default {
  fetch(request, env, context) {
    if (new URL(request.url).hostname === "plain.bench") return env.PLAIN.getByName("plain").fetch(request);
    return host.fetch(request, env, context);
  },
} satisfies ExportedHandler<BenchEnv>;
