// Everything that a repository's refs reach, as one pack, for making another repository of it.
import { NO_FILTER } from "../git/object-filter.ts";
import { objectIdToBytes } from "../git/object-id.ts";
import { planPack } from "./fetch-plan.ts";
import { openObjectGraph } from "./open-object-graph.ts";
import { streamPack } from "./pack-stream.ts";
import type { Repository } from "./repository.ts";

/** The pack, made as it is read. */
export async function openWholePack(repository: Repository): Promise<ReadableStream<Uint8Array>> {
  const open = await openObjectGraph(repository);
  const wants = repository.state.refs.map(({ id }) => open.graph.objects.find(objectIdToBytes(id)));
  const plan = planPack(repository, open, {
    wants,
    haves: [],
    filter: NO_FILTER,
    shallow: { kind: "update", lines: [], shallows: [], wants: [], haves: [] },
    options: { allowsOfsDelta: true, allowsThinPack: false, includesTags: false },
  });
  const chunks = streamPack(plan);
  return new ReadableStream<Uint8Array>({
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
