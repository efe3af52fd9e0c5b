// Writes the objects of a plan as one stored pack, with its index and edge file. Entries are copied as for a fetch (pack-stream.ts);
// a large pack goes to R2 in parts while it is written, so that memory is bounded by the number of objects, not by their bytes.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { EdgeCollector } from "../git/edge-collector.ts";
import { writeEdgeFile } from "../git/edge-file.ts";
import type { ObjectGraph } from "../git/object-graph.ts";
import { objectIdToBytes } from "../git/object-id.ts";
import { sortIds, writePackIndex } from "../git/pack-index.ts";
import { writePackFiles } from "../store/pack-store.ts";
import type { PackRow } from "../store/repository-state.ts";
import type { PackPlan } from "./fetch-plan.ts";
import { PackOutput } from "./pack-output.ts";
import { PackSpool, randomPackId } from "./pack-spool.ts";
import { copySelected } from "./pack-stream.ts";

/** Stores the pack, which holds all that its objects name. Throws what R2 throws; nothing that is not swept is left then. */
export async function rewritePack(plan: PackPlan, graph: ObjectGraph): Promise<Omit<PackRow, "createdAtMs">> {
  const spool = new PackSpool(plan.store);
  try {
    const entries = new WrittenEntries(plan.sentCount);
    const checksum = await writeEntries(plan, entries, spool);
    const packId = spool.uploadedId ?? randomPackId();
    // The spool's buffer is larger than a pack that is still in memory.
    const pack = spool.uploadedId === undefined ? { pack: spool.bytes.slice() } : {};
    const { count, offsets, crcs } = entries;
    const ids = idsOf(graph, entries);
    const order = sortIds(ids, count);
    // One after the other, because each is as large as what it is made of.
    await writePackFiles(plan.store, packId, {
      ...pack,
      idx: writePackIndex({ count, ids, crcs, offsets }, checksum, order),
    });
    await writePackFiles(plan.store, packId, { edges: drawEdges(graph, entries, order) });
    return { packId, objectCount: count, packBytes: spool.sizeBytes };
  } catch (error) {
    await spool.discard();
    throw error;
  }
}

/** Returns the checksum. */
async function writeEntries(plan: PackPlan, entries: WrittenEntries, spool: PackSpool): Promise<Uint8Array> {
  const hash = createHash("sha1");
  const output = new PackOutput(plan.objects.size, (number, offset) => entries.begin(number, offset));
  for await (const bytes of copySelected(plan, output)) {
    hash.update(bytes);
    entries.read(bytes);
    await spool.append(bytes);
  }
  const checksum = hash.digest();
  await spool.append(checksum);
  await spool.finish();
  return checksum;
}

/** The columns of the entries, in the order of the pack. */
class WrittenEntries {
  count = 0;
  /** The objects' numbers in the graph. */
  readonly numbers: Uint32Array;
  readonly offsets: Float64Array;
  readonly crcs: Uint32Array;
  #readBytes = 0;
  /** How many entries begin in what was read. */
  #openedCount = 0;

  constructor(objectCount: number) {
    this.numbers = new Uint32Array(objectCount);
    this.offsets = new Float64Array(objectCount);
    this.crcs = new Uint32Array(objectCount);
  }

  begin(number: number, offset: number): void {
    this.numbers[this.count] = number;
    this.offsets[this.count] = offset;
    this.count += 1;
  }

  /** The next bytes of the pack. All entries that begin in them have begun. */
  read(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      const next = this.#openedCount < this.count ? (this.offsets[this.#openedCount] ?? 0) : Infinity;
      const end = Math.min(next - this.#readBytes, bytes.byteLength);
      const open = this.#openedCount - 1;
      if (open >= 0) this.crcs[open] = crc32(bytes.subarray(at, end), this.crcs[open]);
      if (this.#readBytes + end === next) this.#openedCount += 1;
      at = end;
    }
    this.#readBytes += bytes.byteLength;
  }
}

function idsOf({ objects }: ObjectGraph, { numbers, count }: WrittenEntries): Uint8Array {
  const ids = new Uint8Array(count * 20);
  numbers.forEach((number, entry) => ids.set(objectIdToBytes(objects.idAt(number)), entry * 20));
  return ids;
}

function drawEdges(graph: ObjectGraph, { numbers }: WrittenEntries, order: Uint32Array): Uint8Array {
  const { objects } = graph;
  const edges = new EdgeCollector({
    size: objects.size,
    add: (bytes, offset) => objects.find(bytes, offset),
    bytesAt: (number) => objectIdToBytes(objects.idAt(number)),
  });
  for (const number of numbers) edges.addFrom(graph, number);
  const columns = edges.columns(order.map((entry) => numbers[entry] ?? 0));
  if (columns.externals.length > 0) throw new Error("The objects of a compaction name some that it leaves out.");
  return writeEdgeFile(columns);
}
