// The end of a version inside its own isolate, before a cutover stops it: part of the wrapper (wrapper.ts), so all that is used here
// is taken from the built-ins before the app runs. What it knows of: the app's own last words, work in waitUntil, WebSockets that
// hibernate, and WebSockets that the instance accepted by itself. A handler that is still at work on a message is not waited for.
import type { TellUncaught } from "./uncaught.ts";

/** What an app may tell of itself. */
interface Restartable {
  /** Called once, after the running requests ended and before the WebSockets close. */
  onRedeploy?: unknown;
}

/** What one instance still has to see to. */
export interface Goodbye {
  /** Calls the app's onRedeploy, waits for its waitUntil work, both for `limitMs` at most, and closes its WebSockets. */
  say(instance: object, close: SocketClose, limitMs: number): Promise<void>;
}

/** How the sockets close. */
export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

// oxlint-disable typescript/unbound-method -- as in wrapper.ts: taken from their prototypes while nobody has changed them, and
// applied with Reflect.apply.
const { apply, defineProperty } = Reflect;
const { accept, addEventListener, close: closeSocket } = WebSocket.prototype;
const socketMap = Map;
const { set, delete: remove, forEach } = Map.prototype;
const promise = Promise;
const toPromise = Promise.resolve;
const { then } = Promise.prototype;
const wait = scheduler.wait;
const { error: logError } = console;

/** The sockets that this isolate accepted, in its instances and requests, and that are open. */
export interface AcceptedSockets {
  /** Closes them all, and waits for their visitors to have heard of it: what was only written goes down with the instance. */
  closeAll(close: SocketClose): Promise<void>;
}

/** What visitors get to answer a close. */
const CLOSING_LIMIT_MS = 200;

/**
 * Notes every WebSocket that is accepted from now on, until it closes, and tells of messages. Once for each isolate, before the app is
 * imported.
 */
export function watchAccepted(onMessage: () => void): AcceptedSockets {
  const accepted = new socketMap<WebSocket, (close: SocketClose) => void>();
  let openCount = 0;
  let onNoneOpen: (() => void) | undefined;
  function value(this: WebSocket, ...options: unknown[]): void {
    apply(accept, this, options);
    // Nobody but the request that accepted it can close it, where each request has I/O of its own: that one waits for the word.
    const told = new promise<SocketClose>((resolve) => {
      apply(set, accepted, [this, resolve]);
    });
    void apply(then, told, [(close: SocketClose) => closeOne(this, close)]);
    openCount += 1;
    const forget = (): void => {
      if (!apply(remove, accepted, [this])) return;
      openCount -= 1;
      if (openCount === 0) onNoneOpen?.();
    };
    apply(addEventListener, this, ["close", forget]);
    apply(addEventListener, this, ["error", forget]);
    apply(addEventListener, this, ["message", onMessage]);
  }
  defineProperty(WebSocket.prototype, "accept", { value, configurable: true, writable: true });
  const closeAll = async (close: SocketClose): Promise<void> => {
    if (openCount === 0) return;
    apply(forEach, accepted, [
      (tell: (word: SocketClose) => void, socket: WebSocket): void => {
        closeOne(socket, close);
        tell(close);
      },
    ]);
    await new promise<void>((resolve) => {
      onNoneOpen = resolve;
      void apply(then, apply(wait, scheduler, [CLOSING_LIMIT_MS]), [resolve]);
    });
  };
  return { closeAll };
}

/** Notes what an instance hands to waitUntil, and tells what of it fails. Before its constructor runs. */
export function watchInstance(ctx: DurableObjectState, accepted: AcceptedSockets, tell: TellUncaught): Goodbye {
  const { getWebSockets, waitUntil } = ctx;
  let pendingCount = 0;
  let onSettled: (() => void) | undefined;
  const settle = (): void => {
    pendingCount -= 1;
    if (pendingCount === 0) onSettled?.();
  };
  const value = (work: unknown): void => {
    pendingCount += 1;
    const fail = (error: unknown): void => {
      settle();
      tell(error);
    };
    void apply(then, apply(toPromise, promise, [work]), [settle, fail]);
    apply(waitUntil, ctx, [work]);
  };
  defineProperty(ctx, "waitUntil", { value, configurable: true, writable: true });

  const finish = async (instance: Restartable): Promise<void> => {
    const { onRedeploy } = instance;
    try {
      if (typeof onRedeploy === "function") await apply(onRedeploy, instance, []);
    } catch (error) {
      logError("onRedeploy failed", error);
    }
    if (pendingCount === 0) return;
    await new promise<void>((resolve) => {
      onSettled = resolve;
    });
  };
  return {
    say: async (instance, socketClose, limitMs) => {
      await new promise<void>((resolve) => {
        // Not setTimeout, which Node's compatibility makes out of what an app may have changed.
        void apply(then, apply(wait, scheduler, [limitMs]), [resolve]);
        void apply(then, finish(instance), [resolve]);
      });
      const sockets = apply(getWebSockets, ctx, []);
      // By index: an app may have changed what iterating does.
      for (let at = 0; at < sockets.length; at += 1) closeOne(sockets[at], socketClose);
      await accepted.closeAll(socketClose);
    },
  };
}

/** One socket that cannot be closed, another instance's for example, keeps no other open. */
function closeOne(socket: WebSocket | undefined, { code, reason }: SocketClose): void {
  try {
    apply(closeSocket, socket, [code, reason]);
  } catch {
    // It closed by itself, or it is not this instance's to close.
  }
}
