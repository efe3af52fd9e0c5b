// Packages that a commit carries in node_modules, as Node and esbuild look them up: folders upwards from the importer, then
// `exports` and `imports` (resolve.exports), or the older `browser`, `module` and `main`.
import { exports as resolveExports, imports as resolveImports } from "resolve.exports";
import { findFolder, type TreeIndex } from "./tree-index.ts";
import { folderOf } from "./tree-path.ts";

/** wrangler's conditions for a Worker. */
const CONDITIONS = ["workerd", "worker", "browser"];

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
): string[] {
  const { exports, browser, module, main } = packageJson ?? {};
  if (exports !== undefined && exports !== null) {
    const target = subpath === "" ? "." : `./${subpath}`;
    return tryConditions(() => resolveExports({ name: "package", exports }, target, conditions(isRequire)));
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
): string[] {
  const { imports } = packageJson ?? {};
  if (imports === undefined) return [];
  return tryConditions(() => resolveImports({ name: "package", imports }, specifier, conditions(isRequire)));
}

/** Whether a package says that a module of it may be left out where none of its exports is used. */
export function isFreeOfSideEffects(packageJson: Readonly<Record<string, unknown>> | undefined): boolean {
  return packageJson?.["sideEffects"] === false;
}

function conditions(isRequire: boolean): { unsafe: true; conditions: string[] } {
  return { unsafe: true, conditions: [...CONDITIONS, isRequire ? "require" : "import"] };
}

/** resolve.exports throws where a package offers nothing under a name or for these conditions. */
function tryConditions(resolve: () => string[] | void): string[] {
  try {
    return resolve() ?? [];
  } catch {
    return [];
  }
}
