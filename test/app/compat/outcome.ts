// What a probe of the compatibility suite answers with: values that JSON tells apart, and errors by name and message.

/** What one probe saw, by the name of each thing. */
export type Seen = Record<string, unknown>;

/** A probe inside the object. */
export interface Scene {
  readonly ctx: DurableObjectState;
  readonly env: object;
  readonly request: Request;
}

export type Probes = Readonly<Record<string, (scene: Scene) => Seen | Promise<Seen>>>;

/** Tries each thing by itself, one after the other: an error is an outcome too. */
export async function tryEach(things: Readonly<Record<string, () => unknown>>): Promise<Seen> {
  const seen: Seen = {};
  for (const [name, thing] of Object.entries(things)) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- in order
      seen[name] = show(await thing());
    } catch (error) {
      seen[name] = String(error);
    }
  }
  return seen;
}

/** Every name that an object answers to, but for those that all objects have. */
export function members(value: object): string {
  const names = new Set<string>();
  for (let at: object | null = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  names.delete("constructor");
  return [...names].toSorted().join(" ");
}

/** JSON with what JSON leaves out. */
export function show(value: unknown): unknown {
  if (value === undefined) return "undefined";
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return String(value);
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${[...new Uint8Array(value)].join(" ")}`;
  if (value instanceof Uint8Array) return `Uint8Array ${[...value].join(" ")}`;
  if (value instanceof Map) return { Map: [...value].map(show) };
  if (value instanceof Set) return { Set: [...value].map(show) };
  if (Array.isArray(value)) return value.map(show);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, show(inner)]));
}
