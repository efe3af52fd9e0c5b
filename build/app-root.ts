// The folder of a repository that the app is in: the one that was set, else the repository's root, else the one folder that looks
// like an app. Several that do are named, and nothing is guessed.
import { packageEntries } from "./config.ts";
import { parseConfigFile } from "./config-file.ts";
import { findConventionalEntry } from "./entry.ts";
import { CONFIG_BYTES } from "./limits.ts";
import type { BuildMessage } from "./messages.ts";
import { nearestName } from "./nearest.ts";
import { type OpenTree, readFiles } from "./open-tree.ts";
import { findFile, findFolder, findSubmodule } from "./tree-index.ts";
import { fileName, folderOf, isInNodeModules, joinPath } from "./tree-path.ts";
import { WRANGLER_FILES } from "./wrangler-config.ts";

/** What is known of the app's folder before its files are read. */
export interface RootSetting {
  /** As its owner set it; "" where nobody did. */
  readonly root: string;
  /** A command that sets it, ready to paste. */
  readonly setCommand: (root: string) => string;
}

/** The folder, "" for the repository's root. */
export type RootOutcome =
  | { readonly kind: "found"; readonly root: string }
  | { readonly kind: "failed"; readonly message: BuildMessage };

/** More folders than these are not looked into. */
const MAX_FOLDERS = 500;
const MAX_NAMED = 10;

/** Finds the folder. Where nothing looks like an app it is the root, about which findEntry has more to say. */
export async function findRoot(tree: OpenTree, setting: RootSetting): Promise<RootOutcome> {
  if (setting.root !== "") return checkSetting(tree, setting);
  if (isApp(tree, "") || (await appPackages(tree, [""])).length > 0) return { kind: "found", root: "" };
  const folders = foldersWith(tree, [...WRANGLER_FILES, "package.json"]);
  const configured = folders.filter((folder) => hasWranglerFile(tree, folder));
  const candidates = configured.length > 0 ? configured : await appPackages(tree, folders);
  const [first, second] = candidates;
  if (first === undefined || second === undefined) return { kind: "found", root: first ?? "" };
  return { kind: "failed", message: ambiguous(candidates, setting) };
}

function checkSetting({ index }: OpenTree, { root, setCommand }: RootSetting): RootOutcome {
  const path = joinPath("", root);
  const folder = path === undefined ? undefined : findFolder(index, path);
  if (folder !== undefined) return { kind: "found", root: folder };
  const submodule = path === undefined ? undefined : findSubmodule(index, path);
  if (submodule !== undefined) {
    const text = `The app's root is "${root}", which is in the submodule ${submodule}: its content is not in the push.`;
    return { kind: "failed", message: { code: "submodule", text } };
  }
  const nearest = nearestName(root, index.folders) ?? "";
  const text = `The app's root is set to "${root}", which is no folder of this commit.`;
  const fix = `${nearest === "" ? "To look in the whole repository" : `Did you mean "${nearest}"?`} ${setCommand(nearest)}`;
  return { kind: "failed", message: { code: "entry-not-found", text, fix } };
}

function hasWranglerFile({ index }: OpenTree, folder: string): boolean {
  return WRANGLER_FILES.some((name) => findFile(index, joinPath(folder, name) ?? "") !== undefined);
}

/** The repository's root is an app by less than other folders are: an entry by convention, or nothing but assets. */
function isApp(tree: OpenTree, folder: string): boolean {
  const hasAssets = findFolder(tree.index, joinPath(folder, "public") ?? "") !== undefined;
  return hasWranglerFile(tree, folder) || hasAssets || findConventionalEntry(tree.index, folder) !== undefined;
}

function foldersWith({ index }: OpenTree, names: readonly string[]): string[] {
  const folders = [...index.files.keys()]
    .filter((path) => names.includes(fileName(path)) && !isInNodeModules(path) && !/(^|\/)\./.test(path))
    .map(folderOf);
  return [...new Set(folders)]
    .filter((folder) => folder !== "")
    .toSorted()
    .slice(0, MAX_FOLDERS);
}

function pathOf(folder: string): string {
  return folder === "" ? "package.json" : `${folder}/package.json`;
}

/** Folders whose package.json names an entry that is there, or that have one by convention beside it. */
async function appPackages(tree: OpenTree, folders: readonly string[]): Promise<string[]> {
  const paths = folders.map(pathOf).filter((path) => (tree.index.files.get(path) ?? Infinity) <= CONFIG_BYTES);
  const files = await readFiles(tree, paths);
  return folders.filter((folder) => {
    const bytes = files.get(pathOf(folder));
    if (bytes === undefined) return false;
    const parsed = parseConfigFile(pathOf(folder), bytes);
    const named = parsed.kind === "read" ? packageEntries(parsed.file.value) : [];
    const isThere = named.some(([, path]) => findFile(tree.index, joinPath(folder, path) ?? "") !== undefined);
    return isThere || findConventionalEntry(tree.index, folder) !== undefined;
  });
}

function ambiguous(candidates: readonly string[], { setCommand }: RootSetting): BuildMessage {
  const left = candidates.length - MAX_NAMED;
  return {
    code: "entry-not-found",
    text: `This repository has ${candidates.length} folders that could be the app, and none at its root.`,
    notes: [
      ...candidates.slice(0, MAX_NAMED).map((folder) => `  ${folder}`),
      ...(left > 0 ? [`  and ${left} more`] : []),
      "Say which one it is, and push again:",
    ],
    fix: setCommand(candidates[0] ?? ""),
  };
}
