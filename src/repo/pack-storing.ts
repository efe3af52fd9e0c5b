// The last step of taking a pack in: its index and edge file are made, and what is not in R2 yet goes there. A completed thin pack
// gets another header and trailer on the way.
import { type EdgeFileColumns, writeEdgeFile } from "../git/edge-file.ts";
import { sortIds, writePackIndex } from "../git/pack-index.ts";
import { encodePackHeader, withPackChecksum } from "../git/pack-write.ts";
import { limitStream } from "../store/object-retry.ts";
import { type PackStore, openPackStream, packKey, writePackFiles } from "../store/pack-store.ts";
import type { PackRow } from "../store/repository-state.ts";
import type { ObjectIntake } from "./object-intake.ts";
import { type PackSpool, randomPackId } from "./pack-spool.ts";

const HEADER_BYTES = 12;
const TRAILER_BYTES = 20;

/** The objects of a pack and what they name. */
export interface PackGraph {
  /** 20 bytes an object, in the order of the pack. */
  readonly ids: Uint8Array;
  /** The positions in `ids`, in index order. */
  readonly order: Uint32Array;
  /** In index order. */
  readonly columns: EdgeFileColumns;
}

/** A pack whose objects are all known. */
export interface CompletePack {
  readonly store: PackStore;
  readonly intake: ObjectIntake;
  readonly graph: PackGraph;
  /** The pack as it was received, its trailer included. */
  readonly spool: PackSpool;
  /** The trailer as it was received. */
  readonly checksum: Uint8Array;
  /** The entries that complete a thin pack; empty for others. */
  readonly tail: PackSpool;
}

/** Puts the objects in order once all of them are known. */
export function drawGraph(intake: ObjectIntake): PackGraph {
  const { records } = intake;
  const ids = new Uint8Array(records.count * 20);
  for (let entry = 0; entry < records.count; entry++) ids.set(intake.ids.bytesAt(records.ids[entry] ?? 0), entry * 20);
  const order = sortIds(ids, records.count);
  const columns = intake.edges.columns(order.map((entry) => records.ids[entry] ?? 0));
  return { ids, order, columns };
}

/**
 * Writes what is not in R2 yet. Without a `packId` the name is a new one even for a pack that was stored before: a name that two pushes
 * share could be swept for the one while the other still has it to commit.
 * Throws what R2 throws; what was written then is named by nothing and swept.
 */
export async function storePack(
  pack: CompletePack,
  { packId, nowMs }: { readonly packId?: string | undefined; readonly nowMs: number },
): Promise<PackRow> {
  const { records } = pack.intake;
  const file = await finishFile(pack, packId ?? randomPackId());
  const entries = { count: records.count, ids: pack.graph.ids, crcs: records.crcs, offsets: records.offsets };
  const idx = writePackIndex(entries, file.checksum, pack.graph.order);
  const edges = writeEdgeFile(pack.graph.columns);
  await writePackFiles(pack.store, file.packId, { idx, edges, ...(file.bytes && { pack: file.bytes }) });
  return { packId: file.packId, objectCount: records.count, packBytes: file.packBytes, createdAtMs: nowMs };
}

interface PackFile {
  readonly packId: string;
  readonly packBytes: number;
  readonly checksum: Uint8Array;
  /** Absent where the file is in R2 already. */
  readonly bytes?: Uint8Array;
}

async function finishFile(pack: CompletePack, packId: string): Promise<PackFile> {
  const { spool, tail, checksum } = pack;
  const packBytes = spool.sizeBytes + tail.sizeBytes;
  if (tail.sizeBytes === 0 && spool.uploadedId !== undefined) return { packId: spool.uploadedId, packBytes, checksum };
  // A copy, because the spool's buffer is larger than the pack, and the cache may keep the pack.
  if (tail.sizeBytes === 0) return inMemory(packId, spool.bytes.slice());
  if (spool.uploadedId === undefined && tail.uploadedId === undefined)
    return inMemory(packId, await completeInMemory(pack));
  return rewrite(pack, packId, packBytes);
}

function inMemory(packId: string, bytes: Uint8Array): PackFile {
  const checksum = bytes.subarray(bytes.byteLength - TRAILER_BYTES);
  return { packId, packBytes: bytes.byteLength, checksum, bytes };
}

async function completeInMemory(pack: CompletePack): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of withPackChecksum(completeContent(pack))) parts.push(part);
  return Buffer.concat(parts);
}

/** Streams the parts of a large pack, from R2 or memory, to another key: R2 objects cannot be changed. */
async function rewrite(pack: CompletePack, packId: string, packBytes: number): Promise<PackFile> {
  const { readable, writable } = new FixedLengthStream(packBytes);
  const put = pack.store.bucket.put(packKey(pack.store, packId, "pack"), readable);
  const [, checksum] = await limitStream(Promise.all([put, writeCompleted(pack, writable)]));
  await pack.spool.discard();
  await pack.tail.discard();
  return { packId, packBytes, checksum };
}

/** Returns the checksum. */
async function writeCompleted(pack: CompletePack, writable: WritableStream<Uint8Array>): Promise<Uint8Array> {
  const writer = writable.getWriter();
  let last = new Uint8Array(0);
  try {
    for await (const part of withPackChecksum(completeContent(pack))) {
      await writer.write(part);
      last = part.slice(-TRAILER_BYTES);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
  return last;
}

/** The completed pack without its trailer: header, entries received, entries added. */
async function* completeContent(pack: CompletePack): AsyncGenerator<Uint8Array> {
  const { spool, tail } = pack;
  yield encodePackHeader(pack.intake.records.count);
  yield* spoolRange(pack.store, spool, HEADER_BYTES, spool.sizeBytes - TRAILER_BYTES);
  yield* spoolRange(pack.store, tail, 0, tail.sizeBytes);
}

async function* spoolRange(store: PackStore, spool: PackSpool, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (spool.uploadedId === undefined) yield spool.bytes.subarray(start, end);
  else yield* await openPackStream(store, spool.uploadedId, { offset: start, length: end - start });
}
