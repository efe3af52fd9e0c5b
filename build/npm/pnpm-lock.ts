// pnpm-lock.yaml, versions 6 and 9: `importers` are the folders of the repository, `packages` the tarballs, and `snapshots` (from 9 on;
// before, it is part of `packages`) what depends on what, once for each set of peers.
import { isTable } from "../config-file.ts";
import { joinPath } from "../tree-path.ts";
import { below, type LayoutOutcome } from "./layout.ts";
import { type GrowingGraph, invalidLock, layoutOf, type LockText, startGraph, unsupportedLock } from "./lock-graph.ts";
import { isPackageName } from "./package-spec.ts";
import type { GraphPackage } from "./placement.ts";
import { readYamlTable } from "./yaml-lock.ts";

type Table = Readonly<Record<string, unknown>>;

const KINDS = ["dependencies", "devDependencies", "optionalDependencies"];

/** Reads it. */
export function readPnpmLock(lock: LockText): LayoutOutcome {
  const read = readYamlTable(lock);
  if (read.kind === "failed") return read;
  const version = Number.parseInt(String(read.table["lockfileVersion"]), 10);
  if (version !== 6 && version !== 9) {
    const written = Number.isNaN(version)
      ? "names no version"
      : `is of version ${String(read.table["lockfileVersion"])}`;
    return unsupportedLock(lock, `${written}: this host reads 6 and 9`);
  }
  const packages = tableOf(read.table, "packages");
  const snapshots = version === 9 ? tableOf(read.table, "snapshots") : packages;
  const graph = startGraph();
  for (const [id, snapshot] of Object.entries(snapshots)) {
    const found = readPackage(id, { packages, snapshots, snapshot });
    if (found === undefined) return invalidLock(lock, "has an entry that cannot be read", lock.text.indexOf(id));
    graph.packages.set(id, found);
  }
  const importers = read.table["importers"];
  // A repository of one package has its dependencies at the top.
  for (const [path, importer] of Object.entries(isTable(importers) ? importers : { ".": read.table })) {
    const folder = joinPath(lock.folder, path);
    if (folder === undefined) return invalidLock(lock, "names a folder outside of the repository");
    if (isTable(importer)) readImporter(graph, { folder, importer, snapshots });
  }
  return layoutOf(graph, lock.path);
}

function tableOf(table: Table, key: string): Table {
  const value = table[key];
  return isTable(value) ? value : {};
}

/** "a@1.0.0", "/a@1.0.0" or "a@1.0.0(peer@2.0.0)": what stands in front of the peers. */
function baseOf(id: string): string {
  return id.replace(/^\//, "").replace(/\(.*$/s, "");
}

function readPackage(
  id: string,
  {
    packages,
    snapshots,
    snapshot,
  }: { readonly packages: Table; readonly snapshots: Table; readonly snapshot: unknown },
): GraphPackage | undefined {
  const base = baseOf(id);
  const at = base.lastIndexOf("@");
  // A source that is no registry may have an "@" of its own.
  const first = base.indexOf("@", 1);
  const name = base.slice(0, first);
  const listed = packages[id] ?? packages[base];
  const entry = isTable(listed) ? listed : {};
  const { integrity, tarball, type, directory } = tableOf(entry, "resolution");
  if (first <= 0 || !isPackageName(name)) return fromAddress(id, entry);
  const version = base.slice(at + 1);
  const isPatched = id.includes("(patch_hash=");
  const dependencies = dependenciesOf(isTable(snapshot) ? snapshot : {}, snapshots);
  if (at !== first || !/^\d[\w.+-]*$/.test(version) || type !== undefined || isPatched) {
    const elsewhere = [
      isPatched && `patch:${base}`,
      typeof directory === "string" && `file:${directory}`,
      tarball,
      base.slice(first + 1),
    ].find(Boolean);
    return { name, version: "", integrity: undefined, elsewhere: String(elsewhere), dependencies };
  }
  return { name, version, integrity: typeof integrity === "string" ? integrity : undefined, dependencies };
}

/** Version 6 has the address alone for its key, and the name inside. */
function fromAddress(id: string, { name }: Table): GraphPackage | undefined {
  if (typeof name !== "string" || !isPackageName(name)) return undefined;
  return { name, version: "", integrity: undefined, elsewhere: id, dependencies: new Map() };
}

function dependenciesOf(snapshot: Table, snapshots: Table): ReadonlyMap<string, string> {
  const listed = [tableOf(snapshot, "dependencies"), tableOf(snapshot, "optionalDependencies")];
  return new Map(
    listed.flatMap((each) =>
      Object.entries(each).flatMap(([alias, reference]) => {
        const id = typeof reference === "string" ? idOf(alias, reference, snapshots) : undefined;
        return id === undefined ? [] : [[alias, id] as const];
      }),
    ),
  );
}

/** A reference is a version of the package of that name; or, for an alias or another source, a whole id. */
function idOf(alias: string, reference: string, snapshots: Table): string | undefined {
  return [`${alias}@${reference}`, `/${alias}@${reference}`, reference].find((id) => Object.hasOwn(snapshots, id));
}

function readImporter(
  graph: GrowingGraph,
  { folder, importer, snapshots }: { readonly folder: string; readonly importer: Table; readonly snapshots: Table },
): void {
  const dependencies = new Map<string, string>();
  for (const [alias, entry] of KINDS.flatMap((kind) => Object.entries(tableOf(importer, kind)))) {
    const version = isTable(entry) ? entry["version"] : entry;
    if (typeof version !== "string" || !isPackageName(alias)) continue;
    const linked = /^link:(.*)$/.exec(version)?.[1];
    const target = linked === undefined ? undefined : joinPath(folder, linked);
    if (target !== undefined) graph.links.set(below(folder, `node_modules/${alias}`), target);
    const id = idOf(alias, version, snapshots);
    if (id !== undefined) dependencies.set(alias, id);
  }
  graph.roots.set(folder, dependencies);
}
