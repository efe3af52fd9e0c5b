// From which package depends on which to folders, as npm lays them out: as far up as nothing else of that name is in the way, so
// that a package that is needed in two versions is nested below whoever needs the other one.
import { below } from "./layout.ts";

/** One package in one version. */
export interface GraphPackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string | undefined;
  /** Where it comes from, if that is no registry. */
  readonly elsewhere?: string | undefined;
  /** By the name that imports use, the id of the package that is meant. */
  readonly dependencies: ReadonlyMap<string, string>;
}

/** Packages by id, and what the folders of the repository depend on. */
export interface PackageGraph {
  readonly packages: ReadonlyMap<string, GraphPackage>;
  readonly roots: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** What a folder's node_modules has under a name, or what an import through it finds further up. */
interface Slot {
  readonly id: string;
  readonly isPlaced: boolean;
}

type Slots = Map<string, Map<string, Slot>>;

/** The packages by folder. */
export function placePackages(graph: PackageGraph): Map<string, GraphPackage> {
  const placed = new Map<string, GraphPackage>();
  const slots: Slots = new Map();
  const queue = [...graph.roots].toSorted(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  for (const [folder, dependencies] of queue) {
    for (const [alias, id] of [...dependencies].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const at = findPlace(slots, folder, alias, id);
      const found = graph.packages.get(id);
      if (at === undefined || found === undefined) continue;
      placed.set(at, found);
      queue.push([at, found.dependencies]);
    }
  }
  return placed;
}

/** The folder for a package, or undefined where an import from `folder` finds it already. */
function findPlace(slots: Slots, folder: string, alias: string, id: string): string | undefined {
  const free: string[] = [];
  for (const at of parentsOf(folder)) {
    const slot = slots.get(at)?.get(alias);
    if (slot !== undefined && slot.id !== id) break;
    if (slot?.isPlaced === true) {
      for (const passed of free) setSlot(slots, passed, alias, { id, isPlaced: false });
      return undefined;
    }
    free.push(at);
  }
  const target = free.pop();
  // The folder's own slot is taken by what it asked for before: one name means one package.
  if (target === undefined) return undefined;
  for (const passed of free) setSlot(slots, passed, alias, { id, isPlaced: false });
  setSlot(slots, target, alias, { id, isPlaced: true });
  return below(target, `node_modules/${alias}`);
}

function setSlot(slots: Slots, folder: string, alias: string, slot: Slot): void {
  const names = slots.get(folder) ?? new Map<string, Slot>();
  slots.set(folder, names.set(alias, slot));
}

/** Where an import from a package's folder looks: in itself, in the package around it, …, at the root. */
function parentsOf(folder: string): string[] {
  if (folder === "") return [""];
  const inside = folder.lastIndexOf("node_modules/");
  return [folder, ...parentsOf(inside <= 0 ? "" : folder.slice(0, inside - 1))];
}
