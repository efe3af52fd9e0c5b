// What an import means: a file of the tree, a module of the runtime, or a failure that says why. Nothing is ever left to the
// runtime in the hope that it is there. The order is that of esbuild under wrangler, with TypeScript's "./x.js" that is x.ts.
import { findNodeBuiltin, type NodejsSupport } from "./compatibility.ts";
import { builtinFailure, dependencyFailure, type ImportFailure, relativeFailure } from "./import-failure.ts";
import type { FolderOutcome } from "./npm/package-folders.ts";
import { isPackageName } from "./npm/package-spec.ts";
import {
  browserReplacement,
  findPackageFolder,
  findPackageFolderOf,
  packageEntryPaths,
  packageImportPaths,
  splitSpecifier,
} from "./package.ts";
import { findFile, findFolder, type TreeIndex } from "./tree-index.ts";
import { extensionOf, folderOf, isInNodeModules, joinPath, relativePath } from "./tree-path.ts";
import type { PathMapping } from "./tsconfig.ts";
import type { Workspaces } from "./workspaces.ts";

/** What imports are resolved against. */
export interface Resolver {
  readonly index: TreeIndex;
  readonly nodejs: NodejsSupport;
  readonly dependencies: ReadonlySet<string>;
  readonly paths: readonly PathMapping[];
  /** What is imported in place of a package: another one, or "/" and a path of the tree. */
  readonly alias: Readonly<Record<string, string>>;
  readonly workspaces: Workspaces;
  /** What says which packages there are, once that was asked. */
  readonly lockfile: string | undefined;
  /** What packages may offer files for, beside import and require; undefined: what a Worker asks for. */
  readonly conditions?: readonly string[];
  /** The package.json at a path of the tree, or undefined where there is none that can be read. */
  readPackageJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** The folder of a package, installed if need be. */
  findPackage(importer: string, name: string): Promise<FolderOutcome>;
}

/** One import. `isRequire` is for require(), which packages may answer with another file. */
export interface ImportRequest {
  readonly specifier: string;
  readonly importer: string;
  readonly isRequire: boolean;
}

/** What it means. */
export type Resolution =
  | { readonly kind: "file"; readonly path: string }
  /** A module of the runtime, under the name by which the runtime knows it. */
  | { readonly kind: "runtime"; readonly specifier: string }
  /** What a package leaves out where it is not for Node: an empty module. */
  | { readonly kind: "empty"; readonly path: string }
  | { readonly kind: "failed"; readonly failure: ImportFailure };

const EXTENSIONS = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".css"];
/** Packages are JavaScript, even those that ship their TypeScript beside it. */
const PACKAGE_EXTENSIONS = [".js", ".mjs", ".cjs", ".json", ".jsx", ".ts", ".tsx", ".mts", ".cts", ".css"];
/** The output name that an import may give, and the sources that make it. */
const SOURCES_OF: Readonly<Record<string, readonly string[]>> = {
  ".js": [".ts", ".tsx"],
  ".jsx": [".tsx"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
};

/** Resolves one import. */
export async function resolveImport(resolver: Resolver, request: ImportRequest): Promise<Resolution> {
  const specifier = aliased(resolver.alias, request.specifier);
  if (specifier.startsWith("/") && specifier !== request.specifier)
    return resolveAliasFile(resolver, request, specifier);
  return resolveNamed(resolver, { ...request, specifier });
}

/** esbuild's order: the longest name that is the specifier or a folder in front of it. */
function aliased(alias: Readonly<Record<string, string>>, specifier: string): string {
  const names = Object.keys(alias).filter((name) => specifier === name || specifier.startsWith(`${name}/`));
  const name = names.toSorted((a, b) => b.length - a.length)[0];
  return name === undefined ? specifier : `${alias[name] ?? name}${specifier.slice(name.length)}`;
}

async function resolveAliasFile(resolver: Resolver, request: ImportRequest, target: string): Promise<Resolution> {
  const path = await findModule(resolver, target.slice(1));
  if (path !== undefined) return { kind: "file", path };
  const text = `The alias of "${request.specifier}" is ${target.slice(1)}, which is not in this commit.`;
  return { kind: "failed", failure: { code: "import-not-found", text } };
}

async function resolveNamed(resolver: Resolver, request: ImportRequest): Promise<Resolution> {
  const { specifier, importer } = request;
  const replaced = isInNodeModules(importer) ? await replaceName(resolver, request) : undefined;
  if (replaced !== undefined) return replaced;
  const resolution = await resolveAsWritten(resolver, request);
  if (resolution.kind !== "file" || !isInNodeModules(resolution.path)) return resolution;
  return (await replacePath(resolver, resolution.path, specifier)) ?? resolution;
}

/** A package's `browser` map may give what one of its files asks for by name another meaning. */
async function replaceName(resolver: Resolver, request: ImportRequest): Promise<Resolution | undefined> {
  const { specifier, importer } = request;
  if (/^\.{0,2}\//.test(specifier) || specifier.startsWith("#")) return undefined;
  const folder = findPackageFolderOf(resolver.index, importer);
  const replacement = browserReplacement(await resolver.readPackageJson(`${folder}/package.json`), specifier);
  if (replacement === undefined || replacement === specifier) return undefined;
  if (replacement === false) return { kind: "empty", path: `${folder}/${specifier}` };
  if (!replacement.startsWith(".")) return resolveAsWritten(resolver, { ...request, specifier: replacement });
  const joined = joinPath(folder, replacement);
  const path = joined === undefined ? undefined : await findModule(resolver, joined);
  return path === undefined ? undefined : { kind: "file", path };
}

/** The same for a file of its own. A map does not apply to what it gave. */
async function replacePath(resolver: Resolver, path: string, specifier: string): Promise<Resolution | undefined> {
  const folder = findPackageFolderOf(resolver.index, path);
  const packageJson = await resolver.readPackageJson(`${folder}/package.json`);
  const replacement = browserReplacement(packageJson, relativePath(folder, path));
  if (replacement === undefined) return undefined;
  if (replacement === false) return { kind: "empty", path };
  const joined = joinPath(folder, replacement);
  const other = joined === undefined ? undefined : await findModule(resolver, joined);
  if (other !== undefined) return { kind: "file", path: other };
  return replacement.startsWith(".")
    ? undefined
    : resolveAsWritten(resolver, { specifier: replacement, importer: path, isRequire: !specifier.endsWith(".mjs") });
}

async function resolveAsWritten(resolver: Resolver, request: ImportRequest): Promise<Resolution> {
  const { specifier, importer } = request;
  if (specifier.startsWith("cloudflare:")) return { kind: "runtime", specifier };
  if (/^\.\.?(\/|$)/.test(specifier)) return resolveRelative(resolver, request);
  if (specifier.startsWith("#")) return resolvePackageImport(resolver, request);
  const builtin = findNodeBuiltin(specifier, resolver.nodejs);
  if (builtin?.kind === "available") return { kind: "runtime", specifier: builtin.specifier };
  const mapped = isInNodeModules(importer) ? undefined : await resolveMapped(resolver, specifier);
  if (mapped !== undefined) return { kind: "file", path: mapped };
  const installed = await resolveInstalled(resolver, request);
  if (typeof installed === "string") return { kind: "file", path: installed };
  // A name of Node's is no package's, whatever a registry has under it.
  const failure =
    builtin === undefined ? (installed ?? dependencyFailure(resolver, specifier, importer)) : builtinFailure(builtin);
  return { kind: "failed", failure };
}

async function resolveRelative(resolver: Resolver, request: ImportRequest): Promise<Resolution> {
  const { specifier, importer } = request;
  // "./module.wasm?module" is how some frameworks write an import of a compiled module.
  const joined = joinPath(folderOf(importer), specifier.replace(/\.wasm\?module$/, ".wasm"));
  const path = joined === undefined ? undefined : await findModule(resolver, joined);
  if (path !== undefined) return { kind: "file", path };
  return { kind: "failed", failure: relativeFailure(resolver.index, specifier, importer, joined) };
}

/** "#name": the `imports` of the package.json that the importer belongs to. */
async function resolvePackageImport(resolver: Resolver, request: ImportRequest): Promise<Resolution> {
  const folder = findPackageFolderOf(resolver.index, request.importer);
  const packageJson = await resolver.readPackageJson(joinPath(folder, "package.json") ?? "");
  for (const target of packageImportPaths(packageJson, request.specifier, request.isRequire, resolver.conditions)) {
    if (!target.startsWith("./")) return resolveImport(resolver, { ...request, specifier: target });
    const joined = joinPath(folder, target);
    const path = joined === undefined ? undefined : await findModule(resolver, joined);
    if (path !== undefined) return { kind: "file", path };
  }
  return { kind: "failed", failure: dependencyFailure(resolver, request.specifier, request.importer) };
}

async function resolveMapped(resolver: Resolver, specifier: string): Promise<string | undefined> {
  const matches = resolver.paths
    .map((mapping) => ({ mapping, matched: matchPattern(mapping.pattern, specifier) }))
    .filter(({ matched }) => matched !== undefined)
    .toSorted((a, b) => prefixLength(b.mapping.pattern) - prefixLength(a.mapping.pattern));
  for (const { mapping, matched = "" } of matches) {
    for (const target of mapping.targets) {
      const path = await findModule(
        resolver,
        target.replace("*", () => matched),
      );
      if (path !== undefined) return path;
    }
  }
  return undefined;
}

/** What "*" stands for, "" for a pattern without one, undefined where the pattern does not match. */
function matchPattern(pattern: string, specifier: string): string | undefined {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === specifier ? "" : undefined;
  const [prefix, suffix] = [pattern.slice(0, star), pattern.slice(star + 1)];
  const fits = specifier.length >= prefix.length + suffix.length;
  if (!fits || !specifier.startsWith(prefix) || !specifier.endsWith(suffix)) return undefined;
  return specifier.slice(prefix.length, specifier.length - suffix.length);
}

/** TypeScript's order: an exact pattern first, then the longest prefix. */
function prefixLength(pattern: string): number {
  const star = pattern.indexOf("*");
  return star < 0 ? Number.POSITIVE_INFINITY : star;
}

/** What is in the repository itself is never asked of a registry. */
async function findInstalled(
  resolver: Resolver,
  { specifier, importer }: ImportRequest,
  own: string | undefined,
): Promise<FolderOutcome> {
  const { name } = splitSpecifier(specifier);
  if (own === undefined) return resolver.findPackage(importer, name);
  return { kind: "folder", folder: findPackageFolder(resolver.index, importer, name) ?? own };
}

/** A package of a node_modules folder, of the commit's own or of what its lockfile lays out; or one of the repository's own. */
async function resolveInstalled(
  resolver: Resolver,
  request: ImportRequest,
): Promise<string | ImportFailure | undefined> {
  const { name, subpath } = splitSpecifier(request.specifier);
  if (!isPackageName(name)) return undefined;
  const own = resolver.workspaces.get(name);
  const found = await findInstalled(resolver, request, own);
  if (found.kind === "absent") return undefined;
  if (found.kind === "failed") return found.message;
  const { folder } = found;
  const packageJson = await resolver.readPackageJson(`${folder}/package.json`);
  for (const target of packageEntryPaths(packageJson, subpath, request.isRequire, resolver.conditions)) {
    const joined = joinPath(folder, target);
    const path = joined === undefined ? undefined : await findModule(resolver, joined);
    if (path !== undefined) return path;
    const source =
      folder === own && joined !== undefined ? await findWorkspaceSource(resolver, folder, joined) : undefined;
    if (source !== undefined) return source;
  }
  const hasSource = folder === own && packageJson?.["exports"] === undefined;
  return hasSource ? findModule(resolver, `${folder}/src/${subpath === "" ? "index" : subpath}`) : undefined;
}

const OUTPUT_FOLDER = /^(?:dist|lib|build|out|esm|cjs)\//;

/** A workspace package that names what its own build would write: the source of the same name, below src or its folder. */
async function findWorkspaceSource(resolver: Resolver, folder: string, path: string): Promise<string | undefined> {
  const relative = path.slice(folder.length + 1);
  if (!OUTPUT_FOLDER.test(relative)) return undefined;
  const inside = relative.replace(OUTPUT_FOLDER, "");
  const stem = inside.replace(/(?:\.d)?\.[cm]?[jt]s$/, "");
  const tried = [`src/${inside}`, `src/${stem}`, inside, stem];
  for (const each of tried) {
    const found = await findModule(resolver, `${folder}/${each}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The file that a path means: itself, its TypeScript source, with an extension added, or the index of a folder. */
async function findModule(resolver: Resolver, path: string): Promise<string | undefined> {
  const file = findModuleFile(resolver.index, path);
  if (file !== undefined) return file;
  const folder = findFolder(resolver.index, path);
  if (folder === undefined) return undefined;
  const inFolder = folder === "" ? "" : `${folder}/`;
  const packageJson = await resolver.readPackageJson(`${inFolder}package.json`);
  const { module, main } = packageJson ?? {};
  for (const field of [module, main, "index"]) {
    const joined = typeof field === "string" ? joinPath(folder, field) : undefined;
    const found = joined === undefined ? undefined : findModuleFile(resolver.index, joined);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findModuleFile(index: TreeIndex, path: string): string | undefined {
  const extension = extensionOf(path);
  const stem = path.slice(0, path.length - extension.length);
  const sources = (SOURCES_OF[extension] ?? []).map((source) => `${stem}${source}`);
  const added = (isInNodeModules(path) ? PACKAGE_EXTENSIONS : EXTENSIONS).map((each) => `${path}${each}`);
  for (const candidate of [path, ...sources, ...added]) {
    const found = findFile(index, candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}
