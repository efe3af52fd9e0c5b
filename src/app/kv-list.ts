// What an app keeps in ctx.storage as keys and values: part of the data reader. Values are any that structured clone takes, so that
// each is also told in words; a value is whole where JSON has it exactly.
import { inspect } from "node:util";

/** One page of the keys, in the order of their bytes. */
export interface KvPage {
  readonly entries: readonly KvEntry[];
  readonly hasMore: boolean;
}

export interface KvEntry {
  readonly key: string;
  /** As Node's util.inspect shows it, up to MAX_TEXT characters. */
  readonly text: string;
  /** JSON text, where the value is plain JSON and not too long. */
  readonly json: string | undefined;
}

export interface KvQuestion {
  readonly prefix?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

const MAX_TEXT = 4000;
const MAX_JSON = 64 * 1024;

export function listKvEntries(storage: DurableObjectStorage, { prefix, after, limit }: KvQuestion): KvPage {
  const options = {
    limit: limit + 1,
    ...(prefix === undefined ? {} : { prefix }),
    ...(after === undefined ? {} : { startAfter: after }),
  };
  const entries: KvEntry[] = [];
  for (const [key, value] of storage.kv.list(options)) {
    if (entries.length === limit) return { entries, hasMore: true };
    entries.push({ key, text: describe(value), json: writeJson(value) });
  }
  return { entries, hasMore: false };
}

function describe(value: unknown): string {
  const text = inspect(value, { depth: 6, maxArrayLength: 100, maxStringLength: MAX_TEXT });
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function writeJson(value: unknown): string | undefined {
  if (!isJson(value, 0)) return undefined;
  const text = JSON.stringify(value);
  return text.length > MAX_JSON ? undefined : text;
}

/** Whether JSON gives the same value back. */
function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object" || depth > 50) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every((item) => isJson(item, depth + 1));
}
