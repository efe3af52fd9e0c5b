// Which files a tree has, for lookups by name: regular files, folders, symlinks and submodules, without any contents.
// The builder isolate and the configuration readers look names up here, so that symlinks mean the same to both.
import { folderOf, joinPath, relativePath } from "./tree-path.ts";

/** The names of a tree, sorted. This is also how they travel to the builder isolate. */
export interface TreeNames {
  readonly files: readonly (readonly [path: string, sizeBytes: number])[];
  /** Each symlink with its target, as the commit has it. */
  readonly links: readonly (readonly [path: string, target: string])[];
  readonly submodules: readonly string[];
}

/** The same, ready to be asked. */
export interface TreeIndex {
  /** Sizes in bytes, by path. */
  readonly files: ReadonlyMap<string, number>;
  readonly folders: ReadonlySet<string>;
  readonly links: ReadonlyMap<string, string>;
  readonly submodules: ReadonlySet<string>;
}

/** An index that packages are added to while imports reach them. */
export interface GrowingTreeIndex extends TreeIndex {
  readonly files: Map<string, number>;
  readonly folders: Set<string>;
  readonly links: Map<string, string>;
}

/** Where a path leads once symlinks are followed. */
export type LinkOutcome =
  | { readonly kind: "path"; readonly path: string }
  /** A symlink that points out of the tree, or in a circle. */
  | { readonly kind: "broken"; readonly link: string; readonly target: string };

/** Like the kernel's own bound on the symlinks of one path. */
const MAX_LINKS = 40;

/** Makes an index. Folders are known by their files: git has no empty ones. */
export function indexTree(names: TreeNames): GrowingTreeIndex {
  const folders = new Set<string>([""]);
  for (const [file] of names.files) addFolder(folders, folderOf(file));
  return {
    files: new Map(names.files),
    folders,
    links: new Map(names.links),
    submodules: new Set(names.submodules),
  };
}

/** Adds the files of a folder that was not there, or had only nested packages in it. */
export function addFiles(index: GrowingTreeIndex, folder: string, files: TreeNames["files"]): void {
  addFolder(index.folders, folder);
  for (const [path, sizeBytes] of files) {
    index.files.set(path, sizeBytes);
    addFolder(index.folders, folderOf(path));
  }
}

/** Adds a symlink to a folder of the tree, which stands where nothing else does. */
export function addLink(index: GrowingTreeIndex, path: string, folder: string): void {
  if (index.links.has(path) || index.folders.has(path)) return;
  index.links.set(path, relativePath(folderOf(path), folder === "" ? "." : folder));
}

function addFolder(folders: Set<string>, path: string): void {
  for (let folder = path; !folders.has(folder); folder = folderOf(folder)) folders.add(folder);
}

/** Follows the symlinks of a path, its own last segment too. It does not ask whether anything is there. */
export function followLinks(index: TreeIndex, path: string): LinkOutcome {
  if (index.links.size === 0) return { kind: "path", path };
  let rest = path.split("/");
  let walked = "";
  for (let hops = 0; rest.length > 0;) {
    const [segment = "", ...others] = rest;
    const here = walked === "" ? segment : `${walked}/${segment}`;
    const target = index.links.get(here);
    if (target === undefined) {
      walked = here;
      rest = others;
      continue;
    }
    const joined = joinPath(walked, target);
    if (joined === undefined || ++hops > MAX_LINKS) return { kind: "broken", link: here, target };
    walked = "";
    rest = joined === "" ? others : [...joined.split("/"), ...others];
  }
  return { kind: "path", path: walked };
}

/** The regular file at a path, symlinks followed, or undefined. */
export function findFile(index: TreeIndex, path: string): string | undefined {
  const outcome = followLinks(index, path);
  return outcome.kind === "path" && index.files.has(outcome.path) ? outcome.path : undefined;
}

/** The folder at a path, symlinks followed, or undefined. */
export function findFolder(index: TreeIndex, path: string): string | undefined {
  const outcome = followLinks(index, path);
  return outcome.kind === "path" && index.folders.has(outcome.path) ? outcome.path : undefined;
}

/** The submodule that a path is in, or undefined. */
export function findSubmodule(index: TreeIndex, path: string): string | undefined {
  for (let at = path; at !== ""; at = folderOf(at)) {
    if (index.submodules.has(at)) return at;
  }
  return undefined;
}
