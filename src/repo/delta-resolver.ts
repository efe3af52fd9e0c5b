// Makes objects of the deltas of a pushed pack. Most deltas are resolved as they are scanned, while their base is at hand; the rest
// wait until all bytes are there and are then resolved base by base, as git's index-pack does (resolve_delta in
// builtin/index-pack.c): all deltas of one base while it is in the cache, then theirs. Nothing here recurses.
import { HostingError } from "../errors.ts";
import { applyDelta, readDeltaSizes } from "../git/delta.ts";
import type { Inflater } from "../git/inflater.ts";
import { objectKindOf } from "../git/object.ts";
import type { ContentCache } from "../store/content-cache.ts";
import { type ObjectDatabase, readObject } from "../store/object-database.ts";
import { inflateEntryAt, readEntryAt } from "../store/pack-bytes.ts";
import type { InflateBudget, IngestLimits } from "./ingest-limits.ts";
import { type ObjectIntake, tooLargeToHold } from "./object-intake.ts";
import type { DeltaStore } from "./delta-store.ts";
import { NONE, UNRESOLVED } from "./pack-records.ts";
import type { PackSpool } from "./pack-spool.ts";
import type { ScratchBuffer } from "./scratch-buffer.ts";
import type { WaitingDeltas } from "./waiting-deltas.ts";

/** A pack that is being taken in. */
export interface PackInProgress {
  readonly limits: IngestLimits;
  /** The pack as it was pushed. */
  readonly spool: PackSpool;
  readonly intake: ObjectIntake;
  /** Inflated objects by entry. */
  readonly contents: ContentCache;
  /** Deltas that were not resolved as they were scanned. */
  readonly deltas: DeltaStore;
  /** For what a delta is or makes, and for nothing that outlives the next one. */
  readonly scratch: { readonly delta: ScratchBuffer; readonly result: ScratchBuffer };
  readonly inflater: Inflater;
  readonly budget: InflateBudget;
}

/** Makes the object of a delta whose base has been resolved, and takes it in. Errors: HostingError, of what is wrong with it. */
export function resolveDelta(pack: PackInProgress, entry: number, base: Uint8Array, delta: Uint8Array): void {
  const { records } = pack.intake;
  const baseEntry = records.bases[entry] ?? NONE;
  const kind = objectKindOf(records.kinds[baseEntry] ?? UNRESOLVED);
  if (kind === undefined) throw new Error(`Entry ${entry} is resolved before its base.`);
  const depth = (records.depths[baseEntry] ?? 0) + 1;
  if (depth > pack.limits.maxDeltaDepth) {
    throw new HostingError("pack-invalid", `The pack has a chain of more than ${pack.limits.maxDeltaDepth} deltas.`);
  }
  records.depths[entry] = depth;
  const content = applyChecked(pack, base, delta);
  pack.intake.accept(entry, kind, content);
  pack.contents.keep(entry, content);
}

/** A pack of which all bytes were received. */
export interface ResolvingPack extends PackInProgress {
  /** What was stored before. */
  readonly odb: ObjectDatabase;
  readonly waiting: WaitingDeltas;
  /** How many entries were received; the ones after them complete a thin pack and are objects of `odb`. */
  readonly receivedCount: number;
}

/** Resolves every delta whose base is in the pack. What waits then waits for objects that the pack does not have. */
export async function resolveDeltas(pack: ResolvingPack): Promise<void> {
  for (let entry = 0; entry < pack.receivedCount; entry++) {
    if (pack.waiting.hasDeltasOf(entry)) await resolveDeltasOf(pack, entry);
  }
}

/** Resolves the deltas that wait for a resolved entry, the ones that wait for those, and so on. */
export async function resolveDeltasOf(pack: ResolvingPack, root: number): Promise<void> {
  const { waiting } = pack;
  const bases = [root];
  for (let base = bases.pop(); base !== undefined; base = bases.pop()) {
    if (pack.intake.records.kinds[base] === UNRESOLVED) continue;
    for (let delta = waiting.takeDeltaOf(base); delta !== NONE; delta = waiting.takeDeltaOf(base)) {
      const content = await readContent(pack, base);
      // Reading the delta makes no use of the cache, so that the base's bytes stay what they are.
      const deltaBytes = await readEntry(pack, delta);
      pack.intake.records.bases[delta] = base;
      resolveDelta(pack, delta, content, deltaBytes);
      waiting.addResolved(delta);
      if (waiting.hasDeltasOf(delta)) bases.push(delta);
      await pack.budget.takeBreak();
    }
  }
}

/** The content of an entry that has been resolved. The bytes are the cache's, valid until it is next given something to keep. */
export async function readContent(pack: ResolvingPack, entry: number): Promise<Uint8Array> {
  const { records } = pack.intake;
  const deltas: number[] = [];
  let base = entry;
  let content = pack.contents.find(base);
  while (content === undefined && (records.bases[base] ?? NONE) !== NONE) {
    deltas.push(base);
    base = records.bases[base] ?? NONE;
    content = pack.contents.find(base);
  }
  content ??= pack.contents.keep(base, await readEntry(pack, base));
  for (let delta = deltas.pop(); delta !== undefined; delta = deltas.pop()) {
    content = pack.contents.keep(delta, applyChecked(pack, content, await readEntry(pack, delta)));
  }
  return content;
}

/**
 * What an entry inflates to: an object or a delta, in memory that the next call uses again. The entry was inflated before, so that
 * it is known to be sound.
 */
async function readEntry(pack: ResolvingPack, entry: number): Promise<Uint8Array> {
  const { records, ids } = pack.intake;
  if (entry >= pack.receivedCount) return (await readObject(pack.odb, ids.idAt(records.ids[entry] ?? NONE))).bytes;
  const kept = pack.deltas.find(entry);
  if (kept !== undefined) return kept;
  const entryAt = await readEntryAt(pack.spool, records.offsets[entry] ?? 0);
  const { sizeBytes } = entryAt.header;
  if (sizeBytes > pack.limits.maxHeldBytes) throw tooLargeToHold(sizeBytes, pack.limits);
  pack.budget.spend(sizeBytes);
  const content = pack.scratch.delta.take(sizeBytes);
  await inflateEntryAt(pack.spool, entryAt, pack.inflater, content);
  return content;
}

/** Applies a delta. The result is in memory that the next call uses again. */
function applyChecked(pack: PackInProgress, base: Uint8Array, delta: Uint8Array): Uint8Array {
  const { resultBytes } = readDeltaSizes(delta);
  if (resultBytes > pack.limits.maxHeldBytes) throw tooLargeToHold(resultBytes, pack.limits);
  pack.budget.spend(resultBytes);
  const allocate = (sizeBytes: number): Uint8Array => pack.scratch.result.take(sizeBytes);
  return applyDelta(base, delta, { maxBytes: pack.limits.maxHeldBytes, allocate });
}
