// Which file of a commit the app begins with, and what to say where none is found: the names looked for in their order, the
// nearest candidates of this commit, and the one line of configuration that points at one.
import type { ConfigFile } from "./config-file.ts";
import type { BuildMessage } from "./messages.ts";
import { nearestName } from "./nearest.ts";
import { findFile, findFolder, findSubmodule, type TreeIndex } from "./tree-index.ts";
import { extensionOf, fileName, isInNodeModules, joinPath } from "./tree-path.ts";

/** What the configuration says about the entry. */
export interface EntryHints {
  /** The app's folder, which all paths are relative to. */
  readonly root: string;
  /** `main` of the wrangler configuration. */
  readonly configured: string | undefined;
  readonly wranglerFile: ConfigFile | undefined;
  /** Paths that package.json names, with the field; undefined where there is no package.json. */
  readonly packaged: readonly (readonly [field: string, path: string])[] | undefined;
}

/** The entry, or why there is none. */
export type EntryOutcome =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "failed"; readonly message: BuildMessage };

const ENTRY_EXTENSIONS = [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs"] as const;
const ENTRY_STEMS = ["src/index", "index"] as const;
/** Names that people give to an entry, the likeliest first. */
const LIKELY_STEMS = ["index", "worker", "main", "app", "server", "mod"];
const MAX_CANDIDATES = 3;

/** Finds the entry. `main` of the wrangler configuration is binding; what package.json names counts if it is there. */
export function findEntry(index: TreeIndex, hints: EntryHints): EntryOutcome {
  if (hints.configured !== undefined) return configuredEntry(index, hints.configured, hints);
  const named = (hints.packaged ?? []).map(([, path]) => path);
  const found = findFirstEntry(index, hints.root, named) ?? findConventionalEntry(index, hints.root);
  if (found !== undefined) return { kind: "found", path: found };
  return { kind: "failed", message: noEntry(index, hints) };
}

/** The entry of a folder where nothing names one. */
export function findConventionalEntry(index: TreeIndex, root: string): string | undefined {
  const paths = ENTRY_STEMS.flatMap((stem) => ENTRY_EXTENSIONS.map((extension) => `${stem}${extension}`));
  return findFirstEntry(index, root, paths);
}

function findFirstEntry(index: TreeIndex, root: string, paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const found = findEntryFile(index, root, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findEntryFile(index: TreeIndex, root: string, path: string): string | undefined {
  const joined = joinPath(root, path);
  if (joined === undefined) return undefined;
  return findFile(index, joined);
}

function configuredEntry(index: TreeIndex, main: string, { root, wranglerFile: file }: EntryHints): EntryOutcome {
  const found = findEntryFile(index, root, main);
  if (found !== undefined) return { kind: "found", path: found };
  const path = joinPath(root, main);
  const submodule = path === undefined ? undefined : findSubmodule(index, path);
  const location = file === undefined ? {} : { location: file.locate(["main"]) };
  if (submodule !== undefined) {
    const text = `main names "${main}", which is in the submodule ${submodule}: its content is not in the push.`;
    return { kind: "failed", message: { code: "submodule", text, ...location } };
  }
  const nearest = nearestName(path ?? main, candidates(index, root)) ?? sameName(candidates(index, root), main);
  const isFolder = path !== undefined && findFolder(index, path) !== undefined;
  const problem =
    path === undefined ? "is outside of the repository" : isFolder ? "is a folder" : "is not in this commit";
  const text = `main names "${main}", which ${problem}.`;
  const fix = nearest === undefined ? {} : { fix: `Did you mean "${within(root, nearest)}"?` };
  return { kind: "failed", message: { code: "entry-not-found", text, ...location, ...fix } };
}

function sameName(paths: readonly string[], main: string): string | undefined {
  const stem = stemOf(main);
  return paths.find((path) => stemOf(path) === stem);
}

/** A path of the tree as the app's own files write it. */
function within(root: string, path: string): string {
  return root === "" || !path.startsWith(`${root}/`) ? path : path.slice(root.length + 1);
}

function noEntry(index: TreeIndex, hints: EntryHints): BuildMessage {
  if (index.files.size === 0) return { code: "entry-not-found", text: "This commit has no files to deploy." };
  const wrangler =
    hints.wranglerFile === undefined ? "there is no wrangler.jsonc" : `not set in ${hints.wranglerFile.path}`;
  const named = (hints.packaged ?? []).map(([field, path]) => `${field} is "${path}", not in this commit`);
  const packaged = hints.packaged === undefined ? "there is none" : named.join("; ") || "not set";
  const { root } = hints;
  const near = candidates(index, root).map((path) => within(root, path));
  const [nearest, ...others] = near.slice(0, MAX_CANDIDATES);
  const extensions = ENTRY_EXTENSIONS.slice(1).join(", ");
  const submodules = [...index.submodules].join(", ");
  return {
    code: "entry-not-found",
    text: "No entry file found.",
    notes: [
      root === "" ? "Looked for, in this order:" : `Looked for in ${root}, in this order:`,
      `  main of the wrangler configuration (${wrangler})`,
      `  exports, module and main of package.json (${packaged})`,
      ...ENTRY_STEMS.map((stem) => `  ${stem}${ENTRY_EXTENSIONS[0]}, ${extensions}`),
      ...(submodules === "" ? [] : [`Submodules, whose content is not in the push: ${submodules}`]),
      ...(nearest === undefined
        ? []
        : [`Nearest in ${root === "" ? "this commit" : root}: ${[nearest, ...others].join(", ")}`]),
    ],
    fix: configLine(hints, nearest ?? "src/index.ts"),
  };
}

function configLine({ root, wranglerFile: file }: EntryHints, path: string): string {
  const name = root === "" ? "wrangler.jsonc" : `${root}/wrangler.jsonc`;
  if (file === undefined) return `Add a file ${name} with this line: { "main": "${path}" }`;
  const line = extensionOf(file.path) === ".toml" ? `main = "${path}"` : `"main": "${path}",`;
  return `Add this line to ${file.path}: ${line}`;
}

/** Source files that could be an entry: the nearest to the root first, then the likeliest name, then by path. */
function candidates(index: TreeIndex, root: string): string[] {
  return [...index.files.keys()]
    .filter((path) => couldBeEntry(path) && (root === "" || path.startsWith(`${root}/`)))
    .map((path) => ({ path, depth: path.split("/").length, likelihood: likelihoodOf(path) }))
    .toSorted((a, b) => a.depth - b.depth || a.likelihood - b.likelihood || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

function couldBeEntry(path: string): boolean {
  const extension = extensionOf(path);
  const isSource = ENTRY_EXTENSIONS.some((each) => each === extension);
  return isSource && !isInNodeModules(path) && !/\.(d|test|spec|config)\.[cm]?[jt]sx?$/.test(path);
}

function likelihoodOf(path: string): number {
  const at = LIKELY_STEMS.indexOf(stemOf(path));
  return at < 0 ? LIKELY_STEMS.length : at;
}

function stemOf(path: string): string {
  const name = fileName(path);
  return name.slice(0, name.length - extensionOf(path).length);
}
