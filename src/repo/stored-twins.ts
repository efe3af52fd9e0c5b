// The first stored object of an id stays: a pushed one of the same id must be the same (check_collison in git's
// builtin/index-pack.c). SHA-1 alone no longer says so.
//
// Compared with the packs whose index is at hand, which are all of them where the isolate is warm: a cold one would read the index of
// every pack for each small push. Clones and compaction look into the oldest pack first whatever this finds.
import { HostingError } from "../errors.ts";
import { type ObjectId, objectIdFromBytes } from "../git/object-id.ts";
import { OBJECT_KIND_NUMBERS } from "../git/object.ts";
import type { PackIndex } from "../git/pack-index.ts";
import type { StoredPack } from "../store/object-database.ts";
import { type ResolvingPack, readContent } from "./delta-resolver.ts";
import type { PackGraph } from "./pack-storing.ts";

/** Larger objects are compared by kind and size: both of them in memory would be too much. */
const MAX_COMPARED_BYTES = 8 * 1024 * 1024;
const ID_BYTES = 20;

/** An object of the pack that is stored already: its position in index order, and its number in the stored pack. */
interface Twin {
  readonly position: number;
  readonly n: number;
}

/** Errors: HostingError "object-collision". */
export async function checkStoredTwins(pack: ResolvingPack, graph: PackGraph): Promise<void> {
  for (const stored of pack.odb.packs) {
    const index = stored.indexAtHand();
    const twins = index === undefined ? [] : findTwins(graph, index, pack.receivedCount);
    // oxlint-disable-next-line no-await-in-loop -- one pack's objects at a time are enough for the memory
    if (twins.length > 0) await compareTwins(pack, { graph, stored, twins });
  }
}

function findTwins({ ids, order }: PackGraph, index: PackIndex, receivedCount: number): Twin[] {
  const twins: Twin[] = [];
  for (let position = 0; position < order.length; position++) {
    const entry = order[position] ?? 0;
    // Entries from there on are copies of stored objects, which complete a thin pack.
    if (entry >= receivedCount) continue;
    const n = index.find(ids, entry * ID_BYTES);
    if (n >= 0) twins.push({ position, n });
  }
  return twins;
}

async function compareTwins(
  pack: ResolvingPack,
  at: { readonly graph: PackGraph; readonly stored: StoredPack; readonly twins: readonly Twin[] },
): Promise<void> {
  const { kinds, sizes } = at.graph.columns;
  const edges = await at.stored.edges();
  const positions = new Map<number, number>();
  for (const { position, n } of at.twins) {
    const sizeBytes = edges.sizeAt(n);
    const isAlike = sizeBytes === sizes[position] && OBJECT_KIND_NUMBERS[edges.kindAt(n)] === kinds[position];
    if (!isAlike) throw collision(idAt(at.graph, position));
    if (sizeBytes <= MAX_COMPARED_BYTES) positions.set(n, position);
  }
  const reader = await at.stored.reader();
  await reader.readMany([...positions.keys()], async (n, { bytes }) => {
    const position = positions.get(n) ?? 0;
    pack.budget.spend(bytes.byteLength);
    const pushed = await readContent(pack, at.graph.order[position] ?? 0);
    if (Buffer.compare(pushed, bytes) !== 0) throw collision(idAt(at.graph, position));
    await pack.budget.takeBreak();
  });
}

function idAt({ ids, order }: PackGraph, position: number): ObjectId {
  return objectIdFromBytes(ids, (order[position] ?? 0) * ID_BYTES);
}

function collision(id: ObjectId): HostingError {
  return new HostingError(
    "object-collision",
    `The object ${id} is stored here with other content: SHA1 COLLISION FOUND. The stored one stays.`,
  );
}
