// Copies the entries of one stored pack that are to be sent (git pack-objects, write_reuse_object and write_no_reuse_object).
// They stay compressed. Of a delta only the header changes, and it is kept only where its base was sent before it or where the client
// has it; so no delta can come to depend on itself. Other deltas are sent as whole objects.
import { objectIdToBytes } from "../git/object-id.ts";
import { type ObjectKind, OBJECT_KIND_NUMBERS } from "../git/object.ts";
import { encodeEntryHeader, encodeOfsDeltaHeader, encodeRefDeltaHeader, readEntryHeader } from "../git/pack-entry.ts";
import { PackOrder } from "../git/pack-order.ts";
import { HAD, SENT } from "../git/rev-list.ts";
import { PackReader } from "../store/pack-reader.ts";
import type { PackRow } from "../store/repository-state.ts";
import { deflateChunks } from "./deflate-chunks.ts";
import type { PackPlan } from "./fetch-plan.ts";
import type { PackOutput } from "./pack-output.ts";
import { type PackSpan, cutWindows, readWindows } from "./pack-window.ts";

/** Objects that are inflated are read together up to this sum of sizes. */
const BATCH_BYTES = 4 * 1024 * 1024;
const CHECKSUM_BYTES = 20;
/** Of 2,358 source files, level 4 takes three quarters of the time of zlib's 6 and makes 3 % more: worth it for what is sent once. */
const SENT_LEVEL = 4;
const STORED_LEVEL = 6;
const NO_DISTANCE = 0;

/** One of the plan's packs. */
interface SourcePack {
  readonly pack: number;
  readonly row: PackRow;
}

/** Yields chunks of the pack that is written to `output`; what is left in it at the end goes out with what follows. */
export async function* copyEntries(plan: PackPlan, source: SourcePack, output: PackOutput): AsyncGenerator<Uint8Array> {
  const copier = new EntryCopier(plan, source);
  const objects = new WholeObjects(plan, source);
  const level = plan.depths === undefined ? SENT_LEVEL : STORED_LEVEL;
  let isLastCopied = true;
  for await (const { window, bytes } of readWindows(
    { store: plan.store, row: source.row },
    cutWindows(copier.spans()),
  )) {
    if (window.spans.length === 0 && isLastCopied) output.push(bytes);
    const entries = window.spans.map((span) => copier.read(span, { bytes, offset: window.offset }));
    objects.expect(entries.filter(({ way }) => way.kind === "inflate").map(({ number }) => number));
    for (const entry of entries) {
      output.begin(entry.number);
      isLastCopied = entry.way.kind !== "inflate";
      if (isLastCopied) {
        copier.write(entry, output);
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- entries go out in order
      yield* writeWhole(await objects.take(entry.number), output, level);
    }
    if (output.hasBytes) yield output.take();
  }
}

interface WholeObject {
  readonly kind: ObjectKind;
  readonly bytes: Uint8Array;
}

/** A large object goes out while it is compressed. */
async function* writeWhole(
  { kind, bytes }: WholeObject,
  output: PackOutput,
  level: number,
): AsyncGenerator<Uint8Array> {
  output.push(encodeEntryHeader(OBJECT_KIND_NUMBERS[kind], bytes.byteLength));
  for await (const chunk of deflateChunks(bytes, level)) {
    output.push(chunk);
    if (output.isFull) yield output.take();
  }
}

/** How an entry is sent. */
type Way =
  | { readonly kind: "as-is" }
  | { readonly kind: "delta"; readonly base: number; readonly storedDistance: number } // NO_DISTANCE: its base is named by id
  | { readonly kind: "inflate" };

interface Entry {
  readonly number: number;
  readonly way: Way;
  readonly sizeBytes: number;
  /** From its header to its end, or to the end of the window. */
  readonly bytes: Uint8Array;
  readonly headerBytes: number;
}

class EntryCopier {
  readonly #plan: PackPlan;
  readonly #source: SourcePack;
  readonly #order: PackOrder;

  constructor(plan: PackPlan, source: SourcePack) {
    this.#plan = plan;
    this.#source = source;
    this.#order = new PackOrder(plan.objects.indexAt(source.pack));
  }

  /** Where the entries to send lie, in order. */
  *spans(): Generator<PackSpan> {
    const { objects, marks } = this.#plan;
    const { pack, row } = this.#source;
    const index = objects.indexAt(pack);
    const first = objects.firstOf(pack);
    for (let position = 0; position < index.count; position++) {
      const n = this.#order.objectAt(position);
      if (((marks[first + n] ?? 0) & SENT) === 0) continue;
      const next = this.#order.objectAt(position + 1);
      const end = next < 0 ? row.packBytes - CHECKSUM_BYTES : index.offsetAt(next);
      yield { n, offset: index.offsetAt(n), end };
    }
  }

  /** Reads an entry's header and says how it is to be sent. */
  read(span: PackSpan, window: { readonly bytes: Uint8Array; readonly offset: number }): Entry {
    const start = span.offset - window.offset;
    const header = readEntryHeader(window.bytes, start);
    if (header === undefined) throw new Error(`Pack ${this.#source.row.packId} has no entry at ${span.offset}.`);
    const { objects } = this.#plan;
    const { pack } = this.#source;
    let way: Way = { kind: "as-is" };
    if (header.kind === "ofs-delta") {
      const n = this.#order.findOffset(span.offset - header.distance);
      way = this.#wayOf(span, n < 0 ? -1 : objects.numberOf(pack, n), header.distance);
    } else if (header.kind === "ref-delta") {
      way = this.#wayOf(span, objects.find(window.bytes, header.baseIdAt), NO_DISTANCE);
    }
    const number = objects.firstOf(pack) + span.n;
    return {
      number,
      way: this.#withoutLongChain(number, way),
      sizeBytes: header.sizeBytes,
      bytes: window.bytes.subarray(start, span.end - window.offset),
      headerBytes: header.end - start,
    };
  }

  #wayOf(span: PackSpan, base: number, storedDistance: number): Way {
    const { marks, allowsThinPack } = this.#plan;
    const mark = base < 0 ? 0 : (marks[base] ?? 0);
    const isBaseSent = (mark & SENT) !== 0 && this.#isBefore(base, span);
    const isBaseHad = (mark & (SENT | HAD)) === HAD && allowsThinPack;
    return isBaseSent || isBaseHad ? { kind: "delta", base, storedDistance } : { kind: "inflate" };
  }

  /** Whether the object is written before the entry. */
  #isBefore(number: number, { offset }: PackSpan): boolean {
    const { objects } = this.#plan;
    const pack = objects.packOf(number);
    if (pack !== this.#source.pack) return pack < this.#source.pack;
    return objects.indexAt(pack).offsetAt(number - objects.firstOf(pack)) < offset;
  }

  /** Entries are read in the order in which they are written, so that a base's depth is known. */
  #withoutLongChain(number: number, way: Way): Way {
    const { depths } = this.#plan;
    if (depths === undefined) return way;
    if (way.kind === "delta" && depths.addDelta(number, way.base)) return way;
    depths.addWhole(number);
    return way.kind === "delta" ? { kind: "inflate" } : way;
  }

  /** Writes an entry that is not to be inflated. */
  write({ way, sizeBytes, bytes, headerBytes }: Entry, output: PackOutput): void {
    if (way.kind !== "delta") return output.push(bytes);
    const distance = this.#plan.allowsOfsDelta ? output.distanceTo(way.base) : undefined;
    if ((distance ?? NO_DISTANCE) === way.storedDistance) return output.push(bytes);
    output.push(
      distance === undefined
        ? encodeRefDeltaHeader(sizeBytes, objectIdToBytes(this.#plan.objects.idAt(way.base)))
        : encodeOfsDeltaHeader(sizeBytes, distance),
    );
    output.push(bytes.subarray(headerBytes));
  }
}

/** Objects of the source pack, read in batches, each given out once. */
class WholeObjects {
  readonly #plan: PackPlan;
  readonly #source: SourcePack;
  #expected: number[] = [];
  readonly #ready = new Map<number, WholeObject>();
  #reader: PackReader | undefined;

  constructor(plan: PackPlan, source: SourcePack) {
    this.#plan = plan;
    this.#source = source;
  }

  /** The objects that will be taken next, in this order. */
  expect(numbers: readonly number[]): void {
    for (const number of numbers) this.#expected.push(number);
  }

  async take(number: number): Promise<WholeObject> {
    if (!this.#ready.has(number)) await this.#readBatch();
    const object = this.#ready.get(number);
    this.#ready.delete(number);
    if (object === undefined) throw new Error(`Object ${this.#plan.objects.idAt(number)} was not read.`);
    return object;
  }

  async #readBatch(): Promise<void> {
    const { store, objects, sizes } = this.#plan;
    const { pack, row } = this.#source;
    let count = 0;
    for (let bytes = 0; count < this.#expected.length && (count === 0 || bytes < BATCH_BYTES); count++) {
      bytes += sizes[this.#expected[count] ?? 0] ?? 0;
    }
    const first = objects.firstOf(pack);
    const batch = this.#expected.splice(0, count).map((number) => number - first);
    this.#reader ??= new PackReader(store, row, objects.indexAt(pack));
    await this.#reader.readMany(batch, (n, object) => void this.#ready.set(first + n, object));
  }
}
