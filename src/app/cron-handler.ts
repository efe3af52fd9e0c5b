// Cron triggers inside an app's own isolate: part of the wrapper (wrapper.ts). Finds who has scheduled() and calls it as the runtime does.
import { WorkerEntrypoint } from "cloudflare:workers";

/** Which expression it is, and for when it ran. */
export interface CronRun {
  readonly cron: string;
  readonly scheduledTime: number;
}

// oxlint-disable typescript/unbound-method -- as in wrapper.ts: taken from their prototypes while nobody has changed them, and
// applied with Reflect.apply.
const { apply, construct, get } = Reflect;
const { isPrototypeOf } = Object.prototype;

/** Calls the method of an instance. false: it has none. */
export async function runScheduled(instance: object, run: CronRun): Promise<boolean> {
  const handler: unknown = get(instance, "scheduled");
  if (typeof handler !== "function") return false;
  await apply(handler, instance, [controllerOf(run)]);
  return true;
}

/** Calls that of a module's default export: an object's, or a WorkerEntrypoint class's. false: it has none. */
export async function runDefault(
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
  await apply(handler, exported, [controllerOf(run), env, ctx]);
  return true;
}

function controllerOf({ cron, scheduledTime }: CronRun): ScheduledController {
  return { cron, scheduledTime, noRetry: () => undefined };
}
