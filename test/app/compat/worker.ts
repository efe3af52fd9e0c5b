// The compatibility suite as an ordinary Worker: its own probes, and the class of app.ts as one that it binds. Its text is a Worker beside
// the host's, which vitest.config.ts declares, and an app that compat.test.ts deploys.
import { App } from "./app.ts";
import { runPlan } from "./scheduled.ts";
import { WORKER_PROBES, type WorkerEnv } from "./worker-probes.ts";

export { Peer } from "./peer.ts";

export class Suite extends App {}

/** Which object a request is for, beside the one that all others are. */
const OBJECT = "x-object";

const worker = {
  async fetch(request: Request, env: WorkerEnv, ctx: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const suite = env.SUITE.getByName(request.headers.get(OBJECT) ?? "compat");
    if (pathname === "/probes") {
      const names: string[] = await (await suite.fetch(request)).json();
      return Response.json([...Object.keys(WORKER_PROBES), ...names]);
    }
    if (pathname === "/noted") return new Response(await env.PEER.getByName(searchParams.get("by") ?? "").noted());
    const probe = WORKER_PROBES[pathname.slice("/probe/".length)];
    return probe === undefined ? suite.fetch(request) : Response.json(await probe({ ctx, env, request }));
  },

  async scheduled(...given: [ScheduledController, WorkerEnv, ExecutionContext]): Promise<void> {
    const [controller, env, ctx] = given;
    await runPlan({ controller, env, ctx, given: { count: given.length, isOwn: Object.is(this, worker) } });
  },
};

export default worker;
