// Probes of an object's alarm, as far as one request sees it; compat.test.ts waits for those that ring.
import { tryEach, type Probes, type Scene, type Seen } from "./outcome.ts";

// oxlint-disable typescript/unbound-method -- Reflect.apply gives methods arguments that their types refuse.
const HOUR_MS = 3_600_000;

export const ALARM_PROBES: Probes = { alarm: settingAlarms, "alarm-errors": badArguments };

function settingAlarms({ ctx: { storage } }: Scene): Promise<Seen> {
  const atMs = Date.now() + HOUR_MS;
  const isAt = async (expectedMs: number) => (await storage.getAlarm()) === expectedMs;
  return tryEach({
    left: async () => (await storage.getAlarm()) !== null,
    deleteLeft: async () => (await storage.deleteAlarm(), storage.getAlarm()),
    set: () => storage.setAlarm(atMs),
    get: () => isAt(atMs),
    moved: async () => (await storage.setAlarm(new Date(atMs + 1)), isAt(atMs + 1)),
    fraction: async () => (await storage.setAlarm(atMs + 0.9), isAt(atMs)),
    notAwaited: () => {
      void storage.setAlarm(atMs + 5);
      return isAt(atMs + 5);
    },
    options: async () => (await storage.setAlarm(atMs, { allowUnconfirmed: true }), isAt(atMs)),
    inTransaction: () =>
      storage.transaction(async (txn) => {
        await txn.setAlarm(atMs + 7);
        return (await txn.getAlarm()) === atMs + 7;
      }),
    afterTransaction: () => isAt(atMs + 7),
    rolledBack: () =>
      storage.transaction(async (txn) => {
        await txn.setAlarm(atMs + 9);
        txn.rollback();
      }),
    afterRollback: () => isAt(atMs + 7),
    delete: () => storage.deleteAlarm({ allowUnconfirmed: false }),
    deleted: () => storage.getAlarm(),
    deleteAgain: () => storage.deleteAlarm(),
  });
}

function badArguments({ ctx: { storage } }: Scene): Promise<Seen> {
  const set = (...args: unknown[]) => Reflect.apply(storage.setAlarm, storage, args);
  return tryEach({
    nothing: () => set(),
    undefined: () => set(undefined),
    null: () => set(null),
    text: () => set("tomorrow"),
    object: () => set({}),
    numberText: () => set("5"),
    nan: () => set(Number.NaN),
    infinite: () => set(Number.POSITIVE_INFINITY),
    zero: () => set(0),
    negative: () => set(-1),
    badDate: () => set(new Date(Number.NaN)),
    badOptions: () => set(Date.now() + HOUR_MS, 5),
    left: async () => (await storage.deleteAlarm(), storage.getAlarm()),
  });
}

/** What is done when an alarm rings for the first time; it is over after that. */
const PLANS: Readonly<Record<string, (ctx: DurableObjectState) => Promise<void>>> = {
  fails: fail,
  again: async ({ storage }) => storage.setAlarm(Date.now() + 20),
  againFails: async ({ storage }) => (await storage.setAlarm(Date.now() + 20), fail()),
  moves: async ({ storage }) => (await storage.setAlarm(Date.now() + HOUR_MS), fail()),
  deletes: async ({ storage }) => (await storage.deleteAlarm(), fail()),
  deletesAndSets: async ({ storage }) => {
    await storage.deleteAlarm();
    await storage.setAlarm(Date.now() + 20);
    return fail();
  },
  clears: async ({ storage }) => {
    const rings = await storage.get("rings");
    await storage.deleteAll();
    await storage.put("rings", rings);
    await storage.sync();
    return fail();
  },
  aborts: async (ctx) => ctx.abort("while it rings"),
  slow: async () => scheduler.wait(100),
  failsOnceDeleted: async ({ storage }) => {
    // oxlint-disable-next-line no-await-in-loop -- a poll
    while (!(await storage.get("isDeleted"))) await scheduler.wait(5);
    return fail();
  },
};

/** When an alarm is set, by its plan. */
const DELAYS_MS: Readonly<Record<string, number>> = { past: -HOUR_MS, later: 150 };

async function fail(): Promise<void> {
  throw new Error("The first ring fails.");
}

export async function setPlanned({ storage }: DurableObjectState, plan: string): Promise<void> {
  await storage.deleteAll();
  await storage.put({ plan, setAtMs: Date.now() });
  await storage.setAlarm(Date.now() + (DELAYS_MS[plan] ?? 1));
}

export async function ringAsPlanned(ctx: DurableObjectState, info: AlarmInvocationInfo | undefined): Promise<void> {
  const { storage } = ctx;
  const { scheduledTime, ...told }: Partial<AlarmInvocationInfo> = info ?? {};
  const rings = (await storage.get<Seen[]>("rings")) ?? [];
  const setAtMs = (await storage.get<number>("setAtMs")) ?? 0;
  const ring = {
    ...told,
    keys: Object.keys(info ?? {}),
    pending: await storage.getAlarm(),
    isLate: Date.now() >= (scheduledTime ?? Number.NaN),
    isAfterSet: (scheduledTime ?? 0) >= setAtMs,
  };
  await storage.put("rings", [...rings, ring]);
  await storage.sync();
  if (rings.length === 0) await PLANS[(await storage.get<string>("plan")) ?? ""]?.(ctx);
}
