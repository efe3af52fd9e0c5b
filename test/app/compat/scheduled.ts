// What scheduled() of the compatibility suite's Worker does, by the expression that it is called for, and what it sees: written down by the
// object `scheduled`, since the call itself answers nobody.
import { members, show, tryEach } from "./outcome.ts";
import type { WorkerEnv } from "./worker-probes.ts";

/** The expressions, each of which is one plan. */
export const CRONS = {
  looks: "0 0 1 1 *",
  throws: "1 0 1 1 *",
  throwsLate: "2 0 1 1 *",
  throwsWithoutRetry: "3 0 1 1 *",
  waits: "4 0 1 1 *",
  waitsInVain: "5 0 1 1 *",
} as const;

/** Which object writes down what a plan saw. */
export const noterOf = (cron: string): string => `scheduled ${cron}`;

interface Call {
  readonly controller: ScheduledController;
  readonly env: WorkerEnv;
  readonly ctx: ExecutionContext;
  /** What the handler was given, and what `this` was. */
  readonly given: { readonly count: number; readonly isOwn: boolean };
}

export async function runPlan({ controller, env, ctx, given }: Call): Promise<void> {
  const { cron } = controller;
  const note = (what: unknown): Promise<void> => env.PEER.getByName(noterOf(cron)).note(what);
  switch (cron) {
    case CRONS.looks:
      return note(await look(controller, ctx, given));
    case CRONS.throws:
      await note("called");
      throw new RangeError("from scheduled");
    case CRONS.throwsLate:
      await note("called");
      await scheduler.wait(1);
      return Promise.reject(new RangeError("from scheduled"));
    case CRONS.throwsWithoutRetry:
      controller.noRetry();
      await note("called");
      throw new RangeError("from scheduled");
    case CRONS.waits:
      ctx.waitUntil(scheduler.wait(20).then(() => note("after the call")));
      return note("in the call");
    case CRONS.waitsInVain:
      ctx.waitUntil(Promise.reject(new RangeError("from waitUntil")));
      return note("in the call");
  }
}

async function look(controller: ScheduledController, ctx: ExecutionContext, given: Call["given"]): Promise<unknown> {
  return tryEach({
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, () => value])),
    controller: () => members(controller),
    keys: () => Object.keys(controller).toSorted(),
    class: () => controller.constructor.name,
    text: () => Reflect.apply(String, undefined, [controller]),
    cron: () => controller.cron,
    scheduledTime: () => controller.scheduledTime,
    type: () => show(Reflect.get(controller, "type")),
    noRetry: () => show(controller.noRetry()),
    noRetryApart: () => show(Reflect.apply(Reflect.get(controller, "noRetry"), undefined, [])),
    change: () => Reflect.set(controller, "cron", "changed"),
    ctx: () => members(ctx),
    ctxClass: () => ctx.constructor.name,
    passThrough: () => ctx.passThroughOnException(),
    waitUntilValue: () => Reflect.apply(Reflect.get(ctx, "waitUntil"), ctx, [5]),
  });
}
