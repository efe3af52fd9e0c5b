// Probes of an object's alarm, as far as one request sees it; compat.test.ts waits for those that ring.
import { tryEach, type Probes, type Scene, type Seen } from "./outcome.ts";

// oxlint-disable typescript/unbound-method -- Reflect.apply gives methods arguments that their types refuse.
const HOUR_MS = 3_600_000;

export const ALARM_PROBES: Probes = { alarm: settingAlarms, "alarm-errors": badArguments };

function settingAlarms({ ctx: { storage } }: Scene): Promise<Seen> {
  const atMs = Date.now() + HOUR_MS;
  const isAt = async (expectedMs: number) => (await storage.getAlarm()) === expectedMs;
  return tryEach({
    none: () => storage.getAlarm(),
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
