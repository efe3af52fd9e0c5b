// package.json and a lockfile that say different things. npm's own `npm ci` refuses that too: whichever of the two were taken,
// what runs would not be what somebody meant.
import { satisfies, validRange } from "semver";
import { type ConfigFile, isTable } from "../config-file.ts";
import type { BuildMessage } from "../messages.ts";
import { folderOf } from "../tree-path.ts";
import { below, type Layout } from "./layout.ts";
import { lockCommand } from "./package-manager.ts";
import { parseSpec } from "./package-spec.ts";

/** The first of an app's dependencies that the lockfile does not fulfil. Development dependencies count once they are imported. */
export function findDrift(packageFile: ConfigFile, layout: Layout): BuildMessage | undefined {
  const overridden = overriddenNames(packageFile);
  for (const kind of ["dependencies", "optionalDependencies"]) {
    const listed = packageFile.value[kind];
    for (const [name, range] of Object.entries(isTable(listed) ? listed : {})) {
      if (typeof range !== "string" || overridden.has(name)) continue;
      const text = driftOf(name, range, layout, folderOf(packageFile.path));
      if (text === undefined || (kind === "optionalDependencies" && text.isMissing)) continue;
      const { lockfile = "the lockfile" } = layout;
      return driftMessage(packageFile, [kind, name], { text: text.sentence, lockfile });
    }
  }
  return undefined;
}

/** npm's overrides, pnpm's and yarn's resolutions: what they name has the version that they say. */
function overriddenNames({ value }: ConfigFile): ReadonlySet<string> {
  const { overrides, resolutions, pnpm } = value;
  const tables = [overrides, resolutions, isTable(pnpm) ? pnpm["overrides"] : undefined];
  const keys = tables.flatMap((table) => (isTable(table) ? Object.keys(table) : []));
  return new Set(keys.map((key) => key.replace(/^.*(?:>|\*\*\/)/, "").replace(/(.)@.*$/, "$1")));
}

function driftOf(
  name: string,
  range: string,
  layout: Layout,
  folder: string,
): { readonly sentence: string; readonly isMissing: boolean } | undefined {
  const spec = parseSpec(name, range);
  const asks = `package.json asks for ${name} ${range}, and ${layout.lockfile ?? "the lockfile"}`;
  const locked = findLocked(layout, folder, name);
  if (locked === undefined) return { sentence: `${asks} does not have it.`, isMissing: true };
  if (locked === "link" || spec.kind !== "registry" || locked.elsewhere !== undefined) return undefined;
  const isOther = locked.name !== spec.name;
  const fits = validRange(spec.range) === null || satisfies(locked.version, spec.range, { includePrerelease: true });
  if (fits && !isOther) return undefined;
  return { sentence: `${asks} has ${isOther ? `${locked.name} ` : ""}${locked.version}.`, isMissing: false };
}

function findLocked(
  layout: Layout,
  folder: string,
  name: string,
): "link" | { name: string; version: string; elsewhere?: string | undefined } | undefined {
  for (let at = folder; ; at = folderOf(at)) {
    const path = below(at, `node_modules/${name}`);
    if (layout.links.has(path)) return "link";
    const locked = layout.packages.get(path);
    if (locked !== undefined || at === "") return locked;
  }
}

function driftMessage(
  packageFile: ConfigFile,
  keys: readonly string[],
  { text, lockfile }: { readonly text: string; readonly lockfile: string },
): BuildMessage {
  return {
    code: "lockfile-drift",
    text,
    location: packageFile.locate(keys),
    fix: `Bring them together: ${lockCommand(lockfile)}, then commit package.json and ${lockfile}.`,
  };
}
