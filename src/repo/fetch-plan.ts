// From what a client asks to what it is sent: resolves the wants, checks that the refs reach them, and lists the objects.
import { findUnreachable } from "../git/commit-reach.ts";
import type { FetchArguments } from "../git/fetch-arguments.ts";
import type { MultiPackIndex } from "../git/multi-pack-index.ts";
import { NO_FILTER, type ObjectFilter, parseObjectFilter } from "../git/object-filter.ts";
import type { ObjectGraph } from "../git/object-graph.ts";
import type { ObjectIdTable } from "../git/object-id-table.ts";
import { objectIdToBytes } from "../git/object-id.ts";
import { SENT, listObjects } from "../git/rev-list.ts";
import type { PackStore } from "../store/pack-store.ts";
import type { PackRow } from "../store/repository-state.ts";
import type { DeltaDepths } from "./delta-depths.ts";
import type { OpenGraph } from "./open-object-graph.ts";
import type { Repository } from "./repository.ts";
import type { ShallowUpdate } from "./shallow-update.ts";

/** What a client wants, by numbers, or why it cannot have it, in the words that it shows. */
export type ResolvedWants =
  | {
      readonly kind: "resolved";
      readonly wants: readonly number[];
      readonly filter: ObjectFilter;
      /** What the refs name. */
      readonly tips: readonly number[];
    }
  | { readonly kind: "refused"; readonly reason: string };

/** Only what a ref reaches is there for a client: what a forced push dropped is still stored for a while. */
export function resolveWants(repository: Repository, { graph }: OpenGraph, wanted: FetchArguments): ResolvedWants {
  const wants: number[] = [];
  for (let i = 0; i < wanted.wantIds.size; i++) {
    const number = graph.objects.find(wanted.wantIds.bytesAt(i));
    if (number < 0) return notOurs(wanted.wantIds, i);
    wants.push(number);
  }
  const tips = repository.state.refs.map((ref) => graph.objects.find(objectIdToBytes(ref.id)));
  const tipSet = new Set(tips);
  if (!wants.every((want) => tipSet.has(want))) {
    const unreachable = findUnreachable(graph, tips, wants);
    if (unreachable !== undefined) return notOurs(wanted.wantIds, wants.indexOf(unreachable));
  }
  const filter = wanted.filterSpec === undefined ? NO_FILTER : parseObjectFilter(wanted.filterSpec);
  if (filter === undefined)
    return { kind: "refused", reason: `upload-pack: filter '${wanted.filterSpec}' not supported` };
  return { kind: "resolved", wants, filter, tips };
}

/** How the client wants its pack. */
export interface PackOptions {
  readonly allowsOfsDelta: boolean;
  readonly allowsThinPack: boolean;
  readonly includesTags: boolean;
}

/** What a client wants and has, once both sides agree. */
export interface NegotiatedFetch {
  readonly wants: readonly number[];
  readonly haves: readonly number[];
  readonly filter: ObjectFilter;
  readonly shallow: Extract<ShallowUpdate, { kind: "update" }>;
  readonly options: PackOptions;
}

/** What to send. */
export interface PackPlan {
  readonly store: PackStore;
  /** In the order of `objects`. */
  readonly packs: readonly PackRow[];
  readonly objects: MultiPackIndex;
  /** SENT and HAD, by canonical number. */
  readonly marks: Uint8Array;
  /** The inflated size of each object that is sent. */
  readonly sizes: Uint32Array;
  readonly sentCount: number;
  readonly allowsOfsDelta: boolean;
  /** Whether a delta may be sent without its base, where the client has that. */
  readonly allowsThinPack: boolean;
  /** Where chains of deltas are not to become longer than they should be in a pack that stays. */
  readonly depths?: DeltaDepths;
}

/** The plan holds the indexes but no edge file, so that those are free to go while a slow client reads. */
export function planPack(
  repository: Repository,
  { graph, packs }: OpenGraph,
  { wants, haves, filter, shallow, options }: NegotiatedFetch,
): PackPlan {
  const { marks, sentCount } = listObjects(graph, {
    wants: [...wants, ...shallow.wants],
    haves: [...haves, ...shallow.haves],
    shallows: shallow.shallows,
    filter,
    followTags: options.includesTags ? tagsOf(repository, graph) : [],
  });
  return {
    store: repository.store,
    packs,
    objects: graph.objects,
    marks,
    sizes: sizesOf(graph, marks),
    sentCount,
    allowsOfsDelta: options.allowsOfsDelta,
    // A client that filters lacks blobs of the commits that it has.
    allowsThinPack: options.allowsThinPack && filter === NO_FILTER,
  };
}

function notOurs(ids: ObjectIdTable, i: number): ResolvedWants {
  return { kind: "refused", reason: `upload-pack: not our ref ${ids.idAt(i)}` };
}

/** The annotated tags under refs/tags/, as git's include-tag has it. */
function tagsOf({ state }: Repository, graph: ObjectGraph): number[] {
  return state.refs
    .filter((ref) => ref.peeledId !== undefined && ref.name.startsWith("refs/tags/"))
    .map((ref) => graph.objects.find(objectIdToBytes(ref.id)));
}

/** The inflated sizes of the objects that are sent, by canonical number. */
export function sizesOf(graph: ObjectGraph, marks: Uint8Array): Uint32Array {
  const sizes = new Uint32Array(marks.length);
  for (let number = 0; number < marks.length; number++) {
    if ((marks[number] ?? 0) & SENT) sizes[number] = graph.sizeAt(number);
  }
  return sizes;
}
