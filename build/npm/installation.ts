// The packages of one build, on the host's side: the layout when an import first asks for it, each package when an import reaches
// it. A tree without such imports reads no lockfile and asks nobody for anything.
import { type ConfigFile, isTable } from "../config-file.ts";
import type { BuildMessage } from "../messages.ts";
import type { OpenTree } from "../open-tree.ts";
import { folderOf, isInNodeModules } from "../tree-path.ts";
import { below, type Layout, type LayoutOutcome, type LayoutPackage } from "./layout.ts";
import { type AppPackages, readLayout } from "./read-layout.ts";
import { type Failed, nativeAddon, noRegistry, unsupportedSource } from "./package-failure.ts";
import {
  openPackage,
  openPackageStore,
  type PackageHost,
  type PackageStore,
  readPackageFiles,
  type StoredPackage,
  withNearest,
} from "./package-store.ts";
import type { BundledPackage, InstallAnswer, LayoutAnswer, PackagesPort } from "./packages-port.ts";

/** Contents of packages up to this size travel with their names. */
const SENT_BYTES = 512 * 1024;
const MAX_PACKAGES = 1500;

/** What a build knows of its packages. It asks as little as its imports do, and everything once. */
export class PackageInstallation implements PackagesPort {
  readonly #tree: OpenTree;
  readonly #store: PackageStore | undefined;
  readonly #opened = new Map<string, Promise<StoredPackage | Failed>>();
  readonly #app: AppPackages;
  readonly #mentioned: readonly string[];
  /** What imports reached and the layout left out. */
  readonly wanted = new Set<string>();
  #layout: Promise<LayoutOutcome> | undefined;

  /** `also` are names that imports are known to reach. */
  constructor(tree: OpenTree, app: AppPackages, host: PackageHost | undefined, also: readonly string[] = []) {
    this.#tree = tree;
    this.#app = app;
    this.#store = host === undefined ? undefined : openPackageStore(host);
    this.#mentioned = [...new Set([...mentionedNames(tree, app.dependencies), ...also])];
  }

  async want(name: string): Promise<void> {
    this.wanted.add(name);
  }

  async layout(): Promise<LayoutAnswer> {
    const outcome = await this.#readLayout();
    if (outcome.kind === "failed") return { kind: "failed", message: outcome.failure };
    const { packages, links, lockfile, leftOut = [] } = outcome.layout;
    return { kind: "layout", folders: [...packages.keys()], links: [...links], lockfile, leftOut };
  }

  async install(folders: readonly string[]): Promise<Map<string, InstallAnswer>> {
    const answers = folders.map(async (folder) => [folder, await this.#answer(folder)] as const);
    return new Map(await Promise.all(answers));
  }

  /** Begins with what the sources that are read already import: most builds then wait for nothing. */
  startAhead(): void {
    if (this.#store === undefined) return;
    const ahead = async (): Promise<void> => {
      const names = this.#mentioned;
      if (names.length === 0) return;
      const outcome = await this.#readLayout();
      if (outcome.kind === "failed") return;
      const folders = names.flatMap((name) => nearestFolder(outcome.layout, this.#app.root, name) ?? []);
      await Promise.all(folders.map((folder) => this.#open(folder)));
    };
    // Whoever needs what failed here meets the same failure.
    ahead().catch(() => undefined);
  }

  /** Contents of installed files; what is no package's is the tree's. */
  async read(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const own: string[] = [];
    const byFolder = new Map<string, string[]>();
    for (const path of paths) {
      const folder = this.#folderOf(path);
      if (folder === undefined) own.push(path);
      else byFolder.set(folder, [...(byFolder.get(folder) ?? []), path]);
    }
    const fromTree = own.length === 0 ? undefined : this.#tree.source.read(own);
    const fromPackages = await Promise.all([...byFolder].map(([folder, wanted]) => this.#readPackage(folder, wanted)));
    return new Map([...((await fromTree) ?? []), ...fromPackages.flat()]);
  }

  /** The packages in these folders, those that package.json names first. Folders of a committed node_modules are not among them. */
  async describe(folders: readonly string[]): Promise<BundledPackage[]> {
    return sortPackages(await this.#layoutPackages(folders), this.#app.dependencies);
  }

  /** What must be said of packages that are in the bundle. */
  async warnings(folders: readonly string[]): Promise<BuildMessage[]> {
    const opened = await Promise.all(folders.flatMap((folder) => this.#opened.get(folder) ?? []));
    return opened.flatMap((stored) => {
      return stored.kind === "stored" && stored.index.hasInstallScript ? [installScript(stored.index)] : [];
    });
  }

  #readLayout(): Promise<LayoutOutcome> {
    const mentioned = this.#mentioned;
    this.#layout ??= readLayout({ tree: this.#tree, store: this.#store, app: this.#app, mentioned });
    return this.#layout;
  }

  #open(folder: string): Promise<StoredPackage | Failed> {
    const known = this.#opened.get(folder);
    if (known !== undefined) return known;
    const opened = this.#openNew(folder);
    this.#opened.set(folder, opened);
    return opened;
  }

  async #openNew(folder: string): Promise<StoredPackage | Failed> {
    const [wanted] = await this.#layoutPackages([folder]);
    if (wanted === undefined) throw new Error(`${folder} is not in the layout.`);
    if (wanted.elsewhere !== undefined) return unsupportedSource(wanted.name, wanted.elsewhere);
    if (this.#store === undefined) return noRegistry(`${wanted.name} ${wanted.version}`);
    if (this.#opened.size > MAX_PACKAGES) return tooMany();
    return openPackage(this.#store, wanted);
  }

  async #answer(folder: string): Promise<InstallAnswer> {
    const opened = await this.#open(folder);
    if (opened.kind === "failed") return { kind: "failed", message: await this.#explain(folder, opened) };
    if (opened.index.isNative)
      return { kind: "failed", message: await this.#explain(folder, nativeAddon(opened.index)) };
    const files = opened.index.files.map(([path, sizeBytes]) => [`${folder}/${path}`, sizeBytes] as const);
    const sent = opened.head.byteLength <= SENT_BYTES ? files.map(([path]) => path) : [`${folder}/package.json`];
    return { kind: "installed", files, contents: new Map(await this.#readPackage(folder, sent)) };
  }

  async #readPackage(folder: string, paths: readonly string[]): Promise<[string, Uint8Array][]> {
    const stored = await this.#open(folder);
    if (stored.kind === "failed" || this.#store === undefined) return [];
    const inPackage = paths.map((path) => path.slice(folder.length + 1));
    const contents = await readPackageFiles(this.#store, stored, inPackage);
    return [...contents].map(([path, bytes]) => [`${folder}/${path}`, bytes]);
  }

  /** The opened package that a path is in. */
  #folderOf(path: string): string | undefined {
    if (!isInNodeModules(path)) return undefined;
    for (let at = folderOf(path); at !== ""; at = folderOf(at)) if (this.#opened.has(at)) return at;
    return undefined;
  }

  async #layoutPackages(folders: readonly string[]): Promise<LayoutPackage[]> {
    const outcome = await this.#layout;
    if (outcome === undefined || outcome.kind === "failed") return [];
    return folders.flatMap((folder) => outcome.layout.packages.get(folder) ?? []);
  }

  /** A failure with the places where the package is asked for. */
  async #explain(folder: string, problem: Failed): Promise<BuildMessage> {
    const [wanted] = await this.#layoutPackages([folder]);
    const outcome = await this.#layout;
    const layout = outcome?.kind === "layout" ? outcome.layout : undefined;
    const known = layout === undefined ? [] : namesOf(layout);
    const { failure } = wanted === undefined ? problem : withNearest(problem, wanted.name, known);
    const notes = [askedNote(this.#app.packageFile, folder), lockedNote(layout, wanted)].filter(
      (note) => note !== undefined,
    );
    return { ...failure, notes: [...(failure.notes ?? []), ...notes] };
  }
}

/** Each package once, those of `dependencies` first. */
export function sortPackages(packages: readonly BundledPackage[], dependencies: readonly string[]): BundledPackage[] {
  const own = new Set(dependencies);
  const sorted = packages.toSorted((a, b) => {
    return (
      Number(own.has(b.name)) - Number(own.has(a.name)) || compare(a.name, b.name) || compare(a.version, b.version)
    );
  });
  return [...new Map(sorted.map(({ name, version }) => [`${name}@${version}`, { name, version }])).values()];
}

/**
 * Works with packages. Sources are looked through for names before anything is resolved, which may miss one: then everything is
 * done once more with it, so that what comes out does not depend on when the import was met.
 */
export async function withPackages<T>(
  open: (also: readonly string[]) => PackageInstallation,
  work: (packages: PackageInstallation) => Promise<T>,
): Promise<{ readonly outcome: T; readonly packages: PackageInstallation }> {
  const also = new Set<string>();
  for (;;) {
    const packages = open([...also].toSorted());
    const outcome = await work(packages);
    const more = [...packages.wanted].filter((name) => !also.has(name));
    if (more.length === 0) return { outcome, packages };
    for (const name of more) also.add(name);
  }
}

const KINDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

/** The names that stand in quotes in sources that were read ahead: as an import would have them. */
function mentionedNames(tree: OpenTree, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const decoder = new TextDecoder();
  const texts = [...tree.contents]
    .filter(([path]) => /\.[cm]?[jt]sx?$/.test(path) && !isInNodeModules(path))
    .map(([, bytes]) => decoder.decode(bytes));
  return [...new Set(names)].filter((name) => {
    const quoted = [`"${name}"`, `'${name}'`, `"${name}/`, `'${name}/`];
    return texts.some((text) => quoted.some((form) => text.includes(form)));
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Where an import from a folder of the repository finds a package. */
function nearestFolder({ packages }: Layout, root: string, name: string): string | undefined {
  for (let at = root; ; at = folderOf(at)) {
    const folder = below(at, `node_modules/${name}`);
    if (packages.has(folder)) return folder;
    if (at === "") return undefined;
  }
}

function namesOf({ packages }: Layout): string[] {
  return [...packages.values()].map(({ name }) => name);
}

function askedNote(packageFile: ConfigFile | undefined, folder: string): string | undefined {
  const name = folder.replace(/^.*node_modules\//, "");
  for (const kind of KINDS) {
    const listed = packageFile?.value[kind];
    const spec = isTable(listed) ? listed[name] : undefined;
    const isDirect = !folder.slice(0, -name.length - 1).includes("node_modules/");
    if (packageFile === undefined || typeof spec !== "string" || !isDirect) continue;
    const { path, line, column } = packageFile.locate([kind, name]);
    return `${path}:${line}:${column} asks for ${name} ${spec.replace(/\/\/[^/@\s]*@/, "//")}`;
  }
  return undefined;
}

function lockedNote(layout: Layout | undefined, wanted: LayoutPackage | undefined): string | undefined {
  if (layout?.lockfile === undefined || wanted === undefined || wanted.elsewhere !== undefined) return undefined;
  return `${layout.lockfile} has ${wanted.version} in ${wanted.folder}`;
}

function installScript({ name, version }: BundledPackage): BuildMessage {
  return {
    code: "install-script",
    text: `${name} ${version} has an install script, which is never run here: what it would make is missing.`,
  };
}

function tooMany(): Failed {
  const text = `The app's imports reach more than ${MAX_PACKAGES} packages, which is the limit.`;
  return { kind: "failed", failure: { code: "build-limit", text } };
}
