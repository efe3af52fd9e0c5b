// The deltas of a pack that are not resolved yet, by what they wait for: an entry, or an object id that no entry has so far.
import type { ObjectIntake } from "./object-intake.ts";
import { NONE, UNRESOLVED, grown } from "./pack-records.ts";

/** Lists of deltas, linked through columns; taken from the front, in the order of the pack. */
export class WaitingDeltas {
  readonly #intake: ObjectIntake;
  /** By entry: the first delta that waits for it, plus 1. */
  #first: Int32Array;
  /** By delta: the next in the same list, plus 1. */
  readonly #next: Int32Array;
  /** By id number: the first delta that waits for an object of this id. */
  readonly #firstById = new Map<number, number>();

  constructor(intake: ObjectIntake) {
    this.#intake = intake;
    const { records } = intake;
    this.#first = new Int32Array(records.count);
    this.#next = new Int32Array(records.count);
    // Backwards, because each delta goes to the front of its list.
    for (let delta = records.count - 1; delta >= 0; delta--) {
      if (records.kinds[delta] === UNRESOLVED) this.#add(delta);
    }
  }

  /** The numbers of the ids that deltas wait for, in the order of the pack. */
  get awaitedIds(): number[] {
    return [...this.#firstById].toSorted(([, a], [, b]) => a - b).map(([id]) => id);
  }

  isAwaited(id: number): boolean {
    return this.#firstById.has(id);
  }

  hasDeltasOf(base: number): boolean {
    return (this.#first[base] ?? 0) !== 0;
  }

  /** Takes the next delta that waits for an entry off its list, or returns NONE. */
  takeDeltaOf(base: number): number {
    const delta = (this.#first[base] ?? 0) - 1;
    if (delta !== NONE) this.#first[base] = this.#next[delta] ?? 0;
    return delta;
  }

  /** To be told of every entry that was resolved since: deltas may wait for its id. */
  addResolved(entry: number): void {
    const id = this.#intake.records.ids[entry] ?? NONE;
    const first = this.#firstById.get(id);
    if (first === undefined) return;
    this.#firstById.delete(id);
    if (entry >= this.#first.length) this.#first = grown(Int32Array, this.#first, entry * 2);
    let last = first;
    while (this.#next[last]) last = (this.#next[last] ?? 0) - 1;
    this.#next[last] = this.#first[entry] ?? 0;
    this.#first[entry] = first + 1;
  }

  #add(delta: number): void {
    const { bases, baseIds } = this.#intake.records;
    const id = baseIds[delta] ?? NONE;
    const base = id === NONE ? (bases[delta] ?? NONE) : this.#intake.entryOf(id);
    if (base === NONE) {
      this.#next[delta] = (this.#firstById.get(id) ?? NONE) + 1;
      this.#firstById.set(id, delta);
    } else {
      this.#next[delta] = this.#first[base] ?? 0;
      this.#first[base] = delta + 1;
    }
  }
}
