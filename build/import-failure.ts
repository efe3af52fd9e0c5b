// Why an import leads nowhere, in words that its author can act on: what was looked for, what is near, and the smallest fix.
import { type NodeBuiltin, nodeBuiltinNames, type NodejsSupport } from "./compatibility.ts";
import type { BuildMessage } from "./messages.ts";
import { nearestName } from "./nearest.ts";
import { addCommand } from "./npm/package-manager.ts";
import { findPackageFolder, splitSpecifier } from "./package.ts";
import { findFile, findFolder, findSubmodule, followLinks, type TreeIndex } from "./tree-index.ts";
import { extensionOf, fileName, folderOf, isInNodeModules, joinPath, relativePath } from "./tree-path.ts";

/** A message whose place is the import itself, unless it has one of its own. */
export type ImportFailure = BuildMessage;

/** What is known of an app's packages. */
export interface KnownPackages {
  readonly index: TreeIndex;
  readonly nodejs: NodejsSupport;
  readonly dependencies: ReadonlySet<string>;
  /** What says which packages there are, if it was asked. */
  readonly lockfile: string | undefined;
}

/** A relative import without a file. `path` is where it leads, undefined if that is outside of the repository. */
export function relativeFailure(
  index: TreeIndex,
  specifier: string,
  importer: string,
  path: string | undefined,
): ImportFailure {
  const code = "import-not-found";
  if (path === undefined) return { code, text: `"${specifier}" leads out of the repository.` };
  const links = followLinks(index, path);
  if (links.kind === "broken") {
    const text = `"${specifier}" goes through the symbolic link ${links.link}, which leads out of the repository.`;
    return { code, text, notes: [`${links.link} -> ${links.target}`] };
  }
  const submodule = findSubmodule(index, links.path);
  if (submodule !== undefined) return submoduleFailure(specifier, submodule);
  if (index.links.has(path))
    return { code, text: `"${specifier}" is a symbolic link to ${links.path}, which is not in this commit.` };
  if (findFolder(index, path) !== undefined) {
    const fix = "Import one of its files, or add an index.ts to it.";
    return { code, text: `"${specifier}" is the folder ${path}, which has no index file.`, fix };
  }
  const nearest = nearestFile(index, path, extensionOf(specifier));
  const fix =
    nearest === undefined
      ? "Is the file committed? git status --ignored shows what is not."
      : `Did you mean "${relativePath(folderOf(importer), nearest)}"?`;
  return { code, text: `Cannot find "${specifier}": there is no ${path} in this commit.`, fix };
}

function submoduleFailure(specifier: string, submodule: string): ImportFailure {
  return {
    code: "submodule",
    text: `"${specifier}" is in the submodule ${submodule}: its content is not in the push.`,
    fix: `Put the files into this repository: git rm --cached ${submodule}, then git add ${submodule}/ without its .git.`,
  };
}

/** The nearest name in the same folder, else the same name in another one, else the nearest path. */
function nearestFile(index: TreeIndex, path: string, extension: string): string | undefined {
  const importable = [...index.files.keys()].filter((file) => !isInNodeModules(file)).toSorted();
  const written =
    extension === "" ? (file: string) => file.slice(0, file.length - extensionOf(file).length) : (file: string) => file;
  const folder = folderOf(path);
  const siblings = new Map(importable.filter((file) => folderOf(file) === folder).map((file) => [written(file), file]));
  const sibling = nearestName(path, siblings.keys());
  if (sibling !== undefined) return siblings.get(sibling);
  const elsewhere = importable.find((file) => fileName(written(file)) === fileName(path));
  if (elsewhere !== undefined) return elsewhere;
  const all = new Map(importable.map((file) => [written(file), file]));
  const nearest = nearestName(path, all.keys());
  return nearest === undefined ? undefined : all.get(nearest);
}

/** One of Node's modules that this app cannot have as it is configured. */
export function builtinFailure(builtin: Exclude<NodeBuiltin, { kind: "available" }>): ImportFailure {
  const code = "dependency-not-found";
  const { kind, specifier } = builtin;
  if (kind === "needs-flag") {
    const text = `"${specifier}" is a module of Node.js, which is not on for this app.`;
    return { code, text, fix: 'Add "nodejs_compat" to compatibility_flags in wrangler.jsonc.' };
  }
  if (kind === "needs-date") {
    const text = `The runtime has "${specifier}" only from compatibility_date ${builtin.date} on.`;
    return { code, text, fix: `Set compatibility_date in wrangler.jsonc to "${builtin.date}" or later.` };
  }
  const nearest = nearestName(specifier.slice("node:".length), nodeBuiltinNames());
  const fix = nearest === undefined ? {} : { fix: `Did you mean "node:${nearest}"?` };
  return { code, text: `The runtime has no module "${specifier}".`, ...fix };
}

/** A bare import that is no module of the runtime and no package in this commit. */
export function dependencyFailure(packages: KnownPackages, specifier: string, importer: string): ImportFailure {
  const code = "dependency-not-found";
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) return urlFailure(specifier);
  if (specifier.startsWith("#")) {
    return { code, text: `"${specifier}" is not among the imports of package.json, or leads to no file.` };
  }
  const { name, subpath } = splitSpecifier(specifier);
  const folder = findPackageFolder(packages.index, importer, name);
  if (folder !== undefined) {
    const what = subpath === "" ? "an entry" : `"${subpath}"`;
    return { code, text: `The package "${name}" in ${folder} has no file for ${what}.` };
  }
  const own = ownFile(packages.index, specifier);
  if (own !== undefined) {
    const fix = `Import it as "${relativePath(folderOf(importer), own)}".`;
    return { code, text: `Cannot find package "${name}": "${specifier}" is a file of this repository.`, fix };
  }
  if (isInNodeModules(importer)) {
    const text = `Cannot find package "${name}", which a package imports without depending on it (an optional peer, perhaps).`;
    return { code, text, fix: installFix(packages, name) };
  }
  if (packages.dependencies.has(name)) return driftFailure(packages, name);
  const nearest = nearestName(name, [...packages.dependencies, ...nodeBuiltinNames()]);
  return {
    code,
    text: `Cannot find package "${name}": package.json does not list it, and it is no module of the runtime.`,
    fix: nearest === undefined ? notListedFix(packages, name, specifier) : `Did you mean "${nearest}"?`,
  };
}

function driftFailure(packages: KnownPackages, name: string): ImportFailure {
  if (packages.lockfile === undefined) {
    const text = `Cannot find package "${name}": package.json lists it in a place that installs nothing.`;
    return { code: "dependency-not-found", text, fix: `Move "${name}" to "dependencies".` };
  }
  return {
    code: "lockfile-drift",
    text: `Cannot find package "${name}": package.json lists it, and ${packages.lockfile} does not.`,
    fix: installFix(packages, name),
  };
}

function installFix({ lockfile }: KnownPackages, name: string): string {
  return `${addCommand(lockfile, name)}, then commit package.json${lockfile === undefined ? "" : ` and ${lockfile}`}.`;
}

function notListedFix(packages: KnownPackages, name: string, specifier: string): string {
  return `A package: ${installFix(packages, name)} A file of your own: "./${specifier}".`;
}

function urlFailure(specifier: string): ImportFailure {
  return {
    code: "dependency-not-found",
    text: `"${specifier}" is an address: a build here fetches nothing from the network.`,
    fix: "Put the module's source into the repository and import it by its path.",
  };
}

/** "/src/a" and "src/a", which some bundlers take from the root of the repository. */
function ownFile(index: TreeIndex, specifier: string): string | undefined {
  const path = joinPath("", specifier.replace(/^\/+/, ""));
  if (path === undefined || path === "") return undefined;
  const tried = ["", ".ts", ".tsx", ".js", "/index.ts"].map((ending) => findFile(index, `${path}${ending}`));
  return tried.find((file) => file !== undefined);
}
