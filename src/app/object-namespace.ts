// The namespaces of Durable Objects that an app finds in `env` and ctx.exports: part of the wrapper (wrapper.ts). A stub hands every call
// to the host, whose supervisor has the objects as facets. It looks up no property of an object by itself: what there is to call
// is known only there. Names and words are the runtime's own.
import { RpcTarget } from "cloudflare:workers";
import {
  idOfName,
  isObjectId,
  isTooLongName,
  isUniqueIdOf,
  makeUniqueId,
  OBJECT_HEADER,
  writeObjectHeader,
  type ObjectAddress,
} from "./object-address.ts";

/** What the wrapper calls in the host: objects-entrypoint.ts. */
export interface ObjectsStub {
  fetch(request: Request): Promise<Response>;
  call(address: ObjectAddress, method: string, args: readonly unknown[]): Promise<unknown>;
  read(address: ObjectAddress, property: string): Promise<unknown>;
}

const { apply, get } = Reflect;

/** An ID of one class's namespace. */
class DurableObjectId {
  readonly name: string | undefined;
  readonly jurisdiction: undefined;
  readonly #className: string;
  readonly #digits: string;

  constructor(className: string, digits: string, name: string | undefined) {
    this.name = name;
    this.jurisdiction = undefined;
    this.#className = className;
    this.#digits = digits;
  }

  toString(): string {
    return this.#digits;
  }

  equals(other: unknown): boolean {
    if (isId(other)) return other.#digits === this.#digits;
    throw refuse("equals", "DurableObjectId", "DurableObjectId");
  }

  static isOf(id: DurableObjectId, className: string): boolean {
    return id.#className === className;
  }
}

function isId(value: unknown): value is DurableObjectId {
  return value instanceof DurableObjectId;
}

/** The ID that an object of the class has. */
export function makeObjectId(className: string, digits: string, name: string | undefined): DurableObjectId {
  return new DurableObjectId(className, digits, name);
}

/** The namespace of one class. */
export class DurableObjectNamespace {
  readonly #objects: ObjectsStub;
  readonly #className: string;
  readonly #classes: readonly string[];
  #hasWarned = false;

  /** `classes`: all that the app has. */
  constructor(objects: ObjectsStub, className: string, classes: readonly string[]) {
    this.#objects = objects;
    this.#className = className;
    this.#classes = classes;
  }

  newUniqueId(options?: unknown): DurableObjectId {
    if (typeof options === "object" && options !== null && "jurisdiction" in options) this.#warn();
    return makeObjectId(this.#className, makeUniqueId(this.#className), undefined);
  }

  idFromName(...args: readonly unknown[]): DurableObjectId {
    const name = readText("idFromName", args);
    return makeObjectId(this.#className, idOfName(name), name);
  }

  /** The digits of a name's ID do not say whose they are: those alone are refused that were made for another class. */
  idFromString(...args: readonly unknown[]): DurableObjectId {
    const digits = readText("idFromString", args).toLowerCase();
    if (!isObjectId(digits)) throw new TypeError("Invalid Durable Object ID: must be 64 hex digits");
    if (this.#classes.some((other) => other !== this.#className && isUniqueIdOf(other, digits))) throw refuseForeign();
    return makeObjectId(this.#className, digits, undefined);
  }

  get(id?: unknown, _options?: unknown): object {
    if (!isId(id)) throw refuse("get", "DurableObjectNamespace", "DurableObjectId");
    if (!DurableObjectId.isOf(id, this.#className)) throw refuseForeign();
    return makeStub(this.#objects, this.#className, id);
  }

  getByName(...args: readonly unknown[]): object {
    const name = readText("getByName", args);
    return makeStub(this.#objects, this.#className, makeObjectId(this.#className, idOfName(name), name));
  }

  jurisdiction(_jurisdiction?: unknown): this {
    this.#warn();
    return this;
  }

  #warn(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    console.warn(`${this.#className}: there are no jurisdictions here; every object is where this host is.`);
  }
}

for (const Class of [DurableObjectNamespace, DurableObjectId]) {
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
}

function readText(method: string, args: readonly unknown[]): string {
  if (args.length === 0) throw refuse(method, "DurableObjectNamespace", "string");
  return String(args[0]);
}

function refuse(method: string, of: string, type: string): TypeError {
  return new TypeError(`Failed to execute '${method}' on '${of}': parameter 1 is not of type '${type}'.`);
}

function refuseForeign(): TypeError {
  return new TypeError("Durable Object ID is not valid for this namespace.");
}

/** What a stub is behind its proxy: an RpcTarget, so that it can be sent to another object, which then calls by way of this one. */
class DurableObject extends RpcTarget {
  readonly id: DurableObjectId;
  readonly name: string | undefined;

  constructor(id: DurableObjectId) {
    super();
    this.id = id;
    this.name = id.name;
  }

  override toString(): string {
    return "[object DurableObject]";
  }
}

/** Of what a stub has itself, beside `fetch`. */
const OWN = ["id", "name", "constructor", "toString"];

function makeStub(objects: ObjectsStub, className: string, id: DurableObjectId): object {
  const { name } = id;
  const address: ObjectAddress = { className, objectId: id.toString(), name: isTooLongName(name) ? undefined : name };
  const fetchObject = async (input: RequestInfo, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const headers = new Headers(request.headers);
    headers.set(OBJECT_HEADER, writeObjectHeader(address));
    return objects.fetch(new Request(request, { headers }));
  };
  const stub = new Proxy(new DurableObject(id), {
    has: () => true,
    get: (target, key): unknown => {
      // A stub is no promise: await gives the stub itself.
      if (typeof key === "symbol" || key === "then") return undefined;
      if (key === "fetch") return fetchObject;
      if (key === "dup") return () => stub;
      return OWN.includes(key) ? get(target, key) : remoteProperty(objects, address, key);
    },
  });
  return stub;
}

/** What of a promise is called on it. The rest that is asked of a property is a property of the property. */
const OF_PROMISES: readonly PropertyKey[] = ["then", "catch", "finally"];

/** A method if it is called, and a property if it is awaited. Both answer with the runtime's own promise, which can be called on. */
function remoteProperty(objects: ObjectsStub, address: ObjectAddress, key: string): unknown {
  return new Proxy(() => undefined, {
    apply: (_target, _this, args) => objects.call(address, key, args),
    get: (_, member) => {
      const value = objects.read(address, key);
      const found: unknown = get(value, member);
      if (typeof found !== "function" || !OF_PROMISES.includes(member)) return found;
      return (...args: unknown[]): unknown => apply(found, value, args);
    },
  });
}
