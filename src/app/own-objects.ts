// An app's own Durable Objects where it looks for them, in `env`, ctx.exports and ctx.id: part of the wrapper (wrapper.ts). What calls
// them is in object-namespace.ts.
import * as runtime from "cloudflare:workers";
import { OBJECTS_BINDING, type ObjectAddress } from "./object-address.ts";
import { DurableObjectNamespace, makeObjectId, type ObjectsStub } from "./object-namespace.ts";

/** What of the entry module is used. */
export interface AppParts {
  /** The export that receives the requests: a Durable Object class, or "default" for an ordinary Worker. */
  readonly entry: string;
  /** The classes of its objects, and the names in `env` that reach them. */
  readonly classes: readonly string[];
  readonly bindings: readonly { readonly name: string; readonly className: string }[];
  /** The exports that classes are, where that is another name than the one that their objects are stored under. */
  readonly exports: Readonly<Record<string, string>>;
}

/** Gives `ctx` and `env` of an instance or a request the app's namespaces. */
export type Prepare = (ctx: object, env: object) => void;

const { defineProperty } = Reflect;
const { hasOwn } = Object;

/** Puts the namespaces where the app looks for them: into the isolate's `env` at once, and into what each instance and request is given. */
export function takeObjects(parts: AppParts): Prepare {
  const { entry, classes, bindings } = parts;
  const { env } = runtime;
  const stub: unknown = Reflect.get(env, OBJECTS_BINDING);
  const namespaces: Record<string, DurableObjectNamespace> = {};
  const exported: Record<string, DurableObjectNamespace> = {};
  if (isObjectsStub(stub)) {
    Reflect.deleteProperty(env, OBJECTS_BINDING);
    for (const className of classes) {
      const namespace = new DurableObjectNamespace(stub, className, classes);
      namespaces[className] = namespace;
      exported[exportOf(parts, className)] = namespace;
    }
  }
  const bind = (to: object): void => {
    for (let at = 0; at < bindings.length; at += 1) {
      const { name, className } = bindings[at] ?? {};
      const namespace = className === undefined ? undefined : namespaces[className];
      // A variable of the same name comes before.
      if (name === undefined || namespace === undefined || hasOwn(to, name)) continue;
      defineProperty(to, name, { value: namespace, configurable: true, enumerable: true, writable: true });
    }
  };
  bind(env);
  // The same for all: what the runtime gives each request and instance is made only when it is read.
  let value: object | undefined;
  return (ctx, given) => {
    bind(given);
    if (!("exports" in ctx)) return;
    value ??= ownExports(entry, exported);
    defineProperty(ctx, "exports", { value, configurable: true, enumerable: true, writable: true });
  };
}

/** What receives the requests by the name that the app gave it, the classes of objects, and none of the host's own. */
function ownExports(entry: string, exported: Readonly<Record<string, DurableObjectNamespace>>): object {
  const received: unknown = Reflect.get(runtime.exports, receiverExport(entry));
  return { ...(received === undefined ? {} : { [entry]: received }), ...exported };
}

/** What the app itself calls a class. */
export function exportOf({ exports }: AppParts, className: string): string {
  return (hasOwn(exports, className) ? exports[className] : undefined) ?? className;
}

/** What the main module calls the app's entry. */
function receiverExport(entry: string): string {
  return entry === "default" ? "Worker" : "App";
}

function isObjectsStub(value: unknown): value is ObjectsStub {
  // Looking for its methods would be a call already, and of a runtime of before 2024-04-03 a failure.
  return typeof value === "object" && value !== null;
}

/** A named object's ID is the one that its namespace gives it; the runtime's own is the host's business. */
export function takeObjectId(ctx: DurableObjectState, className: string): string | undefined {
  const props: unknown = Reflect.get(ctx, "props");
  const { objectId, name }: Partial<ObjectAddress> = typeof props === "object" ? { ...props } : {};
  if (objectId === undefined) return undefined;
  defineProperty(ctx, "id", { value: makeObjectId(className, objectId, name), configurable: true, enumerable: true });
  defineProperty(ctx, "props", { value: {}, configurable: true, enumerable: true, writable: true });
  return objectId;
}
