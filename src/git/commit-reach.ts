// Questions of the kind "does this reach that" (commit-reach.c, upload-pack.c check_non_tip).
import type { ObjectGraph } from "./object-graph.ts";

const WANTED = 1;
const VISITED = 2;

/**
 * The first of the wanted objects that no tip reaches, through commits, tags, trees or blobs; undefined if all are reached.
 * Cheap where the wants are tips or commits; trees are walked only for trees and blobs, from the newest commits on.
 */
export function findUnreachable(
  graph: ObjectGraph,
  tips: readonly number[],
  wants: readonly number[],
): number | undefined {
  const marks = new Uint8Array(graph.size);
  for (const want of wants) marks[want] = WANTED;
  let missing = new Set(wants).size;
  /** Whether it is met for the first time. */
  const meet = (object: number): boolean => {
    const mark = marks[object] ?? 0;
    if (mark & VISITED) return false;
    if (mark & WANTED) missing -= 1;
    marks[object] = VISITED;
    return true;
  };
  const { commits, trees } = meetCommits(graph, tips, meet);
  const needsTrees = wants.some((want) => marks[want] === WANTED && isTreeOrBlob(graph, want));
  if (missing > 0 && needsTrees)
    meetTrees(graph, [...trees, ...commits.map((commit) => graph.targetOf(commit))], (object) => {
      return missing > 0 && meet(object);
    });
  return missing === 0 ? undefined : wants.find((want) => marks[want] === WANTED);
}

/** All commits that the tips reach. */
export function reachCommits(graph: ObjectGraph, tips: readonly number[]): ReadonlySet<number> {
  const met = new Set<number>();
  const { commits } = meetCommits(graph, tips, (object) => !met.has(object) && met.add(object) === met);
  return new Set(commits);
}

/** All commits and tags, breadth first so that the newest come first, and the trees that a tag or a ref names. */
function meetCommits(
  graph: ObjectGraph,
  tips: readonly number[],
  meet: (object: number) => boolean,
): { commits: number[]; trees: number[] } {
  const commits: number[] = [];
  const trees: number[] = [];
  for (const tip of tips) {
    let target = tip;
    for (; graph.kindAt(target) === "tag"; target = graph.targetOf(target)) meet(target);
    const kind = graph.kindAt(target);
    if (kind === "tree") trees.push(target);
    else if (meet(target) && kind === "commit") commits.push(target);
  }
  const visit = (parent: number): void => {
    if (meet(parent)) commits.push(parent);
  };
  for (let next = 0; next < commits.length; next++) graph.forEachParent(commits[next] ?? 0, visit);
  return { commits, trees };
}

function meetTrees(graph: ObjectGraph, roots: readonly number[], meet: (object: number) => boolean): void {
  const stack: number[] = [];
  const visit = (object: number): void => {
    if (meet(object) && graph.kindAt(object) === "tree") stack.push(object);
  };
  const forEachEntry = graph.walkEntries();
  for (const root of roots) {
    visit(root);
    for (let tree = stack.pop(); tree !== undefined; tree = stack.pop()) forEachEntry(tree, visit);
  }
}

function isTreeOrBlob(graph: ObjectGraph, object: number): boolean {
  const kind = graph.kindAt(object);
  return kind === "tree" || kind === "blob";
}

/** Where the walk of canAllReach ends. */
export interface ReachGoal {
  readonly has: (commit: number) => boolean;
  /** Commits older than this are not walked through: none of the goal is older. */
  readonly oldestS: number;
  /** Commits whose parents count as absent. */
  readonly shallows?: ReadonlySet<number>;
}

/**
 * Whether every one of the commits reaches one of the goal's. What is neither a commit nor a tag of one has no ancestry to
 * tell by, and counts as reaching (can_all_from_reach_with_flag).
 */
export function canAllReach(graph: ObjectGraph, from: readonly number[], goal: ReachGoal): boolean {
  const known = new Map<number, boolean>();
  return from.every((object) => {
    const target = graph.peel(object);
    return graph.kindAt(target) !== "commit" || canReach(graph, target, { goal, known });
  });
}

/**
 * Depth first. A commit that was left behind without success cannot reach the goal, and those on the way to a success can, so
 * all walks together meet every commit once.
 */
function canReach(
  graph: ObjectGraph,
  from: number,
  { goal, known }: { readonly goal: ReachGoal; readonly known: Map<number, boolean> },
): boolean {
  const way = [{ commit: from, parents: [from], next: 0 }];
  for (let step = way.at(-1); step !== undefined; step = way.at(-1)) {
    const commit = step.parents[step.next++];
    if (commit === undefined) {
      way.pop();
      continue;
    }
    if (goal.has(commit) || known.get(commit) === true) {
      for (const { commit: passed } of way) known.set(passed, true);
      return true;
    }
    if (known.has(commit)) continue;
    known.set(commit, false);
    const isWalked = graph.timeAt(commit) >= goal.oldestS || commit === from;
    if (isWalked && goal.shallows?.has(commit) !== true) {
      way.push({ commit, parents: graph.parentsOf(commit), next: 0 });
    }
  }
  return false;
}
