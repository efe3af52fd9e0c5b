// The host with one addition, which production has not: it can stop dead at any step of its work on R2, on facets and on its own
// database, for the harness (host-process.ts, crash.test.ts) to kill it there. Nothing in src/ knows of it: the steps are watched
// where the host meets the runtime, so that what is added to the host later has its steps without a word here.
import { compact } from "../../../src/app/compaction.ts";
import { openHostedApp } from "../../../src/app/hosted-app.ts";
import { route } from "../../../src/http/router.ts";
import { Compactor as PlainCompactor, Supervisor as PlainSupervisor } from "../../../src/index.ts";
import { createHost } from "../../../src/push-host.ts";

// oxlint-disable-next-line oxc/no-barrel-file -- the same entrypoints as the host's, whatever they come to be
export * from "../../../src/index.ts";

/** What was done since the harness asked to begin, and where to stop. One isolate runs the Worker and its Durable Objects. */
const watch: { steps: string[]; stopAt: string | undefined } = { steps: [], stopAt: undefined };

/** A step, counted if it comes again: "put idx #2". Where it is to stop, nothing in this process runs any more. */
function reach(name: string): void {
  const again = watch.steps.filter((step) => step.replace(/ #\d+$/, "") === name).length;
  const step = again === 0 ? name : `${name} #${again + 1}`;
  watch.steps.push(step);
  if (step !== watch.stopAt) return;
  // Above wrangler's level of errors, so that it is passed on.
  console.error(`STOPPED AT ${step}`);
  for (;;);
}

/** The function of the host that called, for a step's name. */
function caller(): string {
  const frames = new Error("for its stack").stack?.split("\n").slice(1) ?? [];
  const names = frames.map((frame) => /at (?:async )?(?:Object\.|Proxy\.)?([\w$]+) /.exec(frame)?.[1] ?? "");
  const own = new Set(["caller", "value", "transaction", "transactionSync", "Object", "Proxy", ""]);
  return names.find((name) => !own.has(name)) ?? "somewhere";
}

type Method = (...parameters: unknown[]) => unknown;

function isMethod(value: unknown): value is Method {
  return typeof value === "function";
}

/** The same object, with steps around the methods that are named. */
function watched<T extends object>(
  target: T,
  describe: (method: string, parameters: unknown[]) => string | undefined,
): T {
  return new Proxy(target, {
    get(object, key) {
      const member: unknown = Reflect.get(object, key);
      if (!isMethod(member)) return member;
      return (...parameters: unknown[]) => {
        const name = describe(String(key), parameters);
        if (name === undefined) return Reflect.apply(member, object, parameters);
        reach(`before ${name}`);
        const result = Reflect.apply(member, object, parameters);
        if (!isThenable(result)) {
          reach(`after ${name}`);
          return result;
        }
        return Promise.resolve(result).then((value: unknown) => {
          reach(`after ${name}`);
          return value;
        });
      };
    },
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return ((typeof value === "object" && value !== null) || typeof value === "function") && "then" in value;
}

const WRITES = new Set(["put", "delete", "createMultipartUpload"]);

function watchBucket(bucket: R2Bucket): R2Bucket {
  return watched(bucket, (method, [key]) => {
    if (!WRITES.has(method)) return undefined;
    return `${method} ${typeof key === "string" ? (key.split(".").at(-1) ?? key) : "many"}`;
  });
}

/** The host's calls of supervisors: what each of them answered is durable. */
function watchSupervisors(supervisors: Env["SUPERVISOR"]): Env["SUPERVISOR"] {
  return new Proxy(supervisors, {
    get: (namespace, key) => {
      const member: unknown = Reflect.get(namespace, key);
      if (key !== "getByName") {
        return isMethod(member) ? (...given: unknown[]) => Reflect.apply(member, namespace, given) : member;
      }
      return (name: string) =>
        watched(namespace.getByName(name), (method) =>
          method === "fetch" || method === "describe" || method === "listDeploys" ? undefined : method,
        );
    },
  });
}

function watchEnv(env: Env): Env {
  return { ...env, BUCKET: watchBucket(env.BUCKET), SUPERVISOR: watchSupervisors(env.SUPERVISOR) };
}

export class Supervisor extends PlainSupervisor {
  constructor(ctx: DurableObjectState, env: Env) {
    const facets = watched(ctx.facets, (method) => (method === "get" ? undefined : `facets.${method} in ${caller()}`));
    Object.defineProperty(ctx, "facets", { value: facets });
    const { storage } = ctx;
    const transactionSync = storage.transactionSync.bind(storage);
    const value = <T>(work: () => T): T => {
      const name = `transaction in ${caller()}`;
      reach(`before ${name}`);
      const result = transactionSync(work);
      reach(`after ${name}`);
      return result;
    };
    Object.defineProperty(storage, "transactionSync", { value });
    super(ctx, { ...env, BUCKET: watchBucket(env.BUCKET) });
  }

  /** What its alarm would do a day after a push. */
  async compactNow(): Promise<void> {
    await compact(openHostedApp(this.ctx, this.env));
  }
}

export class Compactor extends PlainCompactor {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, { ...env, BUCKET: watchBucket(env.BUCKET) });
  }
}

interface CrashEnv extends Env {
  readonly SUPERVISOR: DurableObjectNamespace<Supervisor>;
}

let host: ReturnType<typeof createHost> | undefined;

export default {
  async fetch(request, env, context) {
    const url = new URL(request.url);
    if (url.hostname !== "crash.test") return route(request, (host ??= createHost(watchEnv(env))), context);
    // The harness speaks. It is on this machine, and this Worker is in no other.
    if (url.pathname === "/begin") {
      Object.assign(watch, { steps: [], stopAt: url.searchParams.get("stop") ?? undefined });
      return new Response("begun");
    }
    if (url.pathname === "/compact") {
      await env.SUPERVISOR.getByName("crash").compactNow();
      reach("compaction ended");
      return new Response("compacted");
    }
    return Response.json(watch.steps);
  },
} satisfies ExportedHandler<CrashEnv>;
