// What a fetch does to where the client's history ends (upload-pack.c send_shallow_list, deepen, deepen_by_rev_list,
// send_unshallow).
import { type Deepening, type FetchArguments, INFINITE_DEPTH } from "../git/fetch-arguments.ts";
import { reachCommits } from "../git/commit-reach.ts";
import type { ObjectGraph } from "../git/object-graph.ts";
import { type ObjectId, objectIdToBytes } from "../git/object-id.ts";
import { findHead } from "../git/ref-advertisement.ts";
import { type ShallowHistory, historyByDepth, historyByRevList } from "../git/shallow.ts";
import type { RepositoryState } from "../store/repository-state.ts";

/** The change, or why there can be none, in the words that the client shows. */
export type ShallowUpdate =
  | {
      readonly kind: "update";
      /** "shallow <id>" and "unshallow <id>", without newlines. */
      readonly lines: readonly string[];
      /** Commits at which the walk over the client's history ends. */
      readonly shallows: readonly number[];
      /** Parents of commits that are no longer shallow: to be sent though the client has their children. */
      readonly wants: readonly number[];
      /** Those children. */
      readonly haves: readonly number[];
    }
  | { readonly kind: "refused"; readonly reason: string };

/** What the request is about, by numbers. */
export interface DeepeningBase {
  readonly graph: ObjectGraph;
  readonly state: RepositoryState;
  readonly wants: readonly number[];
  readonly tips: readonly number[];
}

/** Shallow lines for commits that are unknown here have no effect. */
export function updateShallows(base: DeepeningBase, wanted: FetchArguments): ShallowUpdate {
  const { graph } = base;
  const clientShallows = Array.from({ length: wanted.shallowIds.size }, (_, i) =>
    graph.objects.find(wanted.shallowIds.bytesAt(i)),
  ).filter((number) => number >= 0);
  if (clientShallows.some((number) => graph.kindAt(number) !== "commit")) {
    return { kind: "refused", reason: "upload-pack: a shallow line names an object that is not a commit" };
  }
  if (wanted.deepening === undefined)
    return { kind: "update", lines: [], shallows: clientShallows, wants: [], haves: [] };
  const history = deepen(base, wanted.deepening, clientShallows);
  if (typeof history === "string") return { kind: "refused", reason: history };
  const known = new Set(clientShallows);
  const added = history.borders.filter((commit) => !known.has(commit));
  const removed = clientShallows.filter((commit) => history.interior.has(commit));
  return {
    kind: "update",
    lines: [
      ...added.map((commit) => `shallow ${graph.objects.idAt(commit)}`),
      ...removed.map((commit) => `unshallow ${graph.objects.idAt(commit)}`),
    ],
    shallows: [...clientShallows, ...added],
    wants: removed.flatMap((commit) => graph.parentsOf(commit)),
    haves: removed,
  };
}

function deepen(base: DeepeningBase, deepening: Deepening, clientShallows: readonly number[]): ShallowHistory | string {
  const { graph, wants } = base;
  if (deepening.kind === "rev-list") return deepenByRevList(base, deepening);
  if (deepening.depth >= INFINITE_DEPTH) return { borders: [], interior: new Set(clientShallows) };
  if (!deepening.isRelative) return historyByDepth(graph, wants, deepening.depth);
  const reached = reachCommits(graph, base.tips);
  const ours = clientShallows.filter((commit) => reached.has(commit));
  return historyByDepth(graph, ours, deepening.depth + 1);
}

function deepenByRevList(
  { graph, state, wants }: DeepeningBase,
  { sinceS, excludedRefs }: Extract<Deepening, { kind: "rev-list" }>,
): ShallowHistory | string {
  const head = findHead(state);
  const refs = new Map(state.refs.map((ref) => [String(ref.name), ref.id]));
  if (head !== undefined) refs.set("HEAD", head.id);
  const excluded: number[] = [];
  for (const name of excludedRefs) {
    const ids = expandRef(refs, name);
    const [id] = ids;
    if (id === undefined) return `upload-pack: deepen-not is not a ref: ${name}`;
    if (ids.length > 1) return `upload-pack: ambiguous deepen-not: ${name}`;
    excluded.push(graph.objects.find(objectIdToBytes(id)));
  }
  const history = historyByRevList(graph, wants, { sinceS, excluded });
  return history ?? "upload-pack: no commits selected for shallow requests";
}

/** What a short name may stand for, by git's rules (refs.c ref_rev_parse_rules). */
function expandRef(refs: ReadonlyMap<string, ObjectId>, name: string): ObjectId[] {
  const spellings = [name, ...["refs/", "refs/tags/", "refs/heads/", "refs/remotes/"].map((prefix) => prefix + name)];
  return spellings.flatMap((spelling) => refs.get(spelling) ?? []);
}
