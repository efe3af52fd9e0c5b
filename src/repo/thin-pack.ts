// A thin pack has deltas of objects that it does not hold, because the client knows that they are stored here. It is completed with
// these objects (fix_unresolved_deltas in git's builtin/index-pack.c), so that every stored pack stands by itself.
import { crc32, deflateSync } from "node:zlib";
import { HostingError } from "../errors.ts";
import { type ObjectKind, OBJECT_KIND_NUMBERS } from "../git/object.ts";
import { encodeEntryHeader } from "../git/pack-entry.ts";
import { type ObjectPlace, findObject, readPlace } from "../store/object-database.ts";
import { type ResolvingPack, resolveDeltasOf } from "./delta-resolver.ts";
import { tooLargeToHold } from "./object-intake.ts";
import type { PackSpool } from "./pack-spool.ts";

const TRAILER_BYTES = 20;

/**
 * Appends the stored bases that deltas wait for to `tail`, which takes the place of the trailer, and resolves those deltas.
 * Errors: HostingError "object-missing" for a base that is neither in the pack nor stored.
 */
export async function completeThinPack(pack: ResolvingPack, tail: PackSpool): Promise<void> {
  const { waiting, intake } = pack;
  const entriesEnd = pack.spool.sizeBytes - TRAILER_BYTES;
  for (const id of waiting.awaitedIds) {
    // An object that is awaited may itself be a delta of a stored object, and be there by now.
    const place = waiting.isAwaited(id) ? await findObject(pack.odb, intake.ids.idAt(id)) : undefined;
    if (place === undefined) continue;
    const entry = intake.records.add(entriesEnd + tail.sizeBytes);
    await appendBase(pack, { entry, tail, place });
    waiting.addResolved(entry);
    await resolveDeltasOf(pack, entry);
  }
  await tail.finish();
  const [missing] = waiting.awaitedIds;
  if (missing === undefined) return;
  throw new HostingError(
    "object-missing",
    `The pack has a delta of the object ${intake.ids.idAt(missing)}, which is neither in the pack nor stored here.`,
  );
}

interface Appended {
  readonly entry: number;
  readonly tail: PackSpool;
  readonly place: ObjectPlace;
}

async function appendBase(pack: ResolvingPack, { entry, tail, place }: Appended): Promise<void> {
  const { kind, bytes } = await readPlace(place);
  if (bytes.byteLength > pack.limits.maxHeldBytes) throw tooLargeToHold(bytes.byteLength, pack.limits);
  pack.budget.spend(bytes.byteLength);
  pack.intake.acceptStored(entry, kind, bytes);
  pack.contents.keep(entry, bytes);
  const packed = packWhole(kind, bytes);
  pack.intake.records.crcs[entry] = crc32(packed);
  await tail.append(packed);
}

function packWhole(kind: ObjectKind, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([encodeEntryHeader(OBJECT_KIND_NUMBERS[kind], bytes.byteLength), deflateSync(bytes)]);
}
