// Values of a configuration file, checked one by one against what they may be. Every problem is kept, not only the first.
import { type ConfigFile, type ConfigKeys, isTable } from "./config-file.ts";
import type { BuildMessage } from "./messages.ts";

/** Checks of one file, and what they found wrong. */
export interface ConfigCheck {
  readonly file: ConfigFile;
  readonly problems: BuildMessage[];
  /** The value at these keys; undefined where it is not set, or is not what was expected, which is then a problem. */
  value<T>(keys: ConfigKeys, expected: string, is: (value: unknown) => value is T): T | undefined;
}

/** Begins to check a file. */
export function startCheck(file: ConfigFile): ConfigCheck {
  const problems: BuildMessage[] = [];
  return {
    file,
    problems,
    value(keys, expected, is) {
      const value = valueAt(file.value, keys);
      if (value === undefined || is(value)) return value;
      const text = `${keys.join(".")} must be ${expected}, not ${kindOf(value)}.`;
      problems.push({ code: "config-invalid", text, location: file.locate(keys) });
      return undefined;
    },
  };
}

/** What is written at these keys, undefined where nothing is. */
export function valueAt(value: unknown, keys: ConfigKeys): unknown {
  let at = value;
  for (const key of keys) {
    if (Array.isArray(at) && typeof key === "number") at = at[key];
    else if (isTable(at)) at = at[key];
    else return undefined;
  }
  return at;
}

/** Whether a value says nothing: absent, false, or a list or table of nothing. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  return Array.isArray(value) ? value.length === 0 : isTable(value) && Object.values(value).every(isEmpty);
}

export function isString(value: unknown): value is string {
  return typeof value === "string";
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

export function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString);
}

export function isStringTable(value: unknown): value is Readonly<Record<string, string>> {
  return isTable(value) && Object.values(value).every(isString);
}

export function isTableList(value: unknown): value is Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) && value.every(isTable);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a table" : `a ${typeof value}`;
}
