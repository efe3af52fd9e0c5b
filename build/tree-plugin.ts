// esbuild's view of the tree: every import is resolved and every file loaded here, and nothing by esbuild's own file system.
import type { OnLoadResult, OnResolveArgs, OnResolveResult, PartialMessage, Plugin } from "esbuild-wasm";
import type { BundleRequest } from "./bundle-request.ts";
import { leaveToEsbuild } from "./caught-import.ts";
import type { ImportFailure } from "./import-failure.ts";
import { CONFIG_BYTES } from "./limits.ts";
import { moduleKind } from "./module-kind.ts";
import type { PackageFolders } from "./npm/package-folders.ts";
import { isFreeOfSideEffects, findPackageFolderOf } from "./package.ts";
import { resolveImport, type Resolver } from "./resolve.ts";
import { takeBundledFile, takeSource, type TreeFiles } from "./tree-files.ts";
import { withSourceMap } from "./source-map-comment.ts";
import { isInNodeModules } from "./tree-path.ts";

/** require() of a runtime module. A bundle is an ES module and has no require, so the module is imported by a small one here. */
const REQUIRED = "required";

/** A module that a package leaves out: require() of it gives an empty object, as under every bundler. */
export const EMPTY = "empty";

/** The plugin of one build. */
export function treePlugin(request: BundleRequest, files: TreeFiles, packages: PackageFolders): Plugin {
  const resolver = makeResolver(request, files, packages);
  return {
    name: "tree",
    setup(build) {
      build.onResolve({ filter: /.*/ }, (args) => onResolve(resolver, files, args));
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => onLoad(files, path.slice(1)));
      build.onLoad({ filter: /.*/, namespace: EMPTY }, () => ({ contents: "", loader: "empty" }));
      build.onLoad({ filter: /.*/, namespace: REQUIRED }, ({ path }) => ({
        contents: `import runtimeModule from ${JSON.stringify(path)};\nmodule.exports = runtimeModule;\n`,
        loader: "js",
      }));
    },
  };
}

/** How imports of this build are resolved. */
export function makeResolver(
  request: BundleRequest,
  files: TreeFiles,
  folders: PackageFolders,
  conditions?: readonly string[],
): Resolver {
  const { index } = files;
  const packages = new Map<string, Promise<Readonly<Record<string, unknown>> | undefined>>();
  return {
    index,
    nodejs: request.nodejs,
    dependencies: new Set(request.dependencies),
    paths: request.paths,
    alias: request.bundling.alias,
    workspaces: request.workspaces,
    ...(conditions === undefined ? {} : { conditions }),
    get lockfile() {
      return folders.lockfile;
    },
    findPackage: (importer, name) => folders.find(importer, name),
    readPackageJson(path) {
      const known = packages.get(path);
      if (known !== undefined) return known;
      const sizeBytes = index.files.get(path) ?? Number.POSITIVE_INFINITY;
      const read =
        sizeBytes > CONFIG_BYTES
          ? Promise.resolve(undefined)
          : files.reader.read(path, sizeBytes).then(parsePackageJson);
      packages.set(path, read);
      return read;
    },
  };
}

/** A package.json that cannot be read is as good as none: the root's own was checked before the build. */
function parsePackageJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

async function onResolve(
  resolver: Resolver,
  files: TreeFiles,
  args: OnResolveArgs,
): Promise<OnResolveResult | undefined> {
  if (args.kind === "entry-point") return { path: args.path };
  if (args.path.startsWith("data:")) return undefined;
  if (args.namespace === REQUIRED) return { path: args.path, external: true };
  const isRequire = args.kind === "require-call" || args.kind === "require-resolve";
  const importer = args.importer.replace(/^\//, "");
  const resolution = await resolveImport(resolver, { specifier: args.path, importer, isRequire });
  if (resolution.kind === "failed") {
    if (leaveToEsbuild(files.leftImports, args, resolution.failure)) return undefined;
    return { errors: [toMessage(resolution.failure)] };
  }
  if (resolution.kind === "file") return resolveToFile(resolver, files, resolution.path);
  if (resolution.kind === "empty") return { path: resolution.path, namespace: EMPTY };
  const { specifier: path } = resolution;
  return isRequire ? { path, namespace: REQUIRED } : { path, external: true };
}

async function resolveToFile(resolver: Resolver, files: TreeFiles, path: string): Promise<OnResolveResult> {
  const kind = moduleKind(files.naming, path);
  if (kind.kind === "failed") return { errors: [toMessage(kind.failure)] };
  const isSource = kind.kind === "source" && !files.bundled.has(path);
  if (isSource) {
    const isFree = isInNodeModules(path) && (await isPackageFreeOfSideEffects(resolver, path));
    return { path: `/${path}`, ...(isFree ? { sideEffects: false } : {}) };
  }
  const file = await takeBundledFile(files, { path, kind: kind.kind === "source" ? "esm" : kind.kind });
  if (file.kind === "failed") return { errors: [toMessage(file.failure)] };
  return { path: `./${file.kind === "named" ? file.name : path}`, external: true };
}

/** Whether a module of a package may be left out where nothing of it is used. */
export async function isPackageFreeOfSideEffects(resolver: Resolver, path: string): Promise<boolean> {
  const folder = findPackageFolderOf(resolver.index, path);
  return isFreeOfSideEffects(await resolver.readPackageJson(`${folder}/package.json`), path.slice(folder.length + 1));
}

async function onLoad(files: TreeFiles, path: string): Promise<OnLoadResult> {
  const kind = moduleKind(files.naming, path);
  if (kind.kind === "failed") return { errors: [toMessage(kind.failure)] };
  if (kind.kind !== "source") throw new Error(`${path} goes beside the bundle, and is not loaded.`);
  const file = await takeSource(files, path);
  if (file.kind === "failed") return { errors: [toMessage(file.failure)] };
  if (file.kind !== "taken") return { contents: "", loader: "empty" };
  return { contents: await withSourceMap(files, path, file.bytes), loader: kind.loader };
}

/** esbuild adds the place of the import, and hands `detail` back as it is. */
export function toMessage(failure: ImportFailure): PartialMessage {
  return { text: failure.text, detail: failure };
}
