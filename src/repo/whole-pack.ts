// Everything that a repository's refs reach, as one pack, for making another repository of it.
import { type BundleRef, writeBundleHeader } from "../git/bundle.ts";
import { NO_FILTER } from "../git/object-filter.ts";
import { objectIdToBytes } from "../git/object-id.ts";
import { planPack, type PackPlan } from "./fetch-plan.ts";
import { openObjectGraph } from "./open-object-graph.ts";
import { streamPack } from "./pack-stream.ts";
import type { Repository } from "./repository.ts";

/** The pack, made as it is read. */
export async function openWholePack(repository: Repository): Promise<ReadableStream<Uint8Array>> {
  return openPack(await planWholePack(repository), []);
}

/** A file that `git clone` takes for a repository, made anew, with the same bytes, each time that it is opened. */
export interface BundleFile {
  readonly sizeBytes: number;
  open(): ReadableStream<Uint8Array>;
}

/** All refs, HEAD first: git checks out the first branch that is where HEAD is. undefined: there are none, which no bundle can say. */
export async function makeBundle(repository: Repository): Promise<BundleFile | undefined> {
  const { head, refs } = repository.state;
  if (refs.length === 0) return undefined;
  const first = refs.filter((ref) => ref.name === head);
  const named = [...first, ...refs.filter((ref) => ref.name !== head)];
  const lines: BundleRef[] = [...first.map(({ id }) => ({ name: "HEAD", id })), ...named];
  const header = writeBundleHeader(lines);
  const plan = await planWholePack(repository);
  // How long a pack becomes is known once it is made: it is made twice, so that it is nowhere whole.
  let sizeBytes = header.byteLength;
  for await (const chunk of streamPack(plan)) sizeBytes += chunk.byteLength;
  return { sizeBytes, open: () => openPack(plan, [header]) };
}

async function planWholePack(repository: Repository): Promise<PackPlan> {
  const open = await openObjectGraph(repository);
  const wants = repository.state.refs.map(({ id }) => open.graph.objects.find(objectIdToBytes(id)));
  return planPack(repository, open, {
    wants,
    haves: [],
    filter: NO_FILTER,
    shallow: { kind: "update", lines: [], shallows: [], wants: [], haves: [] },
    options: { allowsOfsDelta: true, allowsThinPack: false, includesTags: false },
  });
}

function openPack(plan: PackPlan, head: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const chunks = streamPack(plan);
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of head) controller.enqueue(chunk);
    },
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}
