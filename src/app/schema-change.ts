// What a start changed in a database's schema, as the pusher reads it. Pure.
import type { SchemaEntry } from "./data-reader.ts";

/** "+ table notes", "+ column items.done", "- index by_name", "~ view totals"; each in the order of the names. */
export function describeSchemaChanges(before: readonly SchemaEntry[], after: readonly SchemaEntry[]): string[] {
  const was = new Map(before.map((entry) => [keyOf(entry), entry]));
  const is = new Map(after.map((entry) => [keyOf(entry), entry]));
  const gone = before.filter((entry) => !is.has(keyOf(entry))).map((entry) => `- ${keyOf(entry)}`);
  const changed = after.flatMap((entry) => {
    const old = was.get(keyOf(entry));
    return old === undefined ? [`+ ${keyOf(entry)}`] : describeEntry(old, entry);
  });
  return [...changed, ...gone];
}

function describeEntry(old: SchemaEntry, entry: SchemaEntry): string[] {
  const added = entry.columns.filter((column) => !old.columns.includes(column));
  const dropped = old.columns.filter((column) => !entry.columns.includes(column));
  const columns = [
    ...added.map((column) => `+ column ${entry.name}.${column}`),
    ...dropped.map((column) => `- column ${entry.name}.${column}`),
  ];
  if (columns.length > 0 || old.sql === entry.sql) return columns;
  return [`~ ${keyOf(entry)}`];
}

function keyOf({ type, name }: SchemaEntry): string {
  return `${type} ${name}`;
}
