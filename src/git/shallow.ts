// Where a shallow history ends (shallow.c get_shallow_commits and get_shallow_commits_by_rev_list).
import type { ObjectGraph } from "./object-graph.ts";

/** A part of the history. */
export interface ShallowHistory {
  /** Commits that are in it without their parents. */
  readonly borders: readonly number[];
  /** Commits that are in it with all their parents. */
  readonly interior: ReadonlySet<number>;
}

/** Commits up to `depth` steps from the tips, a tip being the first step. A root at exactly that depth is a border too, as in git. */
export function historyByDepth(graph: ObjectGraph, tips: readonly number[], depth: number): ShallowHistory {
  const interior = new Set<number>();
  const met = new Set<number>();
  const meet = (commits: readonly number[]): number[] =>
    commits.filter((commit) => !met.has(commit) && met.add(commit));
  let level = meet(commitsOf(graph, tips));
  for (let step = 1; step < depth && level.length > 0; step++) {
    for (const commit of level) interior.add(commit);
    level = level.flatMap((commit) => meet(graph.parentsOf(commit)));
  }
  return { borders: level, interior };
}

/**
 * Commits that the tips reach through commits of `sinceS` or later, and that none of the excluded ones reaches. Undefined if
 * there is none, which git refuses.
 */
export function historyByRevList(
  graph: ObjectGraph,
  tips: readonly number[],
  bounds: { readonly sinceS: number | undefined; readonly excluded: readonly number[] },
): ShallowHistory | undefined {
  const excluded = reachAll(graph, commitsOf(graph, bounds.excluded), () => true);
  const isIn = (commit: number): boolean => !excluded.has(commit) && graph.timeAt(commit) >= (bounds.sinceS ?? 0);
  const selected = reachAll(graph, commitsOf(graph, tips), isIn);
  if (selected.size === 0) return undefined;
  const borders: number[] = [];
  const interior = new Set<number>();
  for (const commit of selected) {
    if (graph.parentsOf(commit).every((parent) => selected.has(parent))) interior.add(commit);
    else borders.push(commit);
  }
  return { borders, interior };
}

function reachAll(graph: ObjectGraph, from: readonly number[], isIn: (commit: number) => boolean): Set<number> {
  const reached = new Set<number>();
  const stack = from.slice();
  for (let commit = stack.pop(); commit !== undefined; commit = stack.pop()) {
    if (reached.has(commit) || !isIn(commit)) continue;
    reached.add(commit);
    graph.forEachParent(commit, (parent) => stack.push(parent));
  }
  return reached;
}

/** The commits among what the objects name in the end. */
function commitsOf(graph: ObjectGraph, objects: readonly number[]): number[] {
  return objects.map((object) => graph.peel(object)).filter((object) => graph.kindAt(object) === "commit");
}
