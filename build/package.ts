// What a package's own package.json says of its files, as Node and esbuild read it: `exports` and `imports` (resolve.exports), or
// the older `browser`, `module` and `main`; and which of its modules may be left out.
import { exports as resolveExports, imports as resolveImports } from "resolve.exports";
import { findFolder, type TreeIndex } from "./tree-index.ts";
import { folderOf } from "./tree-path.ts";

/** wrangler's conditions for a Worker, which is always a production build here. */
const CONDITIONS = ["workerd", "worker", "browser", "production"];

/** A package's name and what of it is asked for: "@a/b/c" is {name: "@a/b", subpath: "c"}. */
export function splitSpecifier(specifier: string): { name: string; subpath: string } {
  const segments = specifier.split("/");
  const count = specifier.startsWith("@") ? 2 : 1;
  return { name: segments.slice(0, count).join("/"), subpath: segments.slice(count).join("/") };
}

/** The folder of an installed package, nearest to the importer, symlinks followed. */
export function findPackageFolder(index: TreeIndex, importer: string, name: string): string | undefined {
  for (let folder = folderOf(importer); ; folder = folderOf(folder)) {
    const found = findFolder(index, folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`);
    if (found !== undefined) return found;
    if (folder === "") return undefined;
  }
}

/** The nearest folder with a package.json at or above a file; the root where there is none. */
export function findPackageFolderOf(index: TreeIndex, path: string): string {
  let folder = folderOf(path);
  while (folder !== "" && !index.files.has(`${folder}/package.json`)) folder = folderOf(folder);
  return folder;
}

/** Where a package keeps what is asked for, relative to its folder, the best first. Empty: it does not offer that. */
export function packageEntryPaths(
  packageJson: Readonly<Record<string, unknown>> | undefined,
  subpath: string,
  isRequire: boolean,
  among: readonly string[] = CONDITIONS,
): string[] {
  const { exports, browser, module, main } = packageJson ?? {};
  if (exports !== undefined && exports !== null) {
    const target = subpath === "" ? "." : `./${subpath}`;
    return tryConditions(() => resolveExports({ name: "package", exports }, target, conditions(isRequire, among)));
  }
  if (subpath !== "") return [subpath];
  const fields = isRequire ? [browser, main, module] : [browser, module, main];
  return [...fields.filter((field) => typeof field === "string"), "index"];
}

/** What "#name" stands for in a package: paths that begin with "./", or names of other packages. */
export function packageImportPaths(
  packageJson: Readonly<Record<string, unknown>> | undefined,
  specifier: string,
  isRequire: boolean,
  among: readonly string[] = CONDITIONS,
): string[] {
  const { imports } = packageJson ?? {};
  if (imports === undefined) return [];
  return tryConditions(() => resolveImports({ name: "package", imports }, specifier, conditions(isRequire, among)));
}

/**
 * What a package's `browser` map puts in place of something that one of its own files imports: another name or path, false for
 * nothing at all, undefined where the map says nothing. `wanted` is a package's name, or a path that begins with "./".
 */
export function browserReplacement(
  packageJson: Readonly<Record<string, unknown>> | undefined,
  wanted: string,
): string | false | undefined {
  const map = packageJson?.["browser"];
  if (typeof map !== "object" || map === null) return undefined;
  const entries: Readonly<Record<string, unknown>> = { ...map };
  const spellings = wanted.startsWith("./")
    ? [
        wanted,
        wanted.slice(2),
        ...[".js", ".json", "/index.js"]
          .filter((end) => wanted.endsWith(end))
          .map((end) => wanted.slice(0, -end.length)),
      ]
    : [wanted];
  for (const spelling of spellings) {
    const value = entries[spelling];
    if (value === false || typeof value === "string") return value;
  }
  return undefined;
}

/** Whether a package says that this module of it may be left out where none of its exports is used. `path` is within the package. */
export function isFreeOfSideEffects(packageJson: Readonly<Record<string, unknown>> | undefined, path: string): boolean {
  const sideEffects = packageJson?.["sideEffects"];
  if (sideEffects === false) return true;
  if (!Array.isArray(sideEffects)) return false;
  return !sideEffects.some((glob) => typeof glob === "string" && matchesGlob(glob, path));
}

/** webpack's reading: without a slash in it, the pattern is for a file in any folder. */
function matchesGlob(glob: string, path: string): boolean {
  const relative = glob.replace(/^\.?\//, "");
  const pattern = relative.includes("/") || /^\.?\//.test(glob) ? relative : `**/${relative}`;
  const source = pattern.split(/(\*\*\/|\*\*|\*|\?|\{[^{}]*\})/).map((part) => globSource(part));
  return new RegExp(`^${source.join("")}$`).test(path);
}

function globSource(part: string): string {
  if (part === "**/") return "(?:.*/)?";
  if (part === "**") return ".*";
  if (part === "*") return "[^/]*";
  if (part === "?") return "[^/]";
  if (/^\{.*\}$/.test(part)) return `(?:${part.slice(1, -1).split(",").map(literal).join("|")})`;
  return literal(part);
}

function literal(text: string): string {
  return text.replaceAll(/[.+*?^${}()|[\]\\]/g, "\\$&");
}

function conditions(isRequire: boolean, among: readonly string[]): { unsafe: true; conditions: string[] } {
  return { unsafe: true, conditions: [...among, isRequire ? "require" : "import"] };
}

/** resolve.exports throws where a package offers nothing under a name or for these conditions. */
function tryConditions(resolve: () => string[] | void): string[] {
  try {
    return resolve() ?? [];
  } catch {
    return [];
  }
}
