// yarn.lock, of yarn 1 (a format of its own) and of later ones (YAML): entries by everything that asks for them, "name@range".
// What the repository's own package.json files ask for stands only there. Peers are in neither: an import finds them further up.
import { type ConfigFile, isTable } from "../config-file.ts";
import { folderOf, joinPath } from "../tree-path.ts";
import { below, type LayoutOutcome } from "./layout.ts";
import { type GrowingGraph, invalidLock, layoutOf, type LockText, startGraph } from "./lock-graph.ts";
import { isPackageName, parseSpec } from "./package-spec.ts";
import type { GraphPackage } from "./placement.ts";
import { type ClassicEntry, readClassicLock } from "./yarn-classic.ts";
import { readYamlTable } from "./yaml-lock.ts";

/** One entry, of whichever version. */
interface Entry {
  readonly name: string;
  readonly version: string;
  readonly integrity?: string | undefined;
  readonly elsewhere?: string | undefined;
  /** A folder of this repository. */
  readonly workspace?: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const KINDS = ["dependencies", "devDependencies", "optionalDependencies"];

/** Reads it. */
export function readYarnLock(lock: LockText): LayoutOutcome {
  const isLater = /^__metadata:/m.test(lock.text);
  const entries = isLater ? readLater(lock) : readClassic(lock);
  if ("kind" in entries) return entries;
  const graph = startGraph();
  const ids = new Map([...entries].flatMap(([keys, entry]) => keys.map((key) => [key, idOfEntry(entry)])));
  const idOf = (alias: string, range: string): string | undefined => {
    // Newer versions write where a bare range leads; older ones leave it to the reader.
    return [`${alias}@${range}`, `${alias}@npm:${range}`].map((key) => ids.get(key)).find((id) => id !== undefined);
  };
  const folders = new Map(lock.workspaces);
  for (const entry of entries.values()) {
    if (entry.workspace !== undefined) folders.set(entry.name, entry.workspace);
    const dependencies = edgesOf(entry.dependencies, idOf);
    const { name, version, integrity, elsewhere } = entry;
    if (entry.workspace === undefined) {
      graph.packages.set(idOfEntry(entry), { name, version, integrity, elsewhere, dependencies });
    }
  }
  for (const file of lock.packageFiles) addRoot(graph, file, { idOf, folders });
  return layoutOf(graph, lock.path);
}

function idOfEntry({ name, version, elsewhere = "" }: Entry): string {
  return `${name}@${version}${elsewhere}`;
}

type Entries = ReadonlyMap<readonly string[], Entry>;
type FindId = (alias: string, range: string) => string | undefined;

function edgesOf(dependencies: Readonly<Record<string, string>>, idOf: FindId): GraphPackage["dependencies"] {
  const edges = Object.entries(dependencies).map(([alias, range]) => [alias, idOf(alias, range)] as const);
  return new Map(edges.filter((edge): edge is [string, string] => edge[1] !== undefined));
}

/** yarn's `resolutions` have been applied to the lockfile's own entries; for the repository's, the name alone leads there. */
function addRoot(
  graph: GrowingGraph,
  { path, value }: ConfigFile,
  { idOf, folders }: { readonly idOf: FindId; readonly folders: ReadonlyMap<string, string> },
): void {
  const folder = folderOf(path);
  const resolutions = value["resolutions"];
  const dependencies = new Map<string, string>();
  for (const [alias, range] of KINDS.flatMap((kind) => Object.entries(stringsOf(value[kind])))) {
    const resolved = stringsOf(resolutions)[alias];
    const id = idOf(alias, range) ?? (resolved === undefined ? undefined : idOf(alias, resolved));
    const spec = parseSpec(alias, range);
    const target = folders.get(alias) ?? (spec.kind === "folder" ? joinPath(folder, spec.path) : undefined);
    if (id !== undefined && target === undefined) dependencies.set(alias, id);
    if (target !== undefined) graph.links.set(below(folder, `node_modules/${alias}`), target);
  }
  graph.roots.set(folder, dependencies);
}

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(isTable(value) ? value : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function readClassic(lock: LockText): Entries | LayoutOutcome {
  const read = readClassicLock(lock.text);
  if (read.kind === "failed") return invalidLock(lock, "cannot be read", read.offset);
  const entries = new Map<readonly string[], Entry>();
  for (const each of read.entries) {
    const entry = classicEntry(each);
    if (entry === undefined) return invalidLock(lock, "has an entry that cannot be read", each.offset);
    entries.set(each.keys, entry);
  }
  return entries;
}

/** "a@^1", and "b@npm:a@^1" for one under another name. */
function classicEntry({ keys, fields, dependencies }: ClassicEntry): Entry | undefined {
  const [key = ""] = keys;
  const at = key.indexOf("@", 1);
  const alias = key.slice(0, at);
  const spec = at <= 0 ? undefined : parseSpec(alias, key.slice(at + 1));
  const { version = "", resolved = "", integrity } = fields;
  if (spec === undefined || !isPackageName(alias)) return undefined;
  if (spec.kind !== "registry") return { name: alias, version, elsewhere: key.slice(at + 1), dependencies };
  if (!isPackageName(spec.name) || !/^\d[\w.+-]*$/.test(version)) return undefined;
  return { name: spec.name, version, integrity: integrity ?? sha1Of(resolved), dependencies };
}

/** Before it wrote `integrity`, yarn put the sha1 behind the address. */
function sha1Of(resolved: string): string | undefined {
  const hex = /#([0-9a-f]{40})$/.exec(resolved)?.[1];
  return hex === undefined ? undefined : `sha1-${Buffer.from(hex, "hex").toString("base64")}`;
}

/** A later one's `checksum` is of yarn's own archive and not of the tarball: those packages are verified by the registry's word. */
function readLater(lock: LockText): Entries | LayoutOutcome {
  const read = readYamlTable(lock);
  if (read.kind === "failed") return read;
  const entries = new Map<readonly string[], Entry>();
  for (const [key, value] of Object.entries(read.table)) {
    if (key === "__metadata") continue;
    const entry = isTable(value) ? laterEntry(lock, value) : undefined;
    if (entry === undefined) return invalidLock(lock, "has an entry that cannot be read", lock.text.indexOf(key));
    entries.set(key.split(/,\s*/), entry);
  }
  return entries;
}

function laterEntry(lock: LockText, value: Readonly<Record<string, unknown>>): Entry | undefined {
  const { resolution, version } = value;
  if (typeof resolution !== "string" || typeof version !== "string") return undefined;
  const at = resolution.indexOf("@", 1);
  const name = resolution.slice(0, at);
  const source = resolution.slice(at + 1);
  if (at <= 0 || !isPackageName(name)) return undefined;
  const dependencies = stringsOf(value["dependencies"]);
  const workspace = /^workspace:(.*)$/.exec(source)?.[1];
  if (workspace !== undefined) {
    const folder = joinPath(lock.folder, workspace);
    return folder === undefined ? undefined : { name, version: "", workspace: folder, dependencies };
  }
  // yarn's own patches make packages work without node_modules, which there are here.
  const isPlain = source === `npm:${version}` || /^patch:.*#(optional!)?builtin</.test(source);
  if (!isPlain) return { name, version: "", elsewhere: source, dependencies };
  return /^\d[\w.+-]*$/.test(version) ? { name, version, dependencies } : undefined;
}
