// package-lock.json and npm-shrinkwrap.json, versions 2 and 3: their `packages` map is the layout, folder by folder. Addresses in
// it ("resolved") are never used, only looked at to tell what came from somewhere that is no registry.
import { isTable } from "../config-file.ts";
import { type BuildMessage, locate } from "../messages.ts";
import { joinPath } from "../tree-path.ts";
import { below, type Layout, type LayoutOutcome, type LayoutPackage } from "./layout.ts";
import { isPackageName, parseSpec } from "./package-spec.ts";

const LOCK_AGAIN = "Write it again: npm install --package-lock-only, then commit it.";

/** Reads a lockfile in `folder`. */
export function readPackageLock(path: string, folder: string, text: string): LayoutOutcome {
  const lock = parseJson(text);
  if (lock === undefined) {
    const merge = text.search(/^<{7} /m);
    const problem = merge < 0 ? "is no JSON object" : "has the marks of a merge conflict";
    return invalid(path, text, Math.max(0, merge), `${path} ${problem}.`);
  }
  if (!isTable(lock["packages"])) {
    const written = typeof lock["lockfileVersion"] === "number" ? ` is of version ${lock["lockfileVersion"]} and` : "";
    const sentence = `${path}${written} has no "packages": it was written by npm 6 or older.`;
    return { kind: "failed", failure: { code: "lockfile-unsupported", text: sentence, fix: LOCK_AGAIN } };
  }
  const packages = new Map<string, LayoutPackage>();
  const links = new Map<string, string>();
  const elsewhere = namesFromElsewhere(lock["packages"]);
  for (const [key, entry] of Object.entries(lock["packages"])) {
    if (key === "" || !isTable(entry) || entry["inBundle"] === true) continue;
    const keyed = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(key)?.[1];
    if (keyed === undefined) continue;
    const at = joinPath(folder, key);
    if (at === undefined || below(folder, key) !== at) return invalidKey(path, text, key);
    if (entry["link"] === true) {
      const target = typeof entry["resolved"] === "string" ? joinPath(folder, entry["resolved"]) : undefined;
      if (target === undefined) return invalidKey(path, text, key);
      links.set(at, target);
      continue;
    }
    const read = readEntry(at, keyed, entry, elsewhere);
    if (read === undefined) return invalidKey(path, text, key);
    packages.set(at, read);
  }
  const layout: Layout = { packages, links, lockfile: path };
  return { kind: "layout", layout };
}

function parseJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isTable(value) ? value : undefined;
  } catch {
    // Where in it hardly matters: nobody writes a lockfile by hand.
    return undefined;
  }
}

function readEntry(
  folder: string,
  keyed: string,
  entry: Readonly<Record<string, unknown>>,
  elsewhere: ReadonlyMap<string, string>,
): LayoutPackage | undefined {
  const { name = keyed, version, resolved, integrity } = entry;
  if (typeof name !== "string" || !isPackageName(name) || !isPackageName(keyed)) return undefined;
  const source = typeof resolved === "string" && /^(git|file:)/.test(resolved) ? resolved : elsewhere.get(keyed);
  if (source !== undefined)
    return { folder, name, version: typeof version === "string" ? version : "", elsewhere: source };
  if (typeof version !== "string" || !/^\d[\w.+-]*$/.test(version)) return undefined;
  return { folder, name, version, integrity: typeof integrity === "string" ? integrity : undefined };
}

/** Dependencies of any package in the lock that name git or an address, by name. */
function namesFromElsewhere(packages: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const specs = Object.values(packages).flatMap((entry) => {
    const tables = ["dependencies", "devDependencies", "optionalDependencies"].map((kind) =>
      isTable(entry) ? entry[kind] : undefined,
    );
    return tables.flatMap((listed) => Object.entries(isTable(listed) ? listed : {}));
  });
  const texts = specs.filter((each): each is [string, string] => typeof each[1] === "string");
  return new Map(texts.filter(([name, spec]) => parseSpec(name, spec).kind === "elsewhere"));
}

function invalidKey(path: string, text: string, key: string): LayoutOutcome {
  return invalid(path, text, text.indexOf(JSON.stringify(key)), `This entry of ${path} cannot be read.`);
}

function invalid(path: string, text: string, offset: number, sentence: string): LayoutOutcome {
  const location = locate(path, text, Math.max(0, offset), 1);
  const failure: BuildMessage = { code: "lockfile-invalid", text: sentence, location, fix: LOCK_AGAIN };
  return { kind: "failed", failure };
}
