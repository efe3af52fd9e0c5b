// Which of the client's commits this repository has too, and when that is enough (upload-pack.c got_oid, ok_to_give_up,
// get_common_commits, send_acks).
import type { RequestedCapabilities } from "../git/capabilities.ts";
import { canAllReach } from "../git/commit-reach.ts";
import type { FetchRequest } from "../git/fetch-request.ts";
import type { ObjectGraph } from "../git/object-graph.ts";
import type { ObjectIdTable } from "../git/object-id-table.ts";
import type { UploadRequest } from "../git/upload-request.ts";

/** A walk may pass the whole history, and a request may ask for one with every have. Git's client asks for a few. */
const MAX_WALKS = 64;

/** What to answer the haves of one request with. */
export interface Negotiation {
  /** Lines without newlines. */
  readonly lines: readonly string[];
  readonly isPackNext: boolean;
  /** The haves that are known here. */
  readonly common: readonly number[];
}

/** One round of versions 0 and 1, in the manner of acknowledging that the client asked for. */
export function negotiateVersion0(
  graph: ObjectGraph,
  { wants, shallows }: { readonly wants: readonly number[]; readonly shallows: readonly number[] },
  request: UploadRequest,
): Negotiation {
  const common = new CommonCommits(graph, wants, new Set(shallows));
  const manner = mannerOf(request.capabilities);
  const lines: string[] = [];
  let lastCommonId: string | undefined;
  let isReady = false;
  let hasUnknown = false;
  for (let i = 0; i < request.haveIds.size; i++) {
    const id = request.haveIds.idAt(i);
    if (common.add(request.haveIds, i)) {
      lastCommonId = id;
      if (manner === "detailed") lines.push(`ACK ${id} common`);
      else if (manner === "continue") lines.push(`ACK ${id} continue`);
      else if (common.newCount === 1) lines.push(`ACK ${id}`);
      continue;
    }
    hasUnknown = true;
    // What the client has beyond ours it need not list to the end, once everything it wants leads to something common.
    if (manner === "single" || !common.isEnough()) continue;
    if (manner === "detailed") isReady = true;
    lines.push(manner === "detailed" ? `ACK ${id} ready` : `ACK ${id} continue`);
  }
  if (request.ending === "done") {
    if (common.newCount === 0) lines.push("NAK");
    else if (manner !== "single") lines.push(`ACK ${lastCommonId}`);
    return { lines, isPackNext: true, common: common.all };
  }
  if (manner === "detailed" && lastCommonId !== undefined && !hasUnknown && common.isEnough()) {
    isReady = true;
    lines.push(`ACK ${lastCommonId} ready`);
  }
  if (common.newCount === 0 || manner !== "single") lines.push("NAK");
  const isPackNext = isReady && lastCommonId !== undefined && request.capabilities.has("no-done");
  if (isPackNext) lines.push(`ACK ${lastCommonId}`);
  return { lines, isPackNext, common: common.all };
}

/** The acknowledgments section of version 2; no lines where the client is done or had nothing to say. */
export function negotiateVersion2(graph: ObjectGraph, wants: readonly number[], request: FetchRequest): Negotiation {
  const common = new CommonCommits(graph, wants, new Set());
  const acknowledged: string[] = [];
  for (let i = 0; i < request.haveIds.size; i++) {
    if (common.add(request.haveIds, i)) acknowledged.push(`ACK ${request.haveIds.idAt(i)}`);
  }
  if (request.flags.has("done") || request.haveIds.size === 0) {
    return { lines: [], isPackNext: true, common: common.all };
  }
  const lines = ["acknowledgments", ...(acknowledged.length === 0 ? ["NAK"] : acknowledged)];
  const isReady = !request.flags.has("wait-for-done") && common.isEnough();
  return { lines: isReady ? [...lines, "ready"] : lines, isPackNext: isReady, common: common.all };
}

function mannerOf(capabilities: RequestedCapabilities<"git-upload-pack">): "single" | "continue" | "detailed" {
  if (capabilities.has("multi_ack_detailed")) return "detailed";
  return capabilities.has("multi_ack") ? "continue" : "single";
}

/** The client's commits that are here, with their parents, which it then has as well. */
class CommonCommits {
  readonly all: number[] = [];
  /** How many of them were not a parent of one before; git counts these alone. */
  newCount = 0;
  readonly #graph: ObjectGraph;
  readonly #wants: readonly number[];
  /** Commits whose parents the client does not have. */
  readonly #shallows: ReadonlySet<number>;
  readonly #had = new Set<number>();
  #oldestS = Infinity;
  #isEnough = false;
  #hasChanged = false;
  #walksLeft = MAX_WALKS;

  constructor(graph: ObjectGraph, wants: readonly number[], shallows: ReadonlySet<number>) {
    this.#graph = graph;
    this.#wants = wants;
    this.#shallows = shallows;
  }

  /** Whether the id is known here. */
  add(ids: ObjectIdTable, i: number): boolean {
    const have = this.#graph.objects.find(ids.bytesAt(i));
    if (have < 0) return false;
    this.all.push(have);
    if (!this.#had.has(have)) this.newCount += 1;
    this.#had.add(have);
    if (this.#graph.kindAt(have) === "commit") {
      this.#oldestS = Math.min(this.#oldestS, this.#graph.timeAt(have));
      if (!this.#shallows.has(have)) this.#graph.forEachParent(have, (parent) => this.#had.add(parent));
    }
    this.#hasChanged = true;
    return true;
  }

  /** Whether every want leads to something that the client has: more haves would hardly make the pack smaller. */
  isEnough(): boolean {
    // What is enough stays enough.
    if (this.#isEnough || !this.#hasChanged || this.#walksLeft === 0) return this.#isEnough;
    this.#hasChanged = false;
    this.#walksLeft -= 1;
    this.#isEnough = canAllReach(this.#graph, this.#wants, {
      has: (commit) => this.#had.has(commit),
      oldestS: this.#oldestS,
      shallows: this.#shallows,
    });
    return this.#isEnough;
  }
}
