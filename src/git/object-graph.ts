// What every object of some packs names, from their edge files: no object is inflated. Objects are canonical numbers of a
// MultiPackIndex.
import type { EdgeFile } from "./edge-file.ts";
import type { MultiPackIndex } from "./multi-pack-index.ts";
import type { ObjectKind } from "./object.ts";

export class ObjectGraph {
  readonly objects: MultiPackIndex;
  readonly #edgeFiles: readonly EdgeFile[];
  /** For each pack the canonical number + 1 of its external objects; 0 is not known yet. */
  readonly #externals: readonly Uint32Array[];

  /** The edge files in the order of the index's packs. Throws if one is of another pack. */
  constructor(objects: MultiPackIndex, edgeFiles: readonly EdgeFile[]) {
    const isSame = objects.indexes.every((index, pack) => index.count === edgeFiles[pack]?.count);
    if (!isSame) throw new Error("An edge file has another number of objects than its pack's index.");
    this.objects = objects;
    this.#edgeFiles = edgeFiles;
    this.#externals = edgeFiles.map((file) => new Uint32Array(file.externalCount));
  }

  /** One more than the largest number. */
  get size(): number {
    return this.objects.size;
  }

  kindAt(number: number): ObjectKind {
    const pack = this.objects.packOf(number);
    return this.#fileAt(pack).kindAt(number - this.objects.firstOf(pack));
  }

  /** The inflated size in bytes; 2^32 - 1 for anything larger. */
  sizeAt(number: number): number {
    const pack = this.objects.packOf(number);
    return this.#fileAt(pack).sizeAt(number - this.objects.firstOf(pack));
  }

  /** Seconds since the epoch of a commit or tag, else 0. */
  timeAt(number: number): number {
    const pack = this.objects.packOf(number);
    return this.#fileAt(pack).timeAt(number - this.objects.firstOf(pack));
  }

  /** A commit's tree or a tag's target: the first object that it names. */
  targetOf(number: number): number {
    const pack = this.objects.packOf(number);
    return this.#resolve(pack, this.#fileAt(pack).firstEdgeAt(number - this.objects.firstOf(pack)));
  }

  /** A commit's parents in order. */
  forEachParent(commit: number, visit: (parent: number) => void): void {
    const pack = this.objects.packOf(commit);
    let isTree = true;
    this.#fileAt(pack).forEachEdge(commit - this.objects.firstOf(pack), (target) => {
      if (!isTree) visit(this.#resolve(pack, target));
      isTree = false;
    });
  }

  /** Everything that an object names, in order: a commit's tree before its parents, a tree's entries without gitlinks. */
  forEachEdge(number: number, visit: (target: number) => void): void {
    const pack = this.objects.packOf(number);
    const n = number - this.objects.firstOf(pack);
    this.#fileAt(pack).forEachEdge(n, (target) => visit(this.#resolve(pack, target)));
  }

  /** A commit's parents as an array. */
  parentsOf(commit: number): number[] {
    const parents: number[] = [];
    this.forEachParent(commit, (parent) => parents.push(parent));
    return parents;
  }

  /**
   * Begins a walk over trees: a function that visits a tree's entries, without gitlinks, but none that it visited before as a part
   * of another tree. So each tree has to be given once only, and what an entry leads to has to be done at its first visit.
   */
  walkEntries(): (tree: number, visit: (entry: number) => void) => void {
    const visits = this.#edgeFiles.map((file) => file.startVisits());
    return (tree, visit) => {
      const pack = this.objects.packOf(tree);
      const n = tree - this.objects.firstOf(pack);
      const file = this.#fileAt(pack);
      file.forEachNewEdge(n, visits[pack] ?? file.startVisits(), (entry) => visit(this.#resolve(pack, entry)));
    };
  }

  /** What a tag names in the end, through any number of tags; any other object is itself. */
  peel(number: number): number {
    let target = number;
    while (this.kindAt(target) === "tag") target = this.targetOf(target);
    return target;
  }

  /** The canonical number of what a pack's edge names. */
  #resolve(pack: number, target: number): number {
    const file = this.#fileAt(pack);
    return target < file.count
      ? this.objects.numberOf(pack, target)
      : this.#resolveExternal(pack, file, target - file.count);
  }

  #resolveExternal(pack: number, file: EdgeFile, external: number): number {
    const slots = this.#externals[pack];
    const known = slots?.[external] ?? 0;
    if (known > 0) return known - 1;
    const number = this.objects.find(file.externalBytesAt(external));
    // Nothing is stored before everything that it names: the catalogue lacks a pack, or connectivity was not checked.
    if (number < 0) throw new Error(`Object ${file.externalAt(external)} is named by a stored pack, but in none.`);
    if (slots !== undefined) slots[external] = number + 1;
    return number;
  }

  #fileAt(pack: number): EdgeFile {
    const file = this.#edgeFiles[pack];
    if (file === undefined) throw new RangeError(`There is no pack ${pack} of ${this.#edgeFiles.length}.`);
    return file;
  }
}
