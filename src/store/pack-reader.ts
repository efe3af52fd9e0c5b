// The objects of one stored pack, deltas resolved (packfile.c, unpack_entry). Bases are always in the same pack: thin packs are
// completed when they are stored.
import { HostingError } from "../errors.ts";
import { applyDelta } from "../git/delta.ts";
import { Inflater } from "../git/inflater.ts";
import type { ObjectKind } from "../git/object.ts";
import type { PackIndex } from "../git/pack-index.ts";
import { ContentCache } from "./content-cache.ts";
import { BLOCK_BYTES, type EntryAt, type PackBytes, inflateEntryAt, openPackBytes, readEntryAt } from "./pack-bytes.ts";
import { type PackStore, WHOLE_PACK_BYTES } from "./pack-store.ts";
import type { PackRow } from "./repository-state.ts";

/** The largest object that is read into memory. Larger blobs can only be streamed out of the pack as they are. */
const MAX_READ_BYTES = 32 * 1024 * 1024;
const CACHE_BYTES = 4 * 1024 * 1024;
/** How many R2 reads are under way at once; a Worker has six connections. */
const READS_AT_ONCE = 4;

/** An object that was read. Its bytes belong to the caller. */
export interface StoredObject {
  readonly kind: ObjectKind;
  readonly bytes: Uint8Array;
}

/** Reads objects by their number in the index. */
export class PackReader {
  readonly #index: PackIndex;
  readonly #pack: PackBytes;
  readonly #isReadWhole: boolean;
  readonly #inflater = new Inflater();
  /** What was read, by offset in the pack: the next object may be a delta of it. */
  readonly #contents = new ContentCache(CACHE_BYTES);
  readonly #kinds = new Map<number, ObjectKind>();

  constructor(store: PackStore, row: PackRow, index: PackIndex) {
    this.#index = index;
    this.#pack = openPackBytes(store, row.packId, row.packBytes);
    this.#isReadWhole = row.packBytes <= WHOLE_PACK_BYTES;
  }

  /** One object. Errors: HostingError "object-too-large". */
  async read(n: number): Promise<StoredObject> {
    const deltas: number[] = [];
    let offset = this.#index.offsetAt(n);
    let object = this.#find(offset);
    if (object !== undefined) return { kind: object.kind, bytes: object.bytes.slice() };
    while (object === undefined) {
      const entry = await readEntryAt(this.#pack, offset);
      if (entry.header.kind === "ofs-delta" || entry.header.kind === "ref-delta") {
        deltas.push(offset);
        offset = this.#baseOffset(offset, entry);
        object = this.#find(offset);
      } else {
        object = { kind: entry.header.kind, bytes: await this.#inflate(entry) };
        this.#keep(offset, object);
      }
    }
    return this.#applyAll(deltas, object);
  }

  /** Many objects, one by one in the order of the pack. The same errors. */
  async readMany(
    numbers: readonly number[],
    visit: (n: number, object: StoredObject) => void | Promise<void>,
  ): Promise<void> {
    const inOrder = numbers
      .map((n) => ({ n, offset: this.#index.offsetAt(n) }))
      .toSorted((a, b) => a.offset - b.offset);
    let readUpTo = this.#isReadWhole ? Number.POSITIVE_INFINITY : 0;
    for (const [at, { n, offset }] of inOrder.entries()) {
      if (offset >= readUpTo) readUpTo = await this.#readAhead(inOrder, at);
      await visit(n, await this.read(n));
    }
  }

  /** Applies deltas, given by their offsets and the last one first, to their base. */
  async #applyAll(deltas: number[], base: StoredObject): Promise<StoredObject> {
    let { bytes } = base;
    for (let offset = deltas.pop(); offset !== undefined; offset = deltas.pop()) {
      const delta = await this.#inflate(await readEntryAt(this.#pack, offset));
      bytes = applyDelta(bytes, delta, { maxBytes: MAX_READ_BYTES });
      this.#keep(offset, { kind: base.kind, bytes });
    }
    return { kind: base.kind, bytes };
  }

  #baseOffset(offset: number, { header, baseId }: EntryAt): number {
    if (header.kind === "ofs-delta") return offset - header.distance;
    const n = baseId === undefined ? -1 : this.#index.find(baseId);
    if (n < 0) throw new Error(`The delta at byte ${offset} of a stored pack has its base elsewhere.`);
    return this.#index.offsetAt(n);
  }

  async #inflate(entry: EntryAt): Promise<Uint8Array> {
    const { sizeBytes } = entry.header;
    if (sizeBytes > MAX_READ_BYTES) {
      const limit = `An object of ${sizeBytes} bytes is over the limit of ${MAX_READ_BYTES} bytes`;
      throw new HostingError("object-too-large", `${limit} for what is read into memory.`);
    }
    const content = new Uint8Array(sizeBytes);
    await inflateEntryAt(this.#pack, entry, this.#inflater, content);
    return content;
  }

  /** Bytes that are valid until the next keep. */
  #find(offset: number): StoredObject | undefined {
    const kind = this.#kinds.get(offset);
    const bytes = this.#contents.find(offset);
    return kind && bytes && { kind, bytes };
  }

  /** Large objects belong to the caller alone; the cache would take them over. */
  #keep(offset: number, { kind, bytes }: StoredObject): void {
    if (bytes.byteLength * 4 > CACHE_BYTES) return;
    this.#kinds.set(offset, kind);
    this.#contents.keep(offset, bytes);
  }

  /** Reads the first few blocks in which objects from a position on begin, side by side. Returns where they end. */
  async #readAhead(inOrder: readonly { readonly offset: number }[], from: number): Promise<number> {
    const blocks: number[] = [];
    for (let at = from; at < inOrder.length && blocks.length < READS_AT_ONCE; at++) {
      const block = Math.floor((inOrder[at]?.offset ?? 0) / BLOCK_BYTES);
      if (block !== blocks.at(-1)) blocks.push(block);
    }
    await Promise.all(blocks.map((block) => this.#pack.load(block * BLOCK_BYTES)));
    return ((blocks.at(-1) ?? 0) + 1) * BLOCK_BYTES;
  }
}
