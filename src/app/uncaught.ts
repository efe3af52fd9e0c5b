// What an app throws and does not catch, heard of inside its own isolate: part of the wrapper (wrapper.ts), so all that is used here is taken
// from the built-ins before the app runs. The runtime's own traces would tell less: nothing of listeners and of promises that nobody
// waits for; and a trace of every event costs a request more than all else that the host does for it.

/**
 * Tells the owner's log. What was told is not told again, however often it is thrown on. "later": nothing can be sent from here, so it waits
 * for whatever is sent next.
 */
export type TellUncaught = (error: unknown, when?: "later") => void;

// oxlint-disable typescript/unbound-method -- as in wrapper.ts: taken from their prototypes while nobody has changed them, and
// applied with Reflect.apply.
const { apply, defineProperty, get, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { has, add } = WeakSet.prototype;
const typeError = TypeError;
const TIMERS = ["setTimeout", "setInterval", "setImmediate"] as const;

/** A class, however it is constructed. */
interface HasPrototype {
  readonly prototype: object;
}

/** Listens to all that no handler of the app's is called for: timers, listeners, promises. Once for each isolate. */
export function hearUncaught(tell: TellUncaught): TellUncaught {
  const told = new WeakSet();
  const tellOnce: TellUncaught = (error, when) => {
    if (typeof error === "object" && error !== null) {
      if (apply(has, told, [error])) return;
      apply(add, told, [error]);
    }
    tell(error, when);
  };
  const hear = (type: "error" | "unhandledrejection", key: "error" | "reason"): void => {
    apply(addEventListener, globalThis, [type, (event: Event) => tellOnce(get(event, key))]);
  };
  hear("error", "error");
  hear("unhandledrejection", "reason");
  for (const name of TIMERS) watchTimer(name, tellOnce);
  return tellOnce;
}

/** The runtime tells nobody in the isolate what a timer's function throws. */
function watchTimer(name: (typeof TIMERS)[number], tell: TellUncaught): void {
  // By compatibility date it is the global object's own, or its prototype's.
  let owner: object | null = globalThis;
  while (owner !== null && getOwnPropertyDescriptor(owner, name) === undefined) owner = getPrototypeOf(owner);
  const timer: unknown = get(globalThis, name);
  if (owner === null || typeof timer !== "function") return;
  const isEnumerable = getOwnPropertyDescriptor(owner, name)?.enumerable;
  const value = (callback: unknown, ...rest: unknown[]): unknown =>
    apply(timer, globalThis, [typeof callback === "function" ? tellingOf(callback, tell) : callback, ...rest]);
  // Its name and what else it has.
  for (const key of ownKeys(timer)) {
    const descriptor = getOwnPropertyDescriptor(timer, key);
    if (descriptor !== undefined && key !== "prototype") defineProperty(value, key, descriptor);
  }
  defineProperty(owner, name, { value, configurable: true, enumerable: isEnumerable ?? true, writable: true });
}

// oxlint-disable-next-line typescript/no-unsafe-function-type -- whatever the app gave
function tellingOf(callback: Function, tell: TellUncaught) {
  return function called(this: unknown, ...given: unknown[]): unknown {
    try {
      return apply(callback, this, given);
    } catch (error) {
      tell(error);
      throw error;
    }
  };
}

/** Calls what the app has for an event. What it throws is told, and thrown. */
export async function telling<Result>(tell: TellUncaught, call: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    tell(error);
    throw error;
  }
}

/** Has `watched` called in place of a handler that the class `Base` has, which `Watched` extends. */
export function watchHandler(
  Watched: HasPrototype,
  Base: HasPrototype,
  name: string,
  watched: (handle: () => unknown, instance: object, given: readonly unknown[]) => Promise<unknown>,
): void {
  if (!(name in Base.prototype)) return;
  async function value(this: object, ...given: unknown[]): Promise<unknown> {
    const handler: unknown = get(Base.prototype, name);
    if (typeof handler !== "function") throw new typeError(`${name} is no function any more.`);
    return watched(() => apply(handler, this, given), this, given);
  }
  defineProperty(Watched.prototype, name, { value, configurable: true, writable: true });
}
