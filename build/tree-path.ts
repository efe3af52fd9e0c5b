// Paths inside a tree, as strings: "" is the root, "/" separates, and no path names anything outside of the tree.
// Both the host's side of a build and the builder isolate use them.

/** The folder that a path is in. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** A path's last segment. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A path's extension with its dot, in lower case, or "". A leading dot begins a name, not an extension. */
export function extensionOf(path: string): string {
  const name = fileName(path);
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot).toLowerCase();
}

/** `relative` as seen from `folder`, or undefined where it is absolute or leaves the tree. */
export function joinPath(folder: string, relative: string): string | undefined {
  if (relative.startsWith("/")) return undefined;
  const segments = folder === "" ? [] : folder.split("/");
  for (const segment of relative.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join("/");
}

/** How a file in `folder` writes an import of `path`: always with "./" or "../" in front. */
export function relativePath(folder: string, path: string): string {
  const from = folder === "" ? [] : folder.split("/");
  const to = path.split("/");
  let same = 0;
  while (same < from.length && same < to.length - 1 && from[same] === to[same]) same++;
  const up = from.length - same;
  return `${up === 0 ? "./" : "../".repeat(up)}${to.slice(same).join("/")}`;
}

/** Whether a path is inside of an installed package, in a node_modules at any depth. */
export function isInNodeModules(path: string): boolean {
  return path.startsWith("node_modules/") || path.includes("/node_modules/");
}

/** "node_modules/a" of "node_modules/a/b/c.js": the package that a file is in. */
export function packageFolderOf(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}
