// The packages of a monorepo: folders that the root's package.json (npm, yarn, bun) or pnpm-workspace.yaml names, by the name under
// which the others import them. Nothing is linked: an import of such a name goes to the folder.
import { isStringList } from "./config-check.ts";
import { isTable } from "./config-file.ts";
import { globToRegExp } from "./glob.ts";
import { CONFIG_BYTES } from "./limits.ts";
import { type OpenTree, readFiles } from "./open-tree.ts";
import { fileName, folderOf, isInNodeModules } from "./tree-path.ts";

/** Folders of the tree by package name. */
export type Workspaces = ReadonlyMap<string, string>;

/** The workspace packages that an app in `root` can import: those of the nearest folder at or above it that names any. */
export async function readWorkspaces(tree: OpenTree, root: string): Promise<Workspaces> {
  for (let folder = root; ; folder = folderOf(folder)) {
    const globs = await readGlobs(tree, folder);
    if (globs.length > 0) return readPackages(tree, folder, globs);
    if (folder === "") return new Map();
  }
}

async function readGlobs(tree: OpenTree, folder: string): Promise<string[]> {
  const [packagePath, pnpmPath] = [inFolder(folder, "package.json"), inFolder(folder, "pnpm-workspace.yaml")];
  const files = await readFiles(
    tree,
    [packagePath, pnpmPath].filter((path) => isSmall(tree, path)),
  );
  const { workspaces } = parseJson(files.get(packagePath)) ?? {};
  const globs = isTable(workspaces) ? workspaces["packages"] : workspaces;
  if (isStringList(globs)) return globs;
  const pnpm = files.get(pnpmPath);
  return pnpm === undefined ? [] : pnpmGlobs(new TextDecoder().decode(pnpm));
}

/** `packages` of pnpm-workspace.yaml, which is a list of plain or quoted strings: a block of "- x", or [x, y] in a line. */
function pnpmGlobs(yaml: string): string[] {
  const lines = yaml.split(/\r?\n/);
  const at = lines.findIndex((line) => /^packages\s*:/.test(line));
  if (at < 0) return [];
  const inline = /\[(.*)\]/.exec(lines[at] ?? "")?.[1];
  if (inline !== undefined) return inline.split(",").map(unquote).filter(Boolean);
  const after = lines.slice(at + 1);
  const end = after.findIndex((line) => /^[^\s#-]/.test(line));
  return (end < 0 ? after : after.slice(0, end)).flatMap((line) => {
    const item = /^\s*-\s+(.*)$/.exec(line)?.[1];
    return item === undefined ? [] : [unquote(item)];
  });
}

function unquote(text: string): string {
  const [, , quoted] = /^\s*(["'])(.*?)\1/.exec(text) ?? [];
  return quoted ?? text.replace(/\s+#.*$/, "").trim();
}

async function readPackages(tree: OpenTree, root: string, globs: readonly string[]): Promise<Workspaces> {
  const wanted = globs.filter((glob) => !glob.startsWith("!")).map(globToRegExp);
  const unwanted = globs.filter((glob) => glob.startsWith("!")).map((glob) => globToRegExp(glob.slice(1)));
  const paths = [...tree.index.files.keys()].filter((path) => {
    if (fileName(path) !== "package.json" || isInNodeModules(path) || !isSmall(tree, path)) return false;
    const folder = folderOf(path);
    if (root !== "" && !folder.startsWith(`${root}/`)) return false;
    const relative = root === "" ? folder : folder.slice(root.length + 1);
    return wanted.some((glob) => glob.test(relative)) && !unwanted.some((glob) => glob.test(relative));
  });
  const files = await readFiles(tree, paths);
  const packages = paths.flatMap((path) => {
    const { name } = parseJson(files.get(path)) ?? {};
    return typeof name === "string" ? [[name, folderOf(path)] as const] : [];
  });
  return new Map(packages);
}

function isSmall(tree: OpenTree, path: string): boolean {
  return (tree.index.files.get(path) ?? Number.POSITIVE_INFINITY) <= CONFIG_BYTES;
}

function inFolder(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** What is no JSON says nothing: where it matters, whoever reads the file as configuration says so with its place. */
function parseJson(bytes: Uint8Array | undefined): Readonly<Record<string, unknown>> | undefined {
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isTable(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
