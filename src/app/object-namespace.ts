// The namespaces of Durable Objects that an app finds in `env` and ctx.exports: part of the wrapper (wrapper.ts). A stub hands every call
// to the host, whose supervisor has the objects as facets. It looks up no property of an object by itself: what there is to call
// is known only there.
import { idOfName, isObjectId, OBJECT_HEADER, writeObjectHeader, type ObjectAddress } from "./object-address.ts";

/** What the wrapper calls in the host: objects-entrypoint.ts. */
export interface ObjectsStub {
  fetch(request: Request): Promise<Response>;
  call(address: ObjectAddress, method: string, args: readonly unknown[]): Promise<unknown>;
  read(address: ObjectAddress, property: string): Promise<unknown>;
}

/** A DurableObjectId as the app sees it. */
export interface ObjectId {
  readonly name?: string;
  toString(): string;
  equals(other: unknown): boolean;
}

/** What DurableObjectNamespace has, as far as it means anything here. */
export interface Namespace {
  newUniqueId(options?: unknown): ObjectId;
  idFromName(name: unknown): ObjectId;
  idFromString(text: string): ObjectId;
  get(id: unknown, options?: unknown): object;
  getByName(name: unknown, options?: unknown): object;
  jurisdiction(jurisdiction?: unknown): Namespace;
}

const { apply } = Reflect;

/** An ID with the methods that apps use. It prints and compares as its digits. */
export function makeObjectId(objectId: string, name?: string): ObjectId {
  return {
    ...(name === undefined ? {} : { name }),
    toString: () => objectId,
    equals: (other) => String(other) === objectId,
  };
}

/** The namespace of one class. */
export function makeNamespace(objects: ObjectsStub, className: string): Namespace {
  let hasWarned = false;
  const warn = (): void => {
    if (hasWarned) return;
    hasWarned = true;
    console.warn(`${className}: there are no jurisdictions here; every object is where this host is.`);
  };
  const namespace: Namespace = {
    newUniqueId: (options) => {
      if (typeof options === "object" && options !== null && "jurisdiction" in options) warn();
      return makeObjectId(randomId());
    },
    idFromName: (name) => makeNamedId(String(name)),
    idFromString: (text) => makeObjectId(checkedId(text)),
    get: (id) => makeStub(objects, className, readId(id)),
    getByName: (name) => namespace.get(namespace.idFromName(name)),
    jurisdiction: () => {
      warn();
      return namespace;
    },
  };
  return namespace;
}

function makeNamedId(name: string): ObjectId {
  return makeObjectId(idOfName(name), name);
}

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function checkedId(text: unknown): string {
  const objectId = String(text);
  if (isObjectId(objectId)) return objectId;
  throw new TypeError("Invalid Durable Object ID: must be 64 hex digits");
}

/** An ID of this namespace, of another isolate, or the ctx.id of an object: all print as their digits. */
function readId(id: unknown): ObjectId {
  if (typeof id !== "object" || id === null) {
    throw new TypeError("get() takes a DurableObjectId, from idFromName(), idFromString() or newUniqueId().");
  }
  const objectId = checkedId(id);
  const name = "name" in id && typeof id.name === "string" ? id.name : undefined;
  return makeObjectId(objectId, name);
}

function makeStub(objects: ObjectsStub, className: string, id: ObjectId): object {
  const { name } = id;
  const address: ObjectAddress = { className, objectId: id.toString(), name };
  const own: Readonly<Record<string, unknown>> = {
    id,
    name,
    fetch: async (input: RequestInfo, init?: RequestInit) => {
      const request = new Request(input, init);
      const headers = new Headers(request.headers);
      headers.set(OBJECT_HEADER, writeObjectHeader(address));
      return objects.fetch(new Request(request, { headers }));
    },
  };
  return new Proxy(
    {},
    {
      get: (_, key) => {
        if (typeof key === "symbol") return key === Symbol.dispose ? () => undefined : undefined;
        // A stub is no promise: await gives the stub itself.
        if (key === "then") return undefined;
        return Object.hasOwn(own, key) ? own[key] : remoteProperty(objects, address, key);
      },
    },
  );
}

/** A method if it is called, and a property if it is awaited. Both answer with the runtime's own promise, which can be called on. */
function remoteProperty(objects: ObjectsStub, address: ObjectAddress, key: string): unknown {
  return new Proxy(() => undefined, {
    apply: (_target, _this, args) => objects.call(address, key, args),
    get: (_, member) => {
      const value = objects.read(address, key);
      const found: unknown = Reflect.get(value, member);
      if (typeof found !== "function") return found;
      return (...args: unknown[]): unknown => apply(found, value, args);
    },
  });
}
