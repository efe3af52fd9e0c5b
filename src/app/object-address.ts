// What names one Durable Object of an app: in the app's isolate, on the way through the host, and as a facet. Pure, and part of the wrapper
// as well as of the supervisor.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { EnvironmentProps } from "./environment-props.ts";

/** One object of one class, as an app's isolate names it. */
export interface ObjectAddress {
  readonly className: string;
  /** 64 hexadecimal digits. */
  readonly objectId: string;
  /** What objectId was made of, where the caller knows it. */
  readonly name?: string | undefined;
}

/** The stub in `env` that the wrapper takes out before the app is imported. */
export const OBJECTS_BINDING = "slipway:objects";

/**
 * Says for which object a request is, from the app's isolate on, since a WebSocket comes only where every hop is a fetch. It is
 * believed behind the loopback entrypoint alone: app-request.ts takes it off what comes from outside.
 */
export const OBJECT_HEADER = "slipway-object";

/** Cloudflare's own limit. */
const MAX_NAME_BYTES = 1024;

/** A facet's name has 256 characters at most, and an environment's and an object's ID take their part. */
export const MAX_CLASS_NAME_LENGTH = 100;

/**
 * The ID that goes with a name. The class is no part of it, so that a class may be renamed; objects of two classes with one ID are two
 * objects.
 */
export function idOfName(name: string): string {
  return bytesToHex(sha256(utf8ToBytes(`slipway object 1\n${name}`)));
}

/** So many of an ID's 32 bytes are chance where no name goes with it. */
const UNIQUE_BYTES = 16;

/** An ID that no name goes with: half of it is chance, and half says by which class it was made. */
export function makeUniqueId(className: string): string {
  const chance = bytesToHex(crypto.getRandomValues(new Uint8Array(UNIQUE_BYTES)));
  return chance + markOf(className, chance);
}

/** Whether makeUniqueId made it for the class. IDs from before there was a mark are nobody's. */
export function isUniqueIdOf(className: string, objectId: string): boolean {
  const chance = objectId.slice(0, 2 * UNIQUE_BYTES);
  return objectId === chance + markOf(className, chance);
}

function markOf(className: string, chance: string): string {
  const hash = sha256(utf8ToBytes(`slipway unique object 1\n${className}\n${chance}`));
  return bytesToHex(hash.subarray(0, UNIQUE_BYTES));
}

/** As on Cloudflare an object with a longer name does not know it. */
export function isTooLongName(name: string | undefined): boolean {
  return name !== undefined && utf8ToBytes(name).length > MAX_NAME_BYTES;
}

export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** The facet that an object is. */
export function objectFacet(facet: string, { className, objectId }: Omit<ObjectAddress, "name">): string {
  return `${facet}/${className}/${objectId}`;
}

/** The environment and the object of a facet; undefined for a facet that is no named object. */
export function parseObjectFacet(name: string): (ObjectAddress & { readonly facet: string }) | undefined {
  const [facet, className, objectId] = name.split("/");
  if (facet === undefined || className === undefined || objectId === undefined) return undefined;
  return { facet, className, objectId };
}

/** An address from an app's isolate. Throws a sentence where it is none. */
export function readAddress(value: unknown): ObjectAddress {
  if (typeof value !== "object" || value === null) throw new TypeError("This names no Durable Object.");
  const { className, objectId, name }: { className?: unknown; objectId?: unknown; name?: unknown } = value;
  if (typeof className !== "string" || typeof objectId !== "string" || !isObjectId(objectId)) {
    throw new TypeError("This names no Durable Object.");
  }
  if (name === undefined) return { className, objectId };
  if (typeof name !== "string" || idOfName(name) !== objectId) {
    throw new TypeError("The name of a Durable Object does not go with its ID.");
  }
  if (isTooLongName(name)) {
    throw new RangeError(`The name of a Durable Object may have ${MAX_NAME_BYTES} bytes.`);
  }
  return { className, objectId, name };
}

/** As OBJECT_HEADER has it; header values are ASCII. */
export function writeObjectHeader(value: ObjectAddress | RoutedAddress): string {
  return encodeURIComponent(JSON.stringify(value));
}

/** An address with whose it is, as the loopback entrypoint knows it. */
interface RoutedAddress extends ObjectAddress {
  readonly from: Omit<EnvironmentProps, "app">;
}

export function readObjectHeader(text: string | null): unknown {
  return text === null ? undefined : JSON.parse(decodeURIComponent(text));
}
