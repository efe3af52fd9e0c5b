// Taking a pushed pack in, in two steps. receivePackBytes reads the pack to its end: every entry is inflated as it arrives, whole
// objects are hashed and checked, and so are deltas whose base is still at hand, while the bytes go to the spool. resolvePack does
// the rest and stores pack, index and edge file. The answer to a push may begin between the two. Nothing becomes visible here: the
// supervisor's catalogue has to name the pack first.
import { type ErrorCode, HostingError } from "../errors.ts";
import { Inflater } from "../git/inflater.ts";
import type { ObjectId } from "../git/object-id.ts";
import { PackScanner } from "../git/pack-scan.ts";
import { ContentCache } from "../store/content-cache.ts";
import { openObjectDatabase } from "../store/object-database.ts";
import type { PackStore } from "../store/pack-store.ts";
import type { PackRow } from "../store/repository-state.ts";
import { checkConnectivity, misnamed } from "./connectivity.ts";
import { type PackInProgress, type ResolvingPack, resolveDeltas } from "./delta-resolver.ts";
import { DeltaStore } from "./delta-store.ts";
import { DEFAULT_INGEST_LIMITS, InflateBudget, type IngestLimits, describeBytes } from "./ingest-limits.ts";
import { findLargestPaths } from "./largest-paths.ts";
import { ObjectIntake } from "./object-intake.ts";
import { NONE } from "./pack-records.ts";
import { PackSpool } from "./pack-spool.ts";
import { drawGraph, storePack } from "./pack-storing.ts";
import { ScratchBuffer } from "./scratch-buffer.ts";
import { scanObjects } from "./scan-objects.ts";
import { checkSpecialBlobs } from "./special-blobs.ts";
import { checkStoredTwins } from "./stored-twins.ts";
import { completeThinPack } from "./thin-pack.ts";
import { WaitingDeltas } from "./waiting-deltas.ts";

/** Inflated objects that are at hand for the deltas that follow. Packs keep deltas near their bases. */
const CONTENTS_BYTES = 8 * 1024 * 1024;
/** Small deltas that have to wait: those of 200,000 trees. */
const DELTAS_BYTES = 12 * 1024 * 1024;
/** What says that a push is too large, in one way or another. */
const LIMIT_CODES: readonly ErrorCode[] = ["push-too-large", "push-too-complex", "object-too-large"];

interface Refusal {
  readonly kind: "refused";
  readonly code: ErrorCode;
  readonly reason: string;
}

/** A pack of which all bytes have arrived, or why it was refused before. To be given to resolvePack. */
export type ReceivedPack =
  | Refusal
  | {
      readonly kind: "received";
      readonly store: PackStore;
      readonly pack: PackInProgress;
      /** The pack's own trailer. */
      readonly checksum: Uint8Array;
    };

/** What resolvePack needs to know besides the pack. */
export interface ResolveOptions {
  /** The catalogue at this moment: what the pack's objects may name. */
  readonly packs: readonly PackRow[];
  /** The commits whose parents a shallow client does not have. */
  readonly shallowIds?: readonly ObjectId[];
  readonly nowMs: number;
  /** What to call the pack if it is small, where its name has to follow from its content. */
  readonly packId?: string;
}

/**
 * "stored": the pack is in R2 with its index and edges, and every edge of every object is in it or in `packs`. `pack` is the row to
 * add to the catalogue, undefined where there is nothing to add.
 */
export type IngestOutcome =
  | Refusal
  | {
      readonly kind: "stored";
      readonly pack: PackRow | undefined;
      /** What was received; bases that complete a thin pack come on top. */
      readonly objectCount: number;
      readonly receivedBytes: number;
    };

/**
 * Reads the stream to its end, also where it refuses the pack, so that the connection can be answered. (A stream that goes on far
 * past the limit is cancelled.) Throws what R2 throws; nothing is left in R2 then.
 */
export async function receivePackBytes(
  stream: ReadableStream<Uint8Array>,
  store: PackStore,
  limits: IngestLimits = DEFAULT_INGEST_LIMITS,
): Promise<ReceivedPack> {
  const pack: PackInProgress = {
    limits,
    spool: new PackSpool(store),
    intake: new ObjectIntake(limits),
    contents: new ContentCache(CONTENTS_BYTES),
    deltas: new DeltaStore(DELTAS_BYTES),
    scratch: { delta: new ScratchBuffer(), result: new ScratchBuffer() },
    inflater: new Inflater(),
    budget: new InflateBudget(limits),
  };
  const scanner = new PackScanner(stream, (piece) => {
    if (pack.spool.sizeBytes + piece.byteLength > limits.maxPackBytes) throw packTooLarge(limits);
    pack.budget.receive(piece.byteLength);
    return pack.spool.append(piece);
  });
  try {
    const checksum = await scanObjects(pack, scanner);
    await pack.spool.finish();
    scanner.close();
    return { kind: "received", store, pack, checksum };
  } catch (error) {
    scanner.close();
    const refusal = await withLargestPaths(error, { pack, store }).catch((fault: unknown) => discardAfter(fault, pack));
    pack.inflater.close();
    await drain(stream, limits.maxPackBytes);
    return refusal;
  }
}

/** Resolves what is left of the pack's deltas, completes it, checks that nothing is missing, and stores it. */
export async function resolvePack(received: ReceivedPack, options: ResolveOptions): Promise<IngestOutcome> {
  if (received.kind === "refused") return received;
  const { pack, store } = received;
  const objectCount = pack.intake.records.count;
  const receivedBytes = pack.spool.sizeBytes;
  if (objectCount === 0) return { kind: "stored", pack: undefined, objectCount, receivedBytes };
  const tail = new PackSpool(store);
  const odb = openObjectDatabase(store, options.packs);
  const waiting = new WaitingDeltas(pack.intake);
  const resolving: ResolvingPack = { ...pack, odb, waiting, receivedCount: objectCount };
  try {
    await resolveDeltas(resolving);
    await completeThinPack(resolving, tail);
    checkBasesAreUnique(resolving);
    checkKinds(pack.intake);
    await checkSpecialBlobs(resolving);
    pack.contents.clear();
    pack.deltas.clear();
    const graph = drawGraph(pack.intake);
    const { ids, edges } = pack.intake;
    await checkConnectivity(graph, odb, {
      shallowIds: options.shallowIds ?? [],
      kindNamed: (externals, at) => edges.kindNamed(ids.find(externals, at)),
    });
    await checkStoredTwins(resolving, graph);
    const row = await storePack({ ...received, ...pack, graph, tail }, options);
    return { kind: "stored", pack: row, objectCount, receivedBytes };
  } catch (error) {
    await tail.discard();
    return await discardAfter(error, pack);
  } finally {
    pack.inflater.close();
  }
}

/** Both steps in one. */
export async function ingestPack(
  stream: ReadableStream<Uint8Array>,
  store: PackStore,
  options: ResolveOptions & { readonly limits?: IngestLimits },
): Promise<IngestOutcome> {
  return resolvePack(await receivePackBytes(stream, store, options.limits), options);
}

/** A pack that is refused leaves nothing behind; an error that is ours neither, but is thrown on. */
async function discardAfter(error: unknown, pack: PackInProgress): Promise<Refusal> {
  await pack.spool.discard();
  if (!(error instanceof HostingError)) throw error;
  return { kind: "refused", code: error.code, reason: error.message };
}

/** Says which files were the largest, where a limit was met. */
async function withLargestPaths(
  error: unknown,
  { pack, store }: { readonly pack: PackInProgress; readonly store: PackStore },
): Promise<Refusal> {
  const isOverLimit = error instanceof HostingError && LIMIT_CODES.includes(error.code);
  const paths = isOverLimit ? await findLargestPaths(pack, store) : [];
  const refusal = await discardAfter(error, pack);
  if (paths.length === 0) return refusal;
  return { ...refusal, reason: `${refusal.reason} The largest files that arrived: ${paths.join(", ")}.` };
}

/** Reads to the end, or cancels after so many bytes. */
async function drain(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<void> {
  const reader = stream.getReader();
  for (let drained = 0; drained <= maxBytes;) {
    const { done, value } = await reader.read();
    if (done) return;
    drained += value.byteLength;
  }
  await reader.cancel();
}

/**
 * A base that is named by its id must be one object: with two of the same id, one of them perhaps made of the delta itself, a
 * reader could go round in circles. (Duplicates that no delta names are stored as they are, as git does.)
 */
function checkBasesAreUnique({ intake, receivedCount }: ResolvingPack): void {
  if (intake.duplicateIds.size === 0) return;
  const { baseIds } = intake.records;
  for (let entry = 0; entry < receivedCount; entry++) {
    const baseId = baseIds[entry] ?? NONE;
    if (!intake.duplicateIds.has(baseId)) continue;
    throw new HostingError(
      "pack-invalid",
      `The object ${intake.ids.idAt(baseId)} is twice in the pack, and a delta names it as its base.`,
    );
  }
}

/** What a tree, commit or tag names in the pack must be of the kind as which it names it. What is stored: see connectivity.ts. */
function checkKinds({ edges, ids }: ObjectIntake): void {
  const number = edges.findMisnamed();
  if (number !== NONE) throw misnamed(ids.idAt(number));
}

function packTooLarge({ maxPackBytes }: IngestLimits): HostingError {
  const limit = `The pack is over the limit of ${describeBytes(maxPackBytes)} for one push`;
  return new HostingError("push-too-large", `${limit}. Push fewer commits at a time, or leave large files out.`);
}
