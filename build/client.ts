// The part of an app that runs in browsers: what its pages name as module scripts and style sheets, and what package.json names in
// "slipway": { "client": […] }. It is bundled, minified and split, and served under names made of its content; the pages are rewritten
// to those names. A configured entry keeps its own name, /client.js for src/client.tsx, for pages that a program writes.
import type { BuiltAsset } from "./assets.ts";
import type { RunOutcome, WrittenFile } from "./bundle-request.ts";
import { findReferences, locateReference, type PageReference, replaceReferences } from "./client-html.ts";
import { isStringList } from "./config-check.ts";
import { type ConfigFile, isTable } from "./config-file.ts";
import type { AppConfig } from "./config.ts";
import type { EsbuildRun } from "./esbuild-arguments.ts";
import { CONFIG_BYTES } from "./limits.ts";
import type { BuildMessage } from "./messages.ts";
import { nearestName } from "./nearest.ts";
import type { BundledPackage } from "./npm/packages-port.ts";
import { type OpenTree, readFiles } from "./open-tree.ts";
import { findFile } from "./tree-index.ts";
import { extensionOf, fileName, folderOf, isInNodeModules, joinPath } from "./tree-path.ts";

/** What the app's pages and the configuration come to. */
export type ClientOutcome =
  | {
      readonly kind: "built";
      /** What is served beside the files of the commit. */
      readonly assets: readonly BuiltAsset[];
      /** Pages as they were rewritten, by their path in the tree. */
      readonly pages: ReadonlyMap<string, Uint8Array>;
      /** Source that no browser reads, and that is therefore not served. */
      readonly sources: ReadonlySet<string>;
      readonly packages: readonly BundledPackage[];
      readonly warnings: readonly BuildMessage[];
    }
  | { readonly kind: "failed"; readonly messages: readonly BuildMessage[]; readonly total: number };

/** What the client's build works with. */
export interface ClientInput {
  readonly config: AppConfig;
  /** The folder whose pages are looked at; undefined where nothing is served. */
  readonly assetsFolder: string | undefined;
  readonly run: (run: EsbuildRun) => Promise<RunOutcome>;
}

interface Page {
  readonly path: string;
  readonly html: Uint8Array;
  /** The source file that each reference leads to. */
  readonly entries: ReadonlyMap<string, string>;
}

const SCRIPTS = [".ts", ".tsx", ".mts", ".jsx", ".js", ".mjs"];
/** Extensions that only a build reads. */
const SOURCE_ONLY = [".ts", ".tsx", ".mts", ".cts", ".jsx"];
const FILES =
  ".png .jpg .jpeg .gif .webp .avif .svg .ico .woff .woff2 .ttf .otf .eot .mp3 .mp4 .webm .wasm .bin .pdf".split(" ");
const MAX_PAGES = 500;
const NOTHING: ClientOutcome = {
  kind: "built",
  assets: [],
  pages: new Map(),
  sources: new Set(),
  packages: [],
  warnings: [],
};

/** Builds the client. Without an entry nothing is run. */
export async function buildClient(tree: OpenTree, input: ClientInput): Promise<ClientOutcome> {
  const configured = configuredEntries(tree, input.config);
  const problems = [...configured.problems];
  const pages = await readPages(tree, input, { paths: configured.pages, problems });
  if (problems.length > 0) return { kind: "failed", messages: problems, total: problems.length };
  const named = [...new Set(pages.flatMap(({ entries }) => [...entries.values()]))].toSorted();
  if (named.length === 0 && configured.entries.length === 0) return NOTHING;
  const hashed = await runClient(input, named, "assets/[name]-[hash]");
  if (hashed.kind === "failed") return hashed;
  const stable = await runClient(input, configured.entries, "[name]");
  if (stable.kind === "failed") return stable;
  const rewritten = await rewritePages(pages, hashed.outputs);
  const outputs = new Map([...stable.outputs, ...hashed.outputs].map((output) => [output.path, output]));
  const assets = [...outputs.values()].map(({ path, bytes }): BuiltAsset => {
    return { path: `/${path}`, source: { kind: "bytes", bytes }, isHashed: path.startsWith("assets/") };
  });
  const sources = [...hashed.inputs, ...stable.inputs].filter((path) => SOURCE_ONLY.includes(extensionOf(path)));
  return {
    kind: "built",
    assets,
    pages: rewritten,
    sources: new Set(sources),
    packages: [...hashed.packages, ...stable.packages],
    warnings: [...hashed.warnings, ...stable.warnings],
  };
}

/** package.json's "slipway": { "client": ["src/client.tsx", "src/page.html"] }. */
function configuredEntries(tree: OpenTree, { packageFile, root }: AppConfig) {
  const problems: BuildMessage[] = [];
  const { slipway } = packageFile?.value ?? {};
  const { client } = isTable(slipway) ? slipway : {};
  const keys = ["slipway", "client"];
  if (packageFile === undefined || client === undefined) return { entries: [], pages: [], problems };
  if (!isStringList(client)) {
    const text = `slipway.client must be a list such as ["src/client.tsx"].`;
    problems.push({ code: "config-invalid", text, location: packageFile.locate(keys) });
    return { entries: [], pages: [], problems };
  }
  const paths = client.flatMap((entry, at) => {
    const path = findFile(tree.index, joinPath(root, entry) ?? "");
    if (path === undefined) problems.push(missingEntry(tree, packageFile, { entry, at }));
    return path ?? [];
  });
  return { entries: paths.filter((path) => !isPage(path)), pages: paths.filter(isPage), problems };
}

function isPage(path: string): boolean {
  return extensionOf(path) === ".html";
}

function missingEntry(
  { index }: OpenTree,
  file: ConfigFile,
  { entry, at }: { readonly entry: string; readonly at: number },
): BuildMessage {
  const nearest = nearestName(entry, index.files.keys());
  return {
    code: "entry-not-found",
    text: `slipway.client names "${entry}", which is not in this commit.`,
    location: file.locate(["slipway", "client", at]),
    ...(nearest === undefined ? {} : { fix: `Did you mean "${nearest}"?` }),
  };
}

async function readPages(
  tree: OpenTree,
  { config, assetsFolder }: ClientInput,
  more: { readonly paths: readonly string[]; readonly problems: BuildMessage[] },
): Promise<Page[]> {
  const prefix = assetsFolder === undefined || assetsFolder === "" ? assetsFolder : `${assetsFolder}/`;
  const served = [...tree.index.files]
    .filter(([path, sizeBytes]) => prefix !== undefined && path.startsWith(prefix) && sizeBytes <= CONFIG_BYTES)
    .map(([path]) => path)
    .filter((path) => /\.html?$/.test(path) && !isInNodeModules(path));
  const paths = [...new Set([...served.slice(0, MAX_PAGES), ...more.paths])];
  const files = await readFiles(tree, paths);
  const pages: Page[] = [];
  for (const [path, html] of files) {
    const entries = new Map<string, string>();
    for (const reference of await findReferences(html)) {
      const target = resolveReference(tree, reference, [folderOf(path), assetsFolder, config.root]);
      if (target.kind === "source") entries.set(reference.url, target.path);
      if (target.kind === "missing") more.problems.push(missingSource(tree, { path, html, reference }));
    }
    if (entries.size > 0) pages.push({ path, html, entries });
  }
  return pages;
}

type Target =
  | { readonly kind: "source"; readonly path: string }
  | { readonly kind: "missing" }
  | { readonly kind: "other" };

/** An address with a host is not ours; "/x" is below the assets, or below the app's folder as under a development server. */
function resolveReference(
  { index }: OpenTree,
  { kind, url }: PageReference,
  [folder = "", assets, root]: readonly (string | undefined)[],
): Target {
  if (url === "" || /^(?:[a-z][a-z0-9+.-]*:|\/\/|#)/i.test(url)) return { kind: "other" };
  const path = url.replace(/[?#].*$/, "");
  const extension = extensionOf(path);
  if (kind === "script" ? !SCRIPTS.includes(extension) : extension !== ".css") return { kind: "other" };
  const below = path.startsWith("/") ? [assets, root] : [folder];
  for (const each of below) {
    const joined = each === undefined ? undefined : joinPath(each, path.replace(/^\/+/, ""));
    const found = joined === undefined ? undefined : findFile(index, joined);
    if (found !== undefined) return { kind: "source", path: found };
  }
  // The app itself may answer for a script or a style sheet, but no browser runs TypeScript.
  return SOURCE_ONLY.includes(extension) ? { kind: "missing" } : { kind: "other" };
}

function missingSource(
  { index }: OpenTree,
  { path, html, reference }: { readonly path: string; readonly html: Uint8Array; readonly reference: PageReference },
): BuildMessage {
  const wanted = fileName(reference.url);
  const found = [...index.files.keys()].find((file) => fileName(file) === wanted && !isInNodeModules(file));
  const fix =
    found === undefined ? "Is the file committed? git status --ignored shows what is not." : `There is a ${found}.`;
  const text = `The page asks for "${reference.url}", which is not in this commit.`;
  return { code: "import-not-found", text, location: locateReference(path, html, reference.url), fix };
}

async function runClient(
  { config, run }: ClientInput,
  entries: readonly string[],
  entryNames: string,
): Promise<RunOutcome> {
  if (entries.length === 0) return { kind: "written", outputs: [], inputs: [], packages: [], warnings: [] };
  const files = Object.fromEntries(FILES.map((extension) => [extension, "file"]));
  return run({
    entryPoints: entries.map((path) => ({ in: path, out: outputName(path) })),
    platform: "browser",
    external: [],
    options: {
      bundle: true,
      format: "esm",
      outdir: "/",
      entryNames,
      chunkNames: "assets/[name]-[hash]",
      assetNames: "assets/[name]-[hash]",
      publicPath: "/",
      splitting: true,
      minify: true,
      target: ["es2022"],
      charset: "utf8",
      sourcemap: false,
      loader: { ...files, ".js": "jsx", ".mjs": "jsx", ".txt": "text", ".html": "text", ".md": "text", ".sql": "text" },
      define: { "process.env.NODE_ENV": '"production"', ...config.bundling.define },
    },
  });
}

function outputName(path: string): string {
  const name = fileName(path);
  return name.slice(0, name.length - extensionOf(path).length);
}

async function rewritePages(pages: readonly Page[], outputs: readonly WrittenFile[]): Promise<Map<string, Uint8Array>> {
  const byEntry = new Map(outputs.map((output) => [output.entryPoint, output]));
  const rewritten = pages.map(async ({ path, html, entries }) => {
    const page = await replaceReferences(html, ({ url }) => {
      const output = byEntry.get(entries.get(url));
      if (output === undefined || !entries.has(url)) return undefined;
      const { cssBundle } = output;
      return { url: `/${output.path}`, ...(cssBundle === undefined ? {} : { styleUrl: `/${cssBundle}` }) };
    });
    return [path, page] as const;
  });
  return new Map(await Promise.all(rewritten));
}
