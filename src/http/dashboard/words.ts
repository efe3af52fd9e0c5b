// Numbers, sizes and times as people read them, and commands as shells read them.
import { shellWord } from "../../push-failure.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

/** "3 min ago"; in the future "in 3 min". */
export function ago(timeMs: number, nowMs: number): string {
  const distanceMs = Math.abs(nowMs - timeMs);
  if (distanceMs < 5 * SECOND_MS) return "just now";
  const span = spanOf(distanceMs);
  return timeMs > nowMs ? `in ${span}` : `${span} ago`;
}

function spanOf(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return `${Math.round(ms / DAY_MS)} days`;
}

/** "840 ms", "2.4 s", "3 min". */
export function duration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  return spanOf(ms);
}

/** "12 KB": powers of 1000, as git prints them not but disks do. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** "12,345". */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** "1 deploy", "2 deploys". */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** The call of the API that does the same, with the token in a variable. */
export function curl(
  origin: string,
  call: { readonly method: string; readonly path: string; readonly body?: unknown },
) {
  const method = call.method === "GET" ? "" : `-X ${call.method} `;
  const lines = [`curl ${method}${shellWord(`${origin}/api/v1${call.path}`)}`, '  -H "Authorization: Bearer $TOKEN"'];
  if (call.body !== undefined) lines.push(`  -d ${shellWord(JSON.stringify(call.body))}`);
  return lines.join(" \\\n");
}
