// The packages of one build, inside the builder isolate: where an import finds its package's folder, with the packages of a layout
// put into the tree as imports reach them. Imports of the same turn ask the host together.
import type { BuildMessage } from "../messages.ts";
import { addFiles, addLink, findFolder, type GrowingTreeIndex } from "../tree-index.ts";
import { folderOf } from "../tree-path.ts";
import { below } from "./layout.ts";
import type { InstallAnswer, LayoutAnswer, PackagesPort } from "./packages-port.ts";

/** What looking for a package comes to. */
export type FolderOutcome =
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly message: BuildMessage };

type Layout =
  | { readonly kind: "layout"; readonly folders: ReadonlySet<string>; readonly leftOut: ReadonlySet<string> }
  | { readonly kind: "failed"; readonly message: BuildMessage };

/** Finds folders of packages, and has them installed. */
export class PackageFolders {
  readonly #index: GrowingTreeIndex;
  readonly #port: PackagesPort;
  readonly #take: (contents: ReadonlyMap<string, Uint8Array>) => void;
  readonly #installing = new Map<string, Promise<BuildMessage | undefined>>();
  /** Whether the commit has a node_modules of its own, which then counts before any lockfile. */
  readonly #isCommitted: boolean;
  #queue: string[] = [];
  #flushing: Promise<ReadonlyMap<string, InstallAnswer> | undefined> | undefined;
  #layout: Promise<Layout> | undefined;
  /** Whether the host could not answer: then what this gave in its place means nothing. */
  isBroken = false;
  /** The lockfile that the layout comes from, once it was asked for. */
  lockfile: string | undefined;

  constructor(index: GrowingTreeIndex, port: PackagesPort, take: (contents: ReadonlyMap<string, Uint8Array>) => void) {
    this.#index = index;
    this.#port = port;
    this.#take = take;
    this.#isCommitted = [...index.folders].some((folder) => /(^|\/)node_modules$/.test(folder));
  }

  /** The folder of the package `name` as an import in `importer` finds it: the nearest one upwards. */
  async find(importer: string, name: string): Promise<FolderOutcome> {
    const committed = this.#isCommitted ? this.#walk(importer, name, () => false) : undefined;
    if (committed !== undefined && !this.#isInstalled(committed)) return { kind: "folder", folder: committed };
    this.#layout ??= this.#port.layout().then((answer) => this.#open(answer));
    const layout = await this.#layout;
    if (layout.kind === "failed") return layout;
    const folder = this.#walk(importer, name, (path) => layout.folders.has(path));
    if (folder === undefined) {
      if (layout.leftOut.has(name)) await this.#port.want(name);
      return { kind: "absent" };
    }
    const message = layout.folders.has(folder) ? await this.#install(folder) : undefined;
    return message === undefined ? { kind: "folder", folder } : { kind: "failed", message };
  }

  #isInstalled(folder: string): boolean {
    return this.#installing.has(folder);
  }

  #walk(importer: string, name: string, isInLayout: (path: string) => boolean): string | undefined {
    for (let folder = folderOf(importer); ; folder = folderOf(folder)) {
      const path = below(folder, `node_modules/${name}`);
      if (isInLayout(path)) return path;
      const found = findFolder(this.#index, path);
      if (found !== undefined) return found;
      if (folder === "") return undefined;
    }
  }

  #open(answer: LayoutAnswer | undefined): Layout {
    if (answer === undefined) {
      this.isBroken = true;
      return { kind: "layout", folders: new Set(), leftOut: new Set() };
    }
    if (answer.kind === "failed") return answer;
    for (const [path, folder] of answer.links) addLink(this.#index, path, folder);
    this.lockfile = answer.lockfile;
    return { kind: "layout", folders: new Set(answer.folders), leftOut: new Set(answer.leftOut) };
  }

  #install(folder: string): Promise<BuildMessage | undefined> {
    const known = this.#installing.get(folder);
    if (known !== undefined) return known;
    this.#queue.push(folder);
    this.#flushing ??= new Promise((resolve) => setTimeout(() => resolve(this.#flush()), 0));
    const installing = this.#flushing.then((answers) => this.#finish(folder, answers?.get(folder)));
    this.#installing.set(folder, installing);
    return installing;
  }

  #flush(): ReturnType<PackagesPort["install"]> {
    const folders = this.#queue;
    this.#queue = [];
    this.#flushing = undefined;
    return this.#port.install(folders);
  }

  #finish(folder: string, answer: InstallAnswer | undefined): BuildMessage | undefined {
    if (answer?.kind === "failed") return answer.message;
    if (answer === undefined) this.isBroken = true;
    addFiles(this.#index, folder, answer?.files ?? []);
    if (answer !== undefined) this.#take(answer.contents);
    return undefined;
  }
}
