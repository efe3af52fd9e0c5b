// An app whose default export is an ordinary Worker, as an entrypoint of its isolate: part of the wrapper (wrapper.ts).
import * as runtime from "cloudflare:workers";
import { answerProbe } from "./probe-answer.ts";
import { PROBE, type ProbeReport } from "./start-report.ts";
import { telling, watchHandler, type TellUncaught } from "./uncaught.ts";

/** What the default export of a Worker may have; only fetch is needed. */
interface Handlers {
  readonly fetch?: unknown;
  readonly scheduled?: unknown;
}

/** An entrypoint class as the runtime constructs it. */
export type EntrypointClass = new (ctx: ExecutionContext, env: Env) => runtime.WorkerEntrypoint;

/** What is done to `env` and `ctx` before the app sees them. */
type Prepare = (ctx: ExecutionContext, env: Env) => void;

const { WorkerEntrypoint } = runtime;
const { apply, defineProperty } = Reflect;
// oxlint-disable-next-line typescript/unbound-method -- as in wrapper.ts: taken before the app runs, and applied with Reflect.apply
const { isPrototypeOf } = Object.prototype;

/** Whether a class extends WorkerEntrypoint. */
export function isEntrypointClass(value: unknown): value is EntrypointClass {
  return typeof value === "function" && apply(isPrototypeOf, WorkerEntrypoint, [value]);
}

/** The entrypoint; undefined if this is no default export that receives requests. */
export function wrapWorker(exported: unknown, prepare: Prepare, tell: TellUncaught): EntrypointClass | undefined {
  if (isEntrypointClass(exported)) return wrapEntrypoint(exported, prepare, tell);
  if (typeof exported !== "object" || exported === null || !("fetch" in exported)) return undefined;
  return typeof exported.fetch === "function" ? wrapHandlers(exported, prepare, tell) : undefined;
}

function wrapEntrypoint(Base: EntrypointClass, prepare: Prepare, tell: TellUncaught): EntrypointClass {
  class Worker extends Base {
    constructor(ctx: ExecutionContext, env: Env) {
      prepare(ctx, env);
      super(ctx, env);
    }

    /** A request that only the rehearsal makes. */
    [PROBE](url: string): Promise<ProbeReport> {
      return answerProbe(this, url);
    }
  }
  watchHandler(Worker, Base, "fetch", (handle) => telling(tell, handle));
  return Worker;
}

function wrapHandlers(handlers: Handlers, prepare: Prepare, tell: TellUncaught): EntrypointClass {
  return class extends WorkerEntrypoint {
    constructor(ctx: ExecutionContext, env: Env) {
      prepare(ctx, env);
      super(ctx, env);
    }

    override fetch(request: Request): Promise<Response> {
      const { env, ctx } = this;
      return telling(tell, () => apply(getHandler(handlers, "fetch"), handlers, [request, env, ctx]));
    }

    /** A request that only the rehearsal makes. */
    [PROBE](url: string): Promise<ProbeReport> {
      return answerProbe(this, url);
    }

    override scheduled(controller: ScheduledController): void | Promise<void> {
      return apply(getHandler(handlers, "scheduled"), handlers, [controller, this.env, this.ctx]);
    }
  };
}

/** Read each time: a handler may be put in later, or be a getter. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- whatever the app wrote
function getHandler(handlers: Handlers, name: keyof Handlers): Function {
  const handler = handlers[name];
  if (typeof handler === "function") return handler;
  throw new TypeError(`The default export has no ${name}().`);
}

/** Counts what requests hand to waitUntil, tells what of it fails, and makes passThroughOnException do nothing: there is no origin behind an app. */
export function watchContext(ctx: ExecutionContext, pending: { count: number }, tell: TellUncaught): void {
  const waitUntil = ctx.waitUntil.bind(ctx);
  const value = (work: unknown): void => {
    pending.count += 1;
    const settle = (): void => {
      pending.count -= 1;
    };
    const promise = Promise.resolve(work);
    void promise.then(settle, (error: unknown) => {
      settle();
      tell(error);
    });
    waitUntil(promise);
  };
  defineProperty(ctx, "waitUntil", { value, configurable: true, writable: true });
  defineProperty(ctx, "passThroughOnException", { value: doNothing, configurable: true, writable: true });
}

function doNothing(): void {}
