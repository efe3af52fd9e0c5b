// package.json's `overrides`: other versions for dependencies of dependencies, everywhere or only below certain packages.
import { intersects, validRange } from "semver";
import { isTable } from "../config-file.ts";

/** One rule. */
export interface Override {
  readonly name: string;
  /** Only where this range is asked for, or any. */
  readonly range: string | undefined;
  readonly spec: string;
  /** The packages that it is below, outermost first. */
  readonly under: readonly string[];
}

export type OverrideRules = readonly Override[];

/** Reads the rules. "$name" is what package.json itself asks of `name`. */
export function readOverrides(packageJson: Readonly<Record<string, unknown>>): OverrideRules {
  return readTable(packageJson, packageJson["overrides"], []);
}

function readTable(
  packageJson: Readonly<Record<string, unknown>>,
  table: unknown,
  under: readonly string[],
): Override[] {
  return Object.entries(isTable(table) ? table : {}).flatMap(([key, value]) => {
    if (key === ".") return [];
    const at = key.indexOf("@", 1);
    const name = at < 0 ? key : key.slice(0, at);
    const range = at < 0 ? undefined : key.slice(at + 1);
    if (typeof value === "string") return [{ name, range, spec: ownSpec(packageJson, value), under }];
    const own = isTable(value) ? value["."] : undefined;
    const self = typeof own === "string" ? [{ name, range, spec: ownSpec(packageJson, own), under }] : [];
    return [...self, ...readTable(packageJson, value, [...under, name])];
  });
}

function ownSpec(packageJson: Readonly<Record<string, unknown>>, spec: string): string {
  if (!spec.startsWith("$")) return spec;
  for (const kind of ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]) {
    const listed = packageJson[kind];
    const found = isTable(listed) ? listed[spec.slice(1)] : undefined;
    if (typeof found === "string") return found;
  }
  return "*";
}

/** The most specific rule for a dependency. What package.json asks for itself is never overridden. */
export function overrideFor(
  rules: OverrideRules,
  name: string,
  spec: string,
  ancestors: readonly string[],
): Override | undefined {
  if (ancestors.length === 0) return undefined;
  const fitting = rules.filter((rule) => {
    if (rule.name !== name || !isBelow(ancestors, rule.under)) return false;
    if (rule.range === undefined || validRange(rule.range) === null) return true;
    return validRange(spec) !== null && intersects(spec, rule.range);
  });
  return fitting.toSorted((a, b) => b.under.length - a.under.length)[0];
}

function isBelow(ancestors: readonly string[], under: readonly string[]): boolean {
  let met = 0;
  for (const name of ancestors) if (name === under[met]) met += 1;
  return met === under.length;
}

/** What tells a package below others, for which rules differ, from the same package elsewhere. Mostly nothing. */
export function scopeOf(rules: OverrideRules, ancestors: readonly string[]): string {
  const named = new Set(rules.flatMap(({ under }) => under));
  const met = ancestors.filter((name) => named.has(name));
  return met.length === 0 ? "" : ` below ${met.join(" ")}`;
}
