// Which files of a commit are served as they are: those of assets.directory (public/ where nothing else is said), without what
// .assetsignore lists, with the rules of _headers and _redirects beside them. Only names and sizes are looked at here: the
// contents never come into a build.
import ignore, { type Ignore } from "ignore";
import type { AssetsTable, HtmlHandling, NotFoundHandling } from "./assets-config.ts";
import { type HeaderRule, readHeaderRules, readRedirectRules, type RedirectRule } from "./assets-rules.ts";
import { type BuildLimits, formatBytes } from "./limits.ts";
import type { BuildMessage } from "./messages.ts";
import { nearestName } from "./nearest.ts";
import { type OpenTree, readNamedFile } from "./open-tree.ts";
import { findFolder, findSubmodule, followLinks, type TreeIndex } from "./tree-index.ts";
import { joinPath } from "./tree-path.ts";

/** One file to serve. */
export interface BuiltAsset {
  /** The path of its own, decoded: "/logo.png". */
  readonly path: string;
  /** A file of the commit, by its path in the tree; or bytes that the build made. */
  readonly source:
    | { readonly kind: "tree"; readonly path: string }
    | { readonly kind: "bytes"; readonly bytes: Uint8Array };
  /** Whether its name holds a hash of its content, so that browsers may keep it for ever. Not said: its name is looked at. */
  readonly isHashed?: boolean;
}

/** How the assets are served. */
export interface AssetConfig {
  readonly binding: string;
  readonly htmlHandling: HtmlHandling;
  readonly notFoundHandling: NotFoundHandling;
  readonly runWorkerFirst: boolean | readonly string[];
  /** Whether notFoundHandling comes before the app where a browser opens a page: from the compatibility date and flags. */
  readonly servesNavigations: boolean;
  readonly headers: readonly HeaderRule[];
  readonly redirects: readonly RedirectRule[];
}

/** The assets by path, in order; none where the commit has no such folder. */
export type AssetsOutcome =
  | {
      readonly kind: "collected";
      readonly assets: readonly BuiltAsset[];
      readonly assetConfig: AssetConfig;
      readonly warnings: readonly BuildMessage[];
    }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[] };

/** What the configuration says that matters here. */
export interface AssetsInput {
  /** The app's folder, which assets.directory is relative to. */
  readonly root: string;
  readonly table: AssetsTable;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly limits: Pick<BuildLimits, "assetFiles" | "assetBytes">;
  /** What the build made by itself. It takes the place of a file of the same path. */
  readonly generated: readonly BuiltAsset[];
}

/** The folder that is served where the configuration names none. */
const DEFAULT_DIRECTORY = "public";

const NAVIGATION_DATE = "2025-04-01";

/** Left out unless .assetsignore says "!name": nobody means to publish these. */
const NEVER_SERVED = [
  "/.assetsignore",
  "/_headers",
  "/_redirects",
  "/_worker.js",
  ".git",
  ".gitignore",
  ".gitattributes",
  ".gitmodules",
  ".DS_Store",
  ".dev.vars*",
  ".env*",
  ".wrangler",
  "/wrangler.json",
  "/wrangler.jsonc",
  "/wrangler.toml",
  "node_modules",
];

/** Collects the assets of an open tree. */
export async function collectAssets(tree: OpenTree, input: AssetsInput): Promise<AssetsOutcome> {
  const { table, limits, generated } = input;
  const folder = findAssetsFolder(tree.index, input);
  if (typeof folder === "object") return { kind: "failed", messages: [folder] };
  const warnings: BuildMessage[] = [];
  const problems: BuildMessage[] = [];
  const rules = await readRules(tree, { folder, table, warnings, problems });
  const files =
    folder === undefined ? [] : listAssets(tree.index, folder, { ignored: rules.ignored, warnings, limits });
  const made = new Set(generated.map(({ path }) => path));
  const assets = [...files.filter(({ path }) => !made.has(path)), ...generated].toSorted((a, b) =>
    a.path < b.path ? -1 : 1,
  );
  if (folder === "" && assets.length > 0) warnings.push(wholeRepository());
  problems.push(...overLimits(tree.index, assets, limits));
  if (problems.length > 0) return { kind: "failed", messages: problems };
  const { binding, htmlHandling, notFoundHandling, runWorkerFirst } = table;
  const { headers, redirects } = rules;
  const servesNavigations = prefersAssets(input);
  const how = { binding, htmlHandling, notFoundHandling, runWorkerFirst, servesNavigations };
  return { kind: "collected", assets, assetConfig: { ...how, headers, redirects }, warnings };
}

/** Cloudflare's flag assets_navigation_prefers_asset_serving. */
function prefersAssets({ compatibilityDate, compatibilityFlags }: AssetsInput): boolean {
  if (compatibilityFlags.includes("assets_navigation_prefers_asset_serving")) return true;
  return compatibilityDate >= NAVIGATION_DATE && !compatibilityFlags.includes("assets_navigation_has_no_effect");
}

/** The folder that is served, if the tree has it. */
export function assetsFolderOf(index: TreeIndex, input: Pick<AssetsInput, "root" | "table">): string | undefined {
  const path = joinPath(input.root, input.table.directory?.path ?? DEFAULT_DIRECTORY);
  return path === undefined ? undefined : findFolderOrLinks(index, path);
}

/** The folder in the tree; undefined where there is none and none is asked for; or what is wrong. */
function findAssetsFolder(index: TreeIndex, input: AssetsInput): string | undefined | BuildMessage {
  const { directory } = input.table;
  if (directory === undefined) return findFolderOrLinks(index, joinPath(input.root, DEFAULT_DIRECTORY) ?? "");
  const path = joinPath(input.root, directory.path);
  const folder = path === undefined ? undefined : findFolderOrLinks(index, path);
  if (folder !== undefined) return folder;
  const { location } = directory;
  const named = `assets.directory names "${directory.path}", which`;
  const submodule = path === undefined ? undefined : findSubmodule(index, path);
  if (submodule !== undefined) {
    const text = `${named} is in the submodule ${submodule}: its content is not in the push.`;
    return { code: "submodule", text, location };
  }
  if (path === undefined) {
    return { code: "config-invalid", text: `${named} is outside of the repository.`, location };
  }
  // A folder that the build fills by itself need not be in the commit.
  if (input.generated.length > 0) return undefined;
  const nearest = nearestName(path, index.folders);
  return {
    code: "config-invalid",
    text: `${named} is not a folder in this commit.`,
    location,
    fix:
      nearest === undefined || nearest === ""
        ? `Commit the folder, also where it is built: take it out of .gitignore, then git add ${path}.`
        : `Did you mean "${nearest}"?`,
  };
}

/** A folder that holds nothing but links is none to the index. */
function findFolderOrLinks(index: TreeIndex, path: string): string | undefined {
  const hasLinks = (): boolean => [...index.links.keys()].some((link) => link.startsWith(`${path}/`));
  return findFolder(index, path) ?? (hasLinks() ? path : undefined);
}

interface Rules {
  readonly ignored: Ignore;
  readonly headers: readonly HeaderRule[];
  readonly redirects: readonly RedirectRule[];
}

async function readRules(
  tree: OpenTree,
  input: {
    readonly folder: string | undefined;
    readonly table: AssetsTable;
    readonly warnings: BuildMessage[];
    readonly problems: BuildMessage[];
  },
): Promise<Rules> {
  const { folder, table, warnings, problems } = input;
  const read = async (name: string): Promise<{ path: string; text: string } | undefined> => {
    if (folder === undefined) return undefined;
    const path = folder === "" ? name : `${folder}/${name}`;
    const named = await readNamedFile(tree, path);
    if (named.kind === "failed") problems.push(named.message);
    return named.kind === "found" ? { path, text: new TextDecoder().decode(named.bytes) } : undefined;
  };
  const ignored = ignore({ allowRelativePaths: true }).add([...NEVER_SERVED]);
  const list = await read(".assetsignore");
  if (list !== undefined) ignored.add(list.text);
  const headersFile = await read("_headers");
  const headers = headersFile && readHeaderRules(headersFile.path, headersFile.text);
  const redirectsFile = await read("_redirects");
  const hasHtmlHandling = table.htmlHandling !== "none";
  const redirects = redirectsFile && readRedirectRules(redirectsFile.path, redirectsFile.text, hasHtmlHandling);
  warnings.push(...(headers?.warnings ?? []), ...(redirects?.warnings ?? []));
  return { ignored, headers: headers?.rules ?? [], redirects: redirects?.rules ?? [] };
}

/** The files below the folder. One more than the limit at most: links to folders may name the same files many times. */
function listAssets(
  index: TreeIndex,
  folder: string,
  { ignored, warnings, limits }: { ignored: Ignore; warnings: BuildMessage[]; limits: AssetsInput["limits"] },
): BuiltAsset[] {
  const assets: BuiltAsset[] = [];
  const prefix = folder === "" ? "" : `${folder}/`;
  const isIgnored = (path: string): boolean => ignored.ignores(path.slice(prefix.length));
  for (const [path, target] of filesBelow(index, { prefix, isIgnored, warnings })) {
    if (!isIgnored(path))
      assets.push({ path: `/${path.slice(prefix.length)}`, source: { kind: "tree", path: target } });
    if (assets.length > limits.assetFiles) break;
  }
  return assets;
}

/** Every file below a folder, and every file that a link there leads to, each with the file that has its content. */
function* filesBelow(
  index: TreeIndex,
  from: { readonly prefix: string; readonly isIgnored: (path: string) => boolean; readonly warnings: BuildMessage[] },
): Generator<readonly [path: string, target: string]> {
  const { prefix, isIgnored, warnings } = from;
  for (const path of index.files.keys()) if (path.startsWith(prefix)) yield [path, path];
  for (const link of index.links.keys()) {
    if (!link.startsWith(prefix) || isIgnored(link)) continue;
    const led = followLinks(index, link);
    if (led.kind === "path" && index.files.has(led.path)) yield [link, led.path];
    else if (led.kind === "path" && index.folders.has(led.path) && !link.startsWith(`${led.path}/`)) {
      yield* filesOfLinkedFolder(index, link, led.path);
    } else {
      const text = `The link ${link} is not served: it leads to no file of this commit.`;
      warnings.push({ code: "build-warning", text });
    }
  }
}

/** Links inside of a linked folder are not followed again. */
function* filesOfLinkedFolder(index: TreeIndex, link: string, folder: string): Generator<readonly [string, string]> {
  for (const path of index.files.keys()) {
    if (path.startsWith(`${folder}/`)) yield [link + path.slice(folder.length), path];
  }
}

function overLimits(index: TreeIndex, assets: readonly BuiltAsset[], limits: AssetsInput["limits"]): BuildMessage[] {
  if (assets.length > limits.assetFiles) {
    const text = `The app has more than ${limits.assetFiles} assets, which is the limit.`;
    return [{ code: "build-limit", text, fix: "List what is not to be served in .assetsignore." }];
  }
  return assets.flatMap(({ path, source }) => {
    const sizeBytes = source.kind === "bytes" ? source.bytes.byteLength : (index.files.get(source.path) ?? 0);
    if (sizeBytes <= limits.assetBytes) return [];
    const limit = formatBytes(limits.assetBytes);
    const text = `${source.kind === "tree" ? source.path : path} has ${formatBytes(sizeBytes)}, and ${limit} is the limit for one asset.`;
    const fix = "Make it smaller, keep it in a storage service, or list it in .assetsignore.";
    return [{ code: "build-limit" as const, text, fix }];
  });
}

function wholeRepository(): BuildMessage {
  return {
    code: "build-warning",
    text: "assets.directory is the whole repository: everybody can read all of it, the source code too.",
    fix: "Put what is public into a folder of its own, or list the rest in .assetsignore.",
  };
}

/** The program of an app that has assets and no code: what no asset answers is answered as Cloudflare does without a Worker. */
export function assetsOnlyModule(binding: string): string {
  return `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  fetch(request) {
    return this.env[${JSON.stringify(binding)}].fetch(request);
  }
}
`;
}
