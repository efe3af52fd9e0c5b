// The first pass over a pushed pack, entry by entry as it arrives. Whole objects are hashed and checked at once, and so is a delta
// whose base is still at hand, which spares reading both again; other deltas are noted for the second pass (delta-resolver.ts).
import { HostingError } from "../errors.ts";
import { type ScannedEntry, type PackScanner } from "../git/pack-scan.ts";
import type { ObjectKind } from "../git/object.ts";
import { type PackInProgress, resolveDelta } from "./delta-resolver.ts";
import { tooLargeToHold } from "./object-intake.ts";
import { describeBytes } from "./ingest-limits.ts";
import { NONE, UNRESOLVED } from "./pack-records.ts";

/** Larger blobs are hashed as they inflate and not held, so that deltas of them wait for the second pass. */
const MAX_SCANNED_BLOB_BYTES = 2 * 1024 * 1024;

/** Reads the pack to its end. Returns its checksum. Errors: HostingError, of what is wrong with it or over a limit. */
export async function scanObjects(pack: PackInProgress, scanner: PackScanner): Promise<Uint8Array> {
  const { maxObjects } = pack.limits;
  const count = await scanner.readHeader();
  if (count > maxObjects) {
    const limit = `The pack has ${count} objects, and the limit is ${maxObjects}`;
    throw new HostingError("push-too-complex", `${limit}. Push fewer commits at a time.`);
  }
  for (let n = 0; n < count; n++) await scanEntry(pack, scanner);
  return scanner.readTrailer();
}

async function scanEntry(pack: PackInProgress, scanner: PackScanner): Promise<void> {
  const { records, ids } = pack.intake;
  const scanned = await scanner.nextEntry();
  const { header, offset } = scanned;
  const entry = records.add(offset);
  switch (header.kind) {
    case "ofs-delta":
      records.bases[entry] = findBaseAt(pack, offset - header.distance, offset);
      await scanDelta(pack, scanner, scanned, entry);
      break;
    case "ref-delta":
      records.baseIds[entry] = ids.add(scanned.baseId);
      records.bases[entry] = pack.intake.entryOf(records.baseIds[entry] ?? NONE);
      await scanDelta(pack, scanner, scanned, entry);
      break;
    case "commit":
    case "tree":
    case "blob":
    case "tag":
      await scanObject(pack, scanner, scanned, { entry, kind: header.kind });
  }
  records.crcs[entry] = scanner.endEntry();
}

async function scanDelta(
  pack: PackInProgress,
  scanner: PackScanner,
  scanned: ScannedEntry,
  entry: number,
): Promise<void> {
  const { sizeBytes } = scanned.header;
  if (sizeBytes > pack.limits.maxHeldBytes) throw tooLargeToHold(sizeBytes, pack.limits);
  pack.budget.spend(sizeBytes);
  const delta = await scanner.readObject(scanned);
  const { records } = pack.intake;
  const baseEntry = records.bases[entry] ?? NONE;
  const isBaseKnown = baseEntry !== NONE && records.kinds[baseEntry] !== UNRESOLVED;
  const base = isBaseKnown ? pack.contents.find(baseEntry) : undefined;
  if (base === undefined) pack.deltas.keep(entry, delta);
  else resolveDelta(pack, entry, base, delta);
}

async function scanObject(
  pack: PackInProgress,
  scanner: PackScanner,
  scanned: ScannedEntry,
  { entry, kind }: { readonly entry: number; readonly kind: ObjectKind },
): Promise<void> {
  const { sizeBytes } = scanned.header;
  checkSize(pack, kind, sizeBytes);
  pack.budget.spend(sizeBytes);
  if (kind === "blob" && sizeBytes > MAX_SCANNED_BLOB_BYTES) {
    const blob = pack.intake.startBlob(entry, sizeBytes);
    await scanner.streamObject(scanned, (piece) => blob.add(piece));
    blob.end();
    // Not before: without the id, nobody could say which file it is.
    checkBlobSize(pack, sizeBytes);
    return;
  }
  const content = await scanner.readObject(scanned);
  pack.intake.accept(entry, kind, content);
  checkBlobSize(pack, sizeBytes);
  pack.contents.keep(entry, content);
}

function checkSize({ limits }: PackInProgress, kind: ObjectKind, sizeBytes: number): void {
  if (kind !== "blob" && sizeBytes > limits.maxHeldBytes) throw tooLargeToHold(sizeBytes, limits);
}

function checkBlobSize({ limits }: PackInProgress, sizeBytes: number): void {
  if (sizeBytes <= limits.maxObjectBytes) return;
  throw new HostingError(
    "object-too-large",
    `An object of ${sizeBytes} bytes is over the limit of ${describeBytes(limits.maxObjectBytes)}.`,
  );
}

function findBaseAt(pack: PackInProgress, baseOffset: number, offset: number): number {
  const base = pack.intake.records.findOffset(baseOffset);
  if (base !== NONE && baseOffset < offset) return base;
  throw new HostingError(
    "pack-invalid",
    `The delta at byte ${offset} of the pack has its base at byte ${baseOffset}, where no object begins.`,
  );
}
