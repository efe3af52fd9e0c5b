// The contents of .gitmodules and .gitattributes, which git checks wherever a tree of the pack names them (fsck_finish in fsck.c):
// in the pack, or in the store, where the blob may have had a harmless name so far.
import { HostingError } from "../errors.ts";
import { checkSpecialBlob } from "../git/fsck-blob.ts";
import { type FsckProblem, fsckProblem } from "../git/fsck-problem.ts";
import { OBJECT_KIND_NUMBERS } from "../git/object.ts";
import { findObject, readPlace } from "../store/object-database.ts";
import { type ResolvingPack, readContent } from "./delta-resolver.ts";
import type { SpecialName } from "./object-intake.ts";
import { NONE } from "./pack-records.ts";

/** Errors: HostingError "object-invalid". */
export async function checkSpecialBlobs(pack: ResolvingPack): Promise<void> {
  for (const [id, name] of pack.intake.specialBlobs) {
    const problem = await findProblem(pack, id, name);
    if (problem) {
      throw new HostingError(
        "object-invalid",
        `The blob ${pack.intake.ids.idAt(id)} is refused: ${problem.messageId}: ${problem.text}.`,
      );
    }
  }
}

async function findProblem(pack: ResolvingPack, id: number, name: SpecialName): Promise<FsckProblem | undefined> {
  const entry = pack.intake.entryOf(id);
  if (entry !== NONE) {
    if (pack.intake.records.kinds[entry] !== OBJECT_KIND_NUMBERS.blob) return fsckProblem(`${name}Blob`);
    return checkSpecialBlob(name, await readContent(pack, entry));
  }
  const place = await findObject(pack.odb, pack.intake.ids.idAt(id));
  if (place === undefined) return fsckProblem(`${name}Missing`);
  const { kind, bytes } = await readPlace(place);
  return kind === "blob" ? checkSpecialBlob(name, bytes) : fsckProblem(`${name}Blob`);
}
