// esbuild's view of the tree where its outputs are files: a client's build, or a build command that is esbuild. Unlike in the Worker's
// bundle, what a file becomes is esbuild's own business (its `loader` option), and a browser has no modules of the runtime.
import type { OnLoadResult, OnResolveArgs, OnResolveResult, Plugin } from "esbuild-wasm";
import type { WriteRequest } from "./bundle-request.ts";
import type { TreePort } from "./bundle-tree.ts";
import type { ImportFailure } from "./import-failure.ts";
import { leaveToEsbuild } from "./caught-import.ts";
import { resolveImport, type Resolution, type Resolver } from "./resolve.ts";
import { takeSource, type TreeFiles } from "./tree-files.ts";
import { EMPTY, isPackageFreeOfSideEffects, makeResolver, toMessage } from "./tree-plugin.ts";
import { isInNodeModules } from "./tree-path.ts";

function conditionsOf(platform: WriteRequest["run"]["platform"]): readonly string[] {
  return platform === "neutral" ? ["production"] : [platform, "module", "production"];
}

const STYLE_KINDS = new Set<OnResolveArgs["kind"]>(["import-rule", "url-token", "composes-from"]);

/** The plugin of one run. */
export function writePlugin(request: WriteRequest, { files, packages }: TreePort): Plugin {
  const resolver = makeResolver(request, files, packages, conditionsOf(request.run.platform));
  const isExternal = externalMatcher(request.run.external);
  return {
    name: "tree",
    setup(build) {
      build.onResolve({ filter: /.*/ }, (args) => {
        if (args.kind !== "entry-point" && isExternal(args.path)) return { path: args.path, external: true };
        return onResolve(resolver, request, { args, files });
      });
      build.onLoad({ filter: /.*/, namespace: EMPTY }, () => ({ contents: "", loader: "empty" }));
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => onLoad(files, path.slice(1)));
    },
  };
}

/** esbuild's patterns: a "*" stands for anything; a package's name also for what is below it. */
function externalMatcher(patterns: readonly string[]): (specifier: string) => boolean {
  const compiled = patterns.map((pattern) => {
    if (pattern === "*") return /^[^./]/;
    const source = pattern.split("*").map((part) => part.replaceAll(/[^\w]/g, "\\$&"));
    return new RegExp(pattern.includes("*") ? `^${source.join(".*")}$` : `^${source.join("")}(?:/.*)?$`);
  });
  return (specifier) => compiled.some((pattern) => pattern.test(specifier));
}

async function onResolve(
  resolver: Resolver,
  request: WriteRequest,
  { args, files }: { readonly args: OnResolveArgs; readonly files: TreeFiles },
): Promise<OnResolveResult | undefined> {
  const isStyle = STYLE_KINDS.has(args.kind);
  if (args.path.startsWith("data:")) return undefined;
  const isElsewhere =
    /^(?:https?:)?\/\//.test(args.path) || (isStyle && /^(?:[a-z][a-z0-9+.-]*:|\/|#)/i.test(args.path));
  if (isElsewhere && args.kind !== "entry-point") return { path: args.path, external: true };
  const [, path = args.path, suffix = ""] = (isStyle ? /^([^?#]*)([?#].*)$/.exec(args.path) : undefined) ?? [];
  const resolution = await resolve(resolver, { ...args, path }, isStyle);
  if (resolution.kind === "failed") {
    if (leaveToEsbuild(files.leftImports, args, resolution.failure)) return undefined;
    return { errors: [toMessage(resolution.failure)] };
  }
  if (resolution.kind === "empty") return { path: resolution.path, namespace: EMPTY };
  if (resolution.kind === "runtime") {
    if (request.run.platform !== "browser") return { path: resolution.specifier, external: true };
    return { errors: [toMessage(noRuntime(resolution.specifier))] };
  }
  const isFree = isInNodeModules(resolution.path) && (await isPackageFreeOfSideEffects(resolver, resolution.path));
  return { path: `/${resolution.path}`, suffix, ...(isFree ? { sideEffects: false } : {}) };
}

/** A style sheet's "a.css" is a file beside it, where there is one. */
async function resolve(resolver: Resolver, args: OnResolveArgs, isStyle: boolean): Promise<Resolution> {
  const isEntry = args.kind === "entry-point";
  const importer = isEntry ? "" : args.importer.replace(/^\//, "");
  const isRequire = args.kind === "require-call" || args.kind === "require-resolve";
  const specifier = isEntry ? `./${args.path.replace(/^\/+/, "")}` : args.path;
  if (isStyle && !specifier.startsWith(".")) {
    const beside = await resolveImport(resolver, { specifier: `./${specifier}`, importer, isRequire });
    if (beside.kind === "file") return beside;
  }
  return resolveImport(resolver, { specifier, importer, isRequire });
}

function noRuntime(specifier: string): ImportFailure {
  return {
    code: "dependency-not-found",
    text: `"${specifier}" is a module of the runtime, and this code is for browsers, which do not have it.`,
    fix: "Keep what needs it in the app's own code, and ask for it with fetch.",
  };
}

async function onLoad(files: TreeFiles, path: string): Promise<OnLoadResult> {
  const file = await takeSource(files, path);
  if (file.kind === "failed") return { errors: [toMessage(file.failure)] };
  return file.kind === "taken" ? { contents: file.bytes, loader: "default" } : { contents: "", loader: "empty" };
}
