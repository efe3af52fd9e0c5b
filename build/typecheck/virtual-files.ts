// The file system that TypeScript sees: the tree at "/", and the declarations that the host carries where the tree has none.
// TypeScript asks synchronously and the tree is read in rounds, so a file that was not read yet is noted, and looks empty until the
// next round. Whoever runs a program runs it again until a round notes nothing.
import type { ReadMore } from "../bundle-request.ts";
import { findFile, findFolder, followLinks, indexTree, type TreeIndex, type TreeNames } from "../tree-index.ts";
import { joinPath } from "../tree-path.ts";

/** Where TypeScript's own lib.*.d.ts are. No file of a tree has this name. */
export const LIB_FOLDER = "/.typescript";

/** Declares what no declarations were pushed of. */
export const UNTYPED_FILE = `${LIB_FOLDER}/untyped.d.ts`;

/** Files of one check, read as far as they were asked for. */
export class VirtualFiles {
  readonly index: TreeIndex;
  /** What was asked for and is not read. */
  readonly missing = new Set<string>();
  /** Bytes of the tree that were read. */
  bytesRead = 0;
  readonly #carried: ReadonlyMap<string, string>;
  readonly #folders = new Set<string>();
  readonly #texts = new Map<string, string>();
  readonly #readMore: ReadMore;

  constructor(files: {
    readonly names: TreeNames;
    /** By absolute path. */
    readonly carriedFiles: Readonly<Record<string, string>>;
    readonly untypedPackages: readonly string[];
    readonly readMore: ReadMore;
  }) {
    this.index = indexTree(files.names);
    this.#readMore = files.readMore;
    const carried = Object.entries(files.carriedFiles).filter(([path]) => !this.#hasPackageOf(path));
    this.#carried = new Map([...carried, [UNTYPED_FILE, declareUntyped(files.untypedPackages)]]);
    for (const [path] of carried) {
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
        this.#folders.add(path.slice(0, at));
    }
  }

  fileExists(path: string): boolean {
    return this.#carried.has(path) || this.#treePath(path) !== undefined;
  }

  directoryExists(path: string): boolean {
    const folder = path.replace(/\/$/, "");
    return this.#folders.has(folder) || findFolder(this.index, folder.slice(1)) !== undefined;
  }

  /** The names of the folders in a folder. */
  getDirectories(path: string): string[] {
    const folder = path === "/" ? "/" : `${path.replace(/\/$/, "")}/`;
    const all = [...this.#folders, ...Array.from(this.index.folders, (name) => `/${name}`)];
    const below = all.filter((name) => name.startsWith(folder) && name.length > folder.length);
    return [...new Set(below.map((name) => name.slice(folder.length).split("/", 1).join("")))];
  }

  /** The text of a file, "" for one that is to be read first, undefined for one that is not there. */
  readFile(path: string): string | undefined {
    const carried = this.#carried.get(path);
    if (carried !== undefined) return carried;
    const treePath = this.#treePath(path);
    if (treePath === undefined) return undefined;
    const text = this.#texts.get(treePath);
    if (text === undefined) this.missing.add(treePath);
    return text ?? "";
  }

  /** Whether readFile gave a file's own text. */
  isRead(path: string): boolean {
    return this.#carried.has(path) || this.#texts.has(this.#treePath(path) ?? "");
  }

  realpath(path: string): string {
    const outcome = followLinks(this.index, path.slice(1));
    return outcome.kind === "path" ? `/${outcome.path}` : path;
  }

  /** Every file of the tree below a folder, as absolute paths. */
  listFiles(folder: string): string[] {
    const prefix = folder === "/" ? "/" : `${folder}/`;
    return Array.from(this.index.files.keys(), (path) => `/${path}`).filter((path) => path.startsWith(prefix));
  }

  /** Reads what is missing. false: it could not be read. */
  async readMissing(): Promise<boolean> {
    const paths = [...this.missing];
    this.missing.clear();
    const read = await this.#readMore(paths);
    if (read === undefined) return false;
    for (const [path, bytes] of read) {
      this.bytesRead += bytes.byteLength;
      this.#texts.set(path, new TextDecoder().decode(bytes));
    }
    return paths.every((path) => this.#texts.has(path));
  }

  /** A package that the tree has itself is never mixed with the carried one of the same name. */
  #hasPackageOf(carriedPath: string): boolean {
    const [, name] = /^\/node_modules\/(@[^/]+\/[^/]+)\//.exec(carriedPath) ?? [];
    return name !== undefined && findFolder(this.index, `node_modules/${name}`) !== undefined;
  }

  #treePath(path: string): string | undefined {
    const inTree = joinPath("", path.slice(1));
    return inTree === undefined ? undefined : findFile(this.index, inTree);
  }
}

/**
 * Packages are installed when a bundle needs them, without their declarations. Node's own modules and globals come with a package of
 * declarations too.
 */
function declareUntyped(names: readonly string[]): string {
  const hasNodeTypes = !names.includes("@types/node");
  const jsx = "export namespace JSX { type Element = any; interface IntrinsicElements { [name: string]: any } }";
  const runtime = `{ ${jsx} export const jsx: any; export const jsxs: any; export const jsxDEV: any; export const Fragment: any; }`;
  const lines = names
    .filter((name) => !name.startsWith("@types/"))
    .flatMap((name) => [
      `declare module ${JSON.stringify(name)};`,
      `declare module ${JSON.stringify(`${name}/*`)};`,
      ...["jsx-runtime", "jsx-dev-runtime", "jsx/jsx-runtime", "jsx/jsx-dev-runtime"].map(
        (path) => `declare module ${JSON.stringify(`${name}/${path}`)} ${runtime}`,
      ),
    ]);
  const node = [
    'declare module "node:*";',
    "declare var process: any;",
    "declare var Buffer: any;",
    "type Buffer = any;",
  ];
  return [...lines, ...(hasNodeTypes ? [] : node)].join("\n");
}
