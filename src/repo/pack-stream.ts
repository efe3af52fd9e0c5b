// Sends the objects of a plan as one packfile, from the packs as they are stored. Nothing is read before the reader of the stream
// asks for it, but for a few windows ahead, so a slow client costs memory for those and no more.
import { encodePackHeader, withPackChecksum } from "../git/pack-write.ts";
import { SENT } from "../git/rev-list.ts";
import { type PackStore, loadWholePack } from "../store/pack-store.ts";
import type { PackRow } from "../store/repository-state.ts";
import { copyEntries } from "./entry-copy.ts";
import type { PackPlan } from "./fetch-plan.ts";
import { PackOutput } from "./pack-output.ts";
import { cutWindows, readWindows } from "./pack-window.ts";

/** Packs that are loaded at once, if they are small: a few megabytes in all. */
const PACKS_AHEAD = 16;
const SMALL_PACK_BYTES = 256 * 1024;

/** The packfile, in chunks of about a megabyte. A stored pack that is exactly what is asked for goes out as it is. */
export function streamPack(plan: PackPlan): AsyncGenerator<Uint8Array> {
  const whole = plan.allowsOfsDelta ? plan.packs.find((_, pack) => isWhole(plan, pack)) : undefined;
  if (whole !== undefined) return copyPack(plan.store, whole);
  return withPackChecksum(copySelected(plan, new PackOutput(plan.objects.size)));
}

function isWhole(plan: PackPlan, pack: number): boolean {
  return (
    plan.objects.indexAt(pack).count === plan.sentCount && marksOf(plan, pack).every((mark) => (mark & SENT) !== 0)
  );
}

function marksOf({ marks, objects }: PackPlan, pack: number): Uint8Array {
  return marks.subarray(objects.firstOf(pack), objects.firstOf(pack + 1));
}

async function* copyPack(store: PackStore, row: PackRow): AsyncGenerator<Uint8Array> {
  const whole = cutWindows([{ n: 0, offset: 0, end: row.packBytes }]);
  for await (const { bytes } of readWindows({ store, row }, whole)) yield bytes;
}

/** The packfile but for its checksum, written to an output that was not used before. */
export async function* copySelected(plan: PackPlan, output: PackOutput): AsyncGenerator<Uint8Array> {
  output.push(encodePackHeader(plan.sentCount));
  const used = plan.packs
    .map((row, pack) => ({ row, pack }))
    .filter(({ pack }) => marksOf(plan, pack).some((mark) => (mark & SENT) !== 0));
  for (const [at, source] of used.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- packs go out in order
    if (at % PACKS_AHEAD === 0) await loadSmallPacks(plan, used.slice(at, at + PACKS_AHEAD));
    yield* copyEntries(plan, source, output);
  }
  if (output.hasBytes) yield output.take();
}

/** A repository that many small pushes made is read side by side, not one R2 operation after the other. */
async function loadSmallPacks({ store }: PackPlan, sources: readonly { readonly row: PackRow }[]): Promise<void> {
  const small = sources.filter(({ row }) => row.packBytes <= SMALL_PACK_BYTES);
  await Promise.all(small.map(({ row }) => loadWholePack(store, row.packId)));
}
