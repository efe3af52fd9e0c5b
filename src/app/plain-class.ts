// Durable Object classes as they were written before there was one to extend: a constructor that takes state and env, a fetch method, no
// RPC. Part of the wrapper (wrapper.ts), which needs a class that the host can call.
import { DurableObject } from "cloudflare:workers";

/** A class that extends nothing. */
type PlainClass = new (ctx: DurableObjectState, env: Env) => object;

const { apply, get } = Reflect;
// oxlint-disable typescript/unbound-method -- as in wrapper.ts: taken before the app runs, and applied with Reflect.apply
const toSource = Function.prototype.toString;
const { startsWith } = String.prototype;

/** Whether this is a class, whatever it extends. */
export function isClass(value: unknown): value is PlainClass {
  return typeof value === "function" && apply(startsWith, apply(toSource, value, []), ["class"]);
}

/** The class as one that extends DurableObject. Of its methods only those that the runtime calls are reached. */
export function adoptClass(Plain: PlainClass): new (ctx: DurableObjectState, env: Env) => DurableObject {
  return class extends DurableObject {
    readonly #plain: object;

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env);
      this.#plain = new Plain(ctx, env);
    }

    override fetch(...args: unknown[]): Promise<Response> {
      return this.#call("fetch", args);
    }

    override alarm(...args: unknown[]): Promise<void> {
      return this.#call("alarm", args);
    }

    override webSocketMessage(...args: unknown[]): Promise<void> {
      return this.#call("webSocketMessage", args);
    }

    override webSocketClose(...args: unknown[]): Promise<void> {
      return this.#call("webSocketClose", args);
    }

    override webSocketError(...args: unknown[]): Promise<void> {
      return this.#call("webSocketError", args);
    }

    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- each handler has its own
    async #call<Result>(name: string, args: unknown[]): Promise<Result> {
      const handler: unknown = get(this.#plain, name);
      if (typeof handler !== "function") throw new TypeError(`${Plain.name} has no ${name}().`);
      return apply(handler, this.#plain, args);
    }
  };
}
