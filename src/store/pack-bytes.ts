// Reading here and there in a pack that lies in R2 or in memory: entry headers and inflated contents. A pack in R2 is read in
// blocks, which stay in the PackCache for whoever comes next; a small one is read whole.
import type { Inflater } from "../git/inflater.ts";
import { type EntryHeader, MAX_ENTRY_HEADER_BYTES, readEntryHeader } from "../git/pack-entry.ts";
import { type PackStore, WHOLE_PACK_BYTES, loadWholePack, packKey, readPackRange } from "./pack-store.ts";

/** One R2 operation reads this much of a large pack. */
export const BLOCK_BYTES = 512 * 1024;

/** The bytes of a pack from some offset on: at least one and as many as are at hand, to be read and not to be kept. */
export interface PackBytes {
  /** Undefined if they have to be waited for, and past the end. */
  peek(offset: number): Uint8Array | undefined;
  /** Empty past the end. */
  load(offset: number): Promise<Uint8Array>;
}

/** What begins at an offset of a pack. `baseId` is the base's id of a REF_DELTA. */
export interface EntryAt {
  readonly header: EntryHeader;
  /** Where the zlib stream begins. */
  readonly contentAt: number;
  readonly baseId: Uint8Array | undefined;
}

/** A pack of R2. */
export function openPackBytes(store: PackStore, packId: string, packBytes: number): PackBytes {
  const key = packKey(store, packId, "pack");
  if (packBytes <= WHOLE_PACK_BYTES) {
    return {
      peek: (offset) => store.cache.find(key)?.subarray(offset),
      load: async (offset) => (await loadWholePack(store, packId)).subarray(offset),
    };
  }
  const blockKey = (number: number): string => `${key}#${number}`;
  return {
    peek(offset) {
      const number = Math.floor(offset / BLOCK_BYTES);
      return store.cache.find(blockKey(number))?.subarray(offset - number * BLOCK_BYTES);
    },
    async load(offset) {
      if (offset >= packBytes) return new Uint8Array(0);
      const number = Math.floor(offset / BLOCK_BYTES);
      const cached = store.cache.find(blockKey(number));
      const block = cached ?? (await readPackRange(store, packId, number * BLOCK_BYTES, BLOCK_BYTES));
      if (!cached) store.cache.keep(blockKey(number), block);
      return block.subarray(offset - number * BLOCK_BYTES);
    },
  };
}

/** The header of the entry that begins at an offset. The pack was checked when it was stored, so that a bad one is our fault. */
export async function readEntryAt(pack: PackBytes, offset: number): Promise<EntryAt> {
  let bytes = pack.peek(offset) ?? (await pack.load(offset));
  if (bytes.byteLength < MAX_ENTRY_HEADER_BYTES) {
    // The header may go on in the next block.
    const next = await pack.load(offset + bytes.byteLength);
    bytes = Buffer.concat([bytes, next.subarray(0, MAX_ENTRY_HEADER_BYTES)]);
  }
  const header = readEntryHeader(bytes, 0);
  if (header === undefined) throw new Error(`No entry of a pack begins at byte ${offset}.`);
  const baseId = header.kind === "ref-delta" ? bytes.slice(header.baseIdAt, header.baseIdAt + 20) : undefined;
  return { header, contentAt: offset + header.end, baseId };
}

/** Inflates the entry into `content`, which is as long as the entry's header says. */
export async function inflateEntryAt(
  pack: PackBytes,
  { contentAt }: EntryAt,
  inflater: Inflater,
  content: Uint8Array,
): Promise<void> {
  let filled = 0;
  let offset = contentAt;
  inflater.reset();
  while (filled < content.byteLength) {
    const bytes = pack.peek(offset) ?? (await pack.load(offset));
    if (bytes.byteLength === 0) throw new Error(`The entry of a pack ends before its ${content.byteLength} bytes.`);
    inflater.step(bytes, content.subarray(filled));
    filled += inflater.madeBytes;
    offset += inflater.usedBytes;
  }
}
