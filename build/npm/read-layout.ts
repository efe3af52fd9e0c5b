// The layout of a commit's packages: from its lockfile, else from what package.json's ranges were resolved to when a build of this
// host first saw them. That answer is kept, as a lockfile would be, so that the same commit means the same packages for ever.
import { createHash } from "node:crypto";
import { type ConfigFile, isTable, parseConfigFile } from "../config-file.ts";
import { formatBytes } from "../limits.ts";
import { type BuildMessage, locate } from "../messages.ts";
import { type OpenTree, readFile, readNamedFile } from "../open-tree.ts";
import { findFile } from "../tree-index.ts";
import { fileName, folderOf, joinPath } from "../tree-path.ts";
import { below, type Layout, type LayoutOutcome, type LayoutPackage } from "./layout.ts";
import { findDrift } from "./lock-drift.ts";
import type { LockText } from "./lock-graph.ts";
import { readOverrides } from "./overrides.ts";
import { readPackageLock } from "./package-lock.ts";
import { parseSpec } from "./package-spec.ts";
import { findPackument, type PackageStore } from "./package-store.ts";
import { placePackages } from "./placement.ts";
import { readPnpmLock } from "./pnpm-lock.ts";
import { resolveRanges, type RootDependency, type Unresolved } from "./range-resolution.ts";
import { readYarnLock } from "./yarn-lock.ts";

/** What an app's configuration says of packages. */
export interface AppPackages {
  /** The app's folder. */
  readonly root: string;
  readonly packageFile: ConfigFile | undefined;
  /** Every package that is listed for it, of any kind. */
  readonly dependencies: readonly string[];
  /** Folders of the repository's own packages by name. */
  readonly workspaces: ReadonlyMap<string, string>;
}

/** What a layout is made of. */
export interface LayoutInput {
  readonly tree: OpenTree;
  readonly store: PackageStore | undefined;
  readonly app: AppPackages;
  /** The dependencies that sources name: of those for development only these are resolved. */
  readonly mentioned: readonly string[];
}

/** In the order in which they count. */
const LOCKFILES: Readonly<Record<string, (lock: LockText) => LayoutOutcome>> = {
  "npm-shrinkwrap.json": ({ path, folder, text }) => readPackageLock(path, folder, text),
  "package-lock.json": ({ path, folder, text }) => readPackageLock(path, folder, text),
  "pnpm-lock.yaml": readPnpmLock,
  "yarn.lock": readYarnLock,
  "bun.lock": unsupportedLock,
  "bun.lockb": unsupportedLock,
};
const LOCK_BYTES = 16 * 1024 * 1024;

/** Reads the layout. A tree without package.json has an empty one. */
export async function readLayout(input: LayoutInput): Promise<LayoutOutcome> {
  const { tree } = input;
  const { packageFile } = input.app;
  if (packageFile === undefined)
    return { kind: "layout", layout: { packages: new Map(), links: new Map(), lockfile: undefined } };
  const path = findLockfile(tree, folderOf(packageFile.path));
  if (path === undefined) return resolveLayout(input, packageFile);
  const sizeBytes = tree.index.files.get(path) ?? 0;
  if (sizeBytes > LOCK_BYTES) return failed(tooLarge(path, sizeBytes));
  const text = new TextDecoder().decode(await readFile(tree, path));
  const { workspaces } = input.app;
  const packageFiles = [packageFile, ...(await readUsedWorkspaces(tree, packageFile, workspaces))];
  const lock: LockText = { path, folder: folderOf(path), text, packageFiles, workspaces };
  const outcome = LOCKFILES[fileName(path)]?.(lock) ?? unsupportedLock(lock);
  if (outcome.kind === "failed") return outcome;
  const drift = findDrift(packageFile, outcome.layout);
  return drift === undefined ? outcome : failed(drift);
}

/** The nearest lockfile, from an app's folder up to the root of its repository. */
function findLockfile(tree: OpenTree, folder: string): string | undefined {
  for (let at = folder; ; at = folderOf(at)) {
    const found = Object.keys(LOCKFILES).find((name) => findFile(tree.index, below(at, name)) !== undefined);
    if (found !== undefined) return findFile(tree.index, below(at, found));
    if (at === "") return undefined;
  }
}

function unsupportedLock({ path, text }: LockText): LayoutOutcome {
  return failed({
    code: "lockfile-unsupported",
    text: `${path} is a lockfile that this host does not read.`,
    location: locate(path, text, 0, 1),
    fix: "Commit a package-lock.json beside it: npm install --package-lock-only.",
  });
}

function tooLarge(path: string, sizeBytes: number): BuildMessage {
  const text = `${path} has ${formatBytes(sizeBytes)}, and ${formatBytes(LOCK_BYTES)} is the limit for a lockfile.`;
  return { code: "build-limit", text };
}

function failed(failure: BuildMessage): LayoutOutcome {
  return { kind: "failed", failure };
}

/** Without a lockfile. */
async function resolveLayout(input: LayoutInput, packageFile: ConfigFile): Promise<LayoutOutcome> {
  const { tree, store, app } = input;
  const links = new Map<string, string>();
  const files = [packageFile, ...(await readUsedWorkspaces(tree, packageFile, app.workspaces))];
  const roots = files.flatMap((file) => rootsOf(file, input.mentioned));
  for (const root of roots) {
    const spec = parseSpec(root.alias, root.spec);
    if (spec.kind !== "folder") continue;
    const target = joinPath(root.folder, spec.path);
    if (target === undefined || !tree.index.folders.has(target)) {
      return failed(folderMessage(packageFile, root, spec.path));
    }
    links.set(below(root.folder, `node_modules/${root.alias}`), target);
  }
  const wanted = roots.filter(({ folder, alias }) => {
    return !links.has(below(folder, `node_modules/${alias}`)) && !app.workspaces.has(alias);
  });
  const leftOut = leftOutOf(packageFile, new Set(roots.map(({ alias }) => alias)));
  const none: Layout = { packages: new Map(), links, lockfile: undefined, leftOut };
  if (wanted.length === 0) return { kind: "layout", layout: none };
  if (store === undefined) return failed(noRegistryMessage(packageFile));
  const packages = await resolveKept(store, wanted, packageFile);
  if ("kind" in packages) return failed(withPlace(packages, packageFile));
  return { kind: "layout", layout: { ...none, packages: new Map(packages.map((each) => [each.folder, each])) } };
}

/** The package.json files of the repository's own packages that one of them depends on, and those depend on in turn. */
async function readUsedWorkspaces(
  tree: OpenTree,
  packageFile: ConfigFile,
  workspaces: ReadonlyMap<string, string>,
): Promise<ConfigFile[]> {
  const used = new Map<string, ConfigFile>();
  const waiting = [packageFile];
  for (const file of waiting) {
    const names = rootsOf(file, [...workspaces.keys()]).map(({ alias }) => alias);
    for (const name of names.filter((each) => workspaces.has(each) && !used.has(each))) {
      const path = below(workspaces.get(name) ?? "", "package.json");
      const named = await readNamedFile(tree, path);
      const parsed = named.kind === "found" ? parseConfigFile(path, named.bytes) : undefined;
      if (parsed?.kind !== "read") continue;
      used.set(name, parsed.file);
      waiting.push(parsed.file);
    }
  }
  return [...used.values()];
}

/** All that a package.json asks for; for development only what sources name. */
function rootsOf({ path, value }: ConfigFile, mentioned: readonly string[]): RootDependency[] {
  const meta = isTable(value["peerDependenciesMeta"]) ? value["peerDependenciesMeta"] : {};
  const found = new Map<string, RootDependency>();
  for (const kind of ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"]) {
    const listed = value[kind];
    for (const [alias, spec] of Object.entries(isTable(listed) ? listed : {})) {
      const peer = kind === "peerDependencies" ? meta[alias] : undefined;
      const isLeftOut =
        (kind === "devDependencies" && !mentioned.includes(alias)) || (isTable(peer) && peer["optional"] === true);
      if (typeof spec !== "string" || isLeftOut || found.has(alias)) continue;
      found.set(alias, { folder: folderOf(path), alias, spec, isOptional: kind === "optionalDependencies" });
    }
  }
  return [...found.values()].toSorted((a, b) => (a.alias < b.alias ? -1 : 1));
}

function leftOutOf({ value }: ConfigFile, resolved: ReadonlySet<string>): string[] {
  const listed = value["devDependencies"];
  return Object.keys(isTable(listed) ? listed : {}).filter((name) => !resolved.has(name));
}

/** The same ranges are resolved once for all: what they came to is in the cache under their own hash. */
async function resolveKept(
  store: PackageStore,
  roots: readonly RootDependency[],
  packageFile: ConfigFile,
): Promise<readonly LayoutPackage[] | Unresolved> {
  const overrides = readOverrides(packageFile.value);
  const hash = createHash("sha256")
    .update(JSON.stringify({ format: 1, roots, overrides }))
    .digest("hex");
  const key = `npm/resolutions/${hash}`;
  const kept = await store.host.bucket.get(key);
  if (kept !== null) return kept.json<readonly LayoutPackage[]>();
  const graph = await resolveRanges({ roots, overrides, findPackument: (name) => findPackument(store, name) });
  if ("kind" in graph) return graph;
  const packages = [...placePackages(graph)].map(([folder, { name, version, integrity }]) => ({
    folder,
    name,
    version,
    integrity,
  }));
  // Two first builds at once may differ by a version that was published between them: the one that is kept counts for both.
  const put = await store.host.bucket.put(key, JSON.stringify(packages), { onlyIf: { etagDoesNotMatch: "*" } });
  if (put !== null) return packages;
  const other = await store.host.bucket.get(key);
  return other === null ? packages : other.json<readonly LayoutPackage[]>();
}

function withPlace({ failure, root }: Unresolved, packageFile: ConfigFile): BuildMessage {
  if (root === undefined || root.folder !== folderOf(packageFile.path)) return failure;
  return { ...failure, location: locateDependency(packageFile, root.alias) };
}

function locateDependency(packageFile: ConfigFile, alias: string): NonNullable<BuildMessage["location"]> {
  const kinds = ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"];
  const kind = kinds.find((each) => {
    const listed = packageFile.value[each];
    return isTable(listed) && alias in listed;
  });
  return packageFile.locate(kind === undefined ? [] : [kind, alias]);
}

function folderMessage(packageFile: ConfigFile, root: RootDependency, path: string): BuildMessage {
  return {
    code: "dependency-unsupported",
    text: `"${root.alias}" is the folder ${path}, which is not in this repository.`,
    location: locateDependency(packageFile, root.alias),
    fix: "Put the package's folder into this repository, or depend on a published version.",
  };
}

function noRegistryMessage(packageFile: ConfigFile): BuildMessage {
  return {
    code: "registry-unreachable",
    text: "This host was started without an npm registry, and there is no lockfile to say which packages are meant.",
    location: packageFile.locate(["dependencies"]),
    fix: "Commit node_modules, or ask the host's owner to set NPM_REGISTRY.",
  };
}
