// Alarms inside an app's own isolate: part of the wrapper (wrapper.ts), so all that is used here is taken from the built-ins before the
// app runs. A facet's storage refuses alarms; here it gets methods that ask the supervisor, which has one for every object. What is
// the storage's own is kept: writes take effect in the order of their calls, a transaction's with the transaction, and no
// answer to a request leaves before they are on disk. Where the host gave no stub, as in a rehearsal, alarms are remembered only.
import { env } from "cloudflare:workers";
import { ALARMS_BINDING } from "./start-report.ts";

/** What is called in the host, for the object at a path below the environment: see alarms-entrypoint.ts. */
export interface AlarmsStub {
  getAlarm(object: string): Promise<number | null>;
  /** null deletes it. Of two writes the one with the higher `order` stands, whichever comes last. */
  setAlarm(object: string, atMs: number | null, order: number): Promise<void>;
}

/** One object's alarm. */
export interface FacetAlarm {
  /** The constructor is through. */
  begin(instance: object): void;
  /** Calls the class's alarm(). false: it has none. Its own writes are on disk when this returns. */
  ring(info: AlarmInvocationInfo): Promise<boolean>;
  /** What to wait for before an answer may leave; undefined: nothing. */
  unconfirmed(): Promise<void> | undefined;
}

/** What an open transaction would do to the alarm once it is committed: set it, or with null delete it. */
interface OpenTransaction {
  change?: { readonly atMs: number | null };
}

// oxlint-disable typescript/unbound-method -- as in wrapper.ts: taken from their prototypes while nobody has changed them, and
// applied with Reflect.apply.
const { apply, defineProperty, get } = Reflect;
const { now } = Date;
const { getTime } = Date.prototype;
const { isFinite } = Number;
const typeError = TypeError;
const { trunc, max } = Math;

/** Takes the host's stub out of `env`. */
export function takeAlarms(): AlarmsStub | undefined {
  const stub: unknown = get(env, ALARMS_BINDING);
  if (!isAlarmsStub(stub)) return undefined;
  Reflect.deleteProperty(env, ALARMS_BINDING);
  return stub;
}

function isAlarmsStub(value: unknown): value is AlarmsStub {
  return typeof value === "object" && value !== null && "setAlarm" in value;
}

/** Gives an instance's storage its alarm. Before its constructor runs. */
export function giveAlarm(ctx: DurableObjectState, object: string, stub = rememberOnly()): FacetAlarm {
  const { storage, blockConcurrencyWhile } = ctx;
  const { deleteAll } = storage;
  const writes = noteWrites(ctx, (atMs, order) => stub.setAlarm(object, atMs, order));
  let transaction: OpenTransaction | undefined;
  let instance: object | undefined;

  const change = async (atMs: number | null): Promise<void> => {
    if (transaction === undefined) await writes.add(atMs);
    else transaction.change = { atMs };
  };
  const methods = {
    // As the storage does it, a class without alarm() is only noticed after its constructor.
    setAlarm: async (time: unknown, options?: unknown): Promise<void> => {
      const atMs = readTime(time);
      if (options !== undefined && options !== null && typeof options !== "object")
        throw refuseParameter("2", "SetAlarmOptions");
      if (instance !== undefined && typeof get(instance, "alarm") !== "function") {
        throw new typeError("Your Durable Object class must have an alarm() handler in order to call setAlarm()");
      }
      await change(max(atMs, now()));
    },
    deleteAlarm: (): Promise<void> => change(null),
    getAlarm: async (): Promise<number | null> => {
      const own = transaction?.change ?? writes.waiting();
      if (own !== undefined) return own.atMs;
      let atMs: number | null = null;
      let failure: { readonly error: unknown } | undefined;
      // As with every read of the storage no other event comes in between.
      await apply(blockConcurrencyWhile, ctx, [
        async () => {
          try {
            atMs = await stub.getAlarm(object);
          } catch (error) {
            failure = { error };
          }
        },
      ]);
      if (failure !== undefined) throw failure.error;
      return atMs;
    },
  };
  define(storage, methods);
  define(storage, {
    ...joinTransactions(storage, {
      methods,
      open: (opened) => {
        const outer = transaction;
        transaction = opened;
        return () => {
          transaction = outer;
          return opened.change === undefined ? undefined : change(opened.change.atMs);
        };
      },
    }),
  });
  if (deletesAlarmWithAll()) {
    const value = async (...options: unknown[]): Promise<void> => {
      await change(null);
      await apply(deleteAll, storage, options);
    };
    define(storage, { deleteAll: value });
  }
  return {
    begin: (begun) => {
      instance = begun;
    },
    ring: async (info) => {
      const handler: unknown = instance && get(instance, "alarm");
      if (typeof handler !== "function") return false;
      await apply(handler, instance, [info]);
      await writes.all();
      return true;
    },
    unconfirmed: () => writes.all(),
  };
}

/** Sends writes at once. None waits for another: its answer may come to an event that the runtime keeps back meanwhile. */
function noteWrites(ctx: DurableObjectState, send: (atMs: number | null, order: number) => Promise<void>) {
  const { abort } = ctx;
  let order = 0;
  let waitingCount = 0;
  let latest: number | null = null;
  let all: Promise<void> | undefined;
  const write = async (atMs: number | null): Promise<void> => {
    try {
      await send(atMs, order);
    } catch (error) {
      // As where a write of the storage fails: nothing that rests on it may be answered.
      apply(abort, ctx, ["An alarm could not be written."]);
      throw error;
    }
    waitingCount -= 1;
    if (waitingCount === 0) all = undefined;
  };
  return {
    add: (atMs: number | null): Promise<void> => {
      // Also higher than that of any instance before this one.
      order = max(order + 1, now() * 1000);
      latest = atMs;
      waitingCount += 1;
      const writing = write(atMs);
      all = both(all, writing);
      return writing;
    },
    /** What is not on disk yet. */
    waiting: () => (waitingCount === 0 ? undefined : { atMs: latest }),
    all: () => all,
  };
}

async function both(first: Promise<void> | undefined, second: Promise<void>): Promise<void> {
  await first;
  await second;
}

/** The storage's own transactions, which the alarm's changes join: kept if it is committed, and dropped with it. */
function joinTransactions(
  storage: DurableObjectStorage,
  {
    methods,
    open,
  }: {
    readonly methods: Readonly<Record<string, unknown>>;
    /** Returns what closes it, by which its change takes effect. */
    readonly open: (opened: OpenTransaction) => () => Promise<void> | undefined;
  },
) {
  const { transaction, transactionSync } = storage;
  return {
    transaction: async (closure: (txn: DurableObjectTransaction) => unknown): Promise<unknown> => {
      if (typeof closure !== "function") return apply(transaction, storage, [closure]);
      const opened: OpenTransaction = {};
      let close: ReturnType<typeof open> | undefined;
      let isRolledBack = false;
      const run = async (txn: DurableObjectTransaction): Promise<unknown> => {
        const { rollback } = txn;
        close = open(opened);
        define(txn, methods);
        define(txn, {
          rollback: () => {
            apply(rollback, txn, []);
            isRolledBack = true;
          },
        });
        return closure(txn);
      };
      try {
        const result: unknown = await apply(transaction, storage, [run]);
        if (isRolledBack) delete opened.change;
        await close?.();
        return result;
      } catch (error) {
        delete opened.change;
        void close?.();
        throw error;
      }
    },
    transactionSync: (closure: () => unknown): unknown => {
      const opened: OpenTransaction = {};
      const close = open(opened);
      try {
        return apply(transactionSync, storage, [closure]);
      } catch (error) {
        delete opened.change;
        throw error;
      } finally {
        void close();
      }
    },
  };
}

function define(target: object, methods: Readonly<Record<string, unknown>>): void {
  const names = Reflect.ownKeys(methods);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at];
    if (typeof name !== "string") continue;
    defineProperty(target, name, { value: methods[name], configurable: true, writable: true });
  }
}

/** A number or a Date, as setAlarm takes it; throws what setAlarm throws, in the runtime's words. */
function readTime(time: unknown): number {
  const atMs = typeof time === "number" ? trunc(time) : time instanceof Date ? apply(getTime, time, []) : undefined;
  if (atMs === undefined) throw refuseParameter("1", "date");
  if (!isFinite(atMs)) throw new typeError("The value cannot be converted because it is not a valid Date.");
  if (atMs <= 0) throw new typeError("setAlarm() cannot be called with an alarm time <= 0");
  return atMs;
}

function refuseParameter(number: string, type: string): TypeError {
  const call = "Failed to execute 'setAlarm' on 'DurableObjectStorage'";
  return new typeError(`${call}: parameter ${number} is not of type '${type}'.`);
}

/** Since 2026-02-24, by compatibility date. */
function deletesAlarmWithAll(): boolean {
  const flags: unknown = get(globalThis, "Cloudflare")?.compatibilityFlags;
  return typeof flags === "object" && flags !== null && get(flags, "delete_all_deletes_alarm") === true;
}

function rememberOnly(): AlarmsStub {
  let remembered: number | null = null;
  return {
    setAlarm: async (_, atMs) => {
      remembered = atMs;
    },
    getAlarm: async () => remembered,
  };
}
