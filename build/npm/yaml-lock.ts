// The YAML of lockfiles. Every scalar stays the text that was written: a version is no number, and a name no boolean.
import { parse, YAMLParseError } from "yaml";
import { isTable } from "../config-file.ts";
import { formatBytes } from "../limits.ts";
import { invalidLock, type LockFailure, type LockText } from "./lock-graph.ts";

/** Its parser takes a second for each two megabytes or so. */
const YAML_BYTES = 8 * 1024 * 1024;

/** The table that the whole text is. */
export function readYamlTable(
  lock: LockText,
): { readonly kind: "read"; readonly table: Readonly<Record<string, unknown>> } | LockFailure {
  if (lock.text.length > YAML_BYTES) {
    const text = `${lock.path} has ${formatBytes(lock.text.length)}, and ${formatBytes(YAML_BYTES)} is the limit for a lockfile in YAML.`;
    return { kind: "failed", failure: { code: "build-limit", text } };
  }
  try {
    const value: unknown = parse(lock.text, {
      schema: "failsafe",
      logLevel: "error",
      maxAliasCount: 0,
      uniqueKeys: true,
    });
    if (isTable(value)) return { kind: "read", table: value };
  } catch (error) {
    if (!(error instanceof YAMLParseError || error instanceof ReferenceError)) throw error;
    const offset = error instanceof YAMLParseError ? error.pos[0] : 0;
    return invalidLock(lock, "is no YAML", offset);
  }
  return invalidLock(lock, "is no YAML table");
}
