// Cron triggers inside an app's own isolate: part of the wrapper (wrapper.ts). Finds who has scheduled() and calls it as the runtime does.
import { WorkerEntrypoint } from "cloudflare:workers";

/** Which expression it is, and for when it ran. */
export interface CronRun {
  readonly cron: string;
  readonly scheduledTime: number;
}

// oxlint-disable typescript/unbound-method -- as in wrapper.ts: taken from their prototypes while nobody has changed them, and
// applied with Reflect.apply.
const { apply, construct, defineProperty, get } = Reflect;
const { isPrototypeOf } = Object.prototype;
const promise = Promise;
const typeError = TypeError;
const toPromise = Promise.resolve;
const { then } = Promise.prototype;

/** The runtime's own, as the app sees it. */
class ScheduledController {
  declare readonly cron: string;
  declare readonly scheduledTime: number;

  constructor({ cron, scheduledTime }: CronRun) {
    defineProperty(this, "cron", { value: cron, enumerable: true });
    defineProperty(this, "scheduledTime", { value: scheduledTime, enumerable: true });
  }

  /** No run is tried again. */
  noRetry(): void {
    if (!apply(isPrototypeOf, ownPrototype, [this])) throw new typeError(ILLEGAL_INVOCATION);
  }
}

// Apart from the class, which the bundler calls otherwise where it names itself.
const ownPrototype = ScheduledController.prototype;
defineProperty(ownPrototype, Symbol.toStringTag, { value: "ScheduledController", configurable: true });

const ILLEGAL_INVOCATION =
  "Illegal invocation: function called with incorrect `this` reference. See " +
  "https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.";

/** Calls the method of an instance. false: it has none. */
export async function runScheduled(instance: object, run: CronRun): Promise<boolean> {
  const handler: unknown = get(instance, "scheduled");
  if (typeof handler !== "function") return false;
  await apply(handler, instance, [new ScheduledController(run)]);
  return true;
}

/**
 * Calls that of a module's default export: an object's, or a WorkerEntrypoint class's. What it hands to waitUntil is a part of the run.
 * false: it has none.
 */
export async function runDefault(
  exported: unknown,
  run: CronRun,
  { ctx, env }: { readonly ctx: ExecutionContext; readonly env: unknown },
): Promise<boolean> {
  const settled = watchWork(ctx);
  const isCalled = await callDefault(exported, run, { ctx, env });
  await settled();
  return isCalled;
}

async function callDefault(
  exported: unknown,
  run: CronRun,
  { ctx, env }: { readonly ctx: ExecutionContext; readonly env: unknown },
): Promise<boolean> {
  if (typeof exported === "function" && apply(isPrototypeOf, WorkerEntrypoint, [exported])) {
    const instance: unknown = construct(exported, [ctx, env]);
    return typeof instance === "object" && instance !== null && runScheduled(instance, run);
  }
  if (typeof exported !== "object" || exported === null) return false;
  const handler: unknown = get(exported, "scheduled");
  if (typeof handler !== "function") return false;
  await apply(handler, exported, [new ScheduledController(run), env, ctx]);
  return true;
}

/** Returns what waits for everything that was handed to waitUntil, and throws what of it failed first. */
function watchWork(ctx: ExecutionContext): () => Promise<void> {
  const { waitUntil } = ctx;
  let pendingCount = 0;
  let failure: { readonly error: unknown } | undefined;
  let onSettled: (() => void) | undefined;
  const settle = (): void => {
    pendingCount -= 1;
    if (pendingCount === 0) onSettled?.();
  };
  const fail = (error: unknown): void => {
    failure ??= { error };
    settle();
  };
  const value = (work: unknown): void => {
    pendingCount += 1;
    // What is thrown is told once, by the run.
    apply(waitUntil, ctx, [apply(then, apply(toPromise, promise, [work]), [settle, fail])]);
  };
  defineProperty(ctx, "waitUntil", { value, configurable: true, writable: true });
  return async () => {
    if (pendingCount > 0) {
      await new promise<void>((resolve) => {
        onSettled = resolve;
      });
    }
    if (failure !== undefined) throw failure.error;
  };
}
