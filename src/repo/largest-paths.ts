// Which files made a push too large, for the pusher who is told of a limit. The names are in trees, which git sends before the blobs:
// the way up goes from blob to tree to tree by the edges, and only those few trees are read again.
import { readTree } from "../git/object.ts";
import { openObjectDatabase } from "../store/object-database.ts";
import type { PackStore } from "../store/pack-store.ts";
import { type PackInProgress, type ResolvingPack, readContent } from "./delta-resolver.ts";
import { NONE } from "./pack-records.ts";
import { WaitingDeltas } from "./waiting-deltas.ts";

const MAX_PATHS = 3;
/** Each step looks at all edges. */
const MAX_DEPTH = 50;
const MIB = 1024 * 1024;

/** "docs/film.mov (80.1 MiB)", largest first, of the blobs that arrived. Those whose trees have not arrived are left out. */
export async function findLargestPaths(pack: PackInProgress, store: PackStore): Promise<string[]> {
  await pack.spool.finish();
  const { intake } = pack;
  const receivedCount = intake.records.count;
  const odb = openObjectDatabase(store, []);
  const readable = { ...pack, odb, receivedCount, waiting: new WaitingDeltas(intake) };
  const paths: string[] = [];
  for (const blob of intake.edges.findLargestBlobs(MAX_PATHS)) {
    // oxlint-disable-next-line no-await-in-loop -- one tree in memory at a time
    const path = await findPath(readable, blob);
    if (path !== undefined) paths.push(`${path} (${(intake.edges.sizeOf(blob) / MIB).toFixed(1)} MiB)`);
  }
  return paths;
}

/** The path in some commit of the pack, from the blob upwards. */
async function findPath(pack: ResolvingPack, blob: number): Promise<string | undefined> {
  const { ids, edges } = pack.intake;
  const names: string[] = [];
  let below = blob;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const tree = edges.findTreeOf(below);
    if (tree === NONE) break;
    const id = ids.idAt(below);
    // oxlint-disable-next-line no-await-in-loop -- each tree is found through the one below it
    const entry = readTree(await readContent(pack, pack.intake.entryOf(tree))).find((each) => each.id === id);
    names.unshift(printable(entry?.name ?? id));
    below = tree;
  }
  return names.length === 0 ? undefined : names.join("/");
}

function printable(name: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not come through
  return name.replaceAll(/[\u0000-\u001f\u007f]/g, "?");
}
