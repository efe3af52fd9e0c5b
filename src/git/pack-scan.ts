// Reads a packfile once, front to back, as it arrives (Documentation/gitformat-pack.txt; git's index-pack does the same): header,
// entries, trailer. Deltas are inflated and not resolved. What the pack claims of itself is checked, never trusted: no buffer is
// sized by it, and an entry stops inflating at the size that it stated.
import { HostingError } from "../errors.ts";
import { Inflater } from "./inflater.ts";
import { type EntryHeader, MAX_ENTRY_HEADER_BYTES, readEntryHeader } from "./pack-entry.ts";
import { PackInput, type PieceListener } from "./pack-input.ts";

const SIGNATURE = 0x5041434b;
const PACK_HEADER_BYTES = 12;
const CHECKSUM_BYTES = 20;
const FIRST_BUFFER_BYTES = 64 * 1024;
/** A buffer that grew past this for one object is let go after it. */
const MAX_IDLE_BUFFER_BYTES = 4 * 1024 * 1024;

/** One entry, as its header states it, and where it begins in the pack. */
export interface ScannedEntry {
  readonly header: EntryHeader;
  readonly offset: number;
  /** The 20 bytes of the base's id, valid until the next entry; of other kinds, bytes without a meaning. */
  readonly baseId: Uint8Array;
}

/**
 * The order of calls: readHeader; for each object nextEntry, then readObject or streamObject, then endEntry; then readTrailer.
 * Every method throws HostingError "pack-invalid" for bytes that are not what they should be.
 */
export class PackScanner {
  readonly #input: PackInput;
  readonly #inflater = new Inflater();
  readonly #baseId = new Uint8Array(20);
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);

  /** `onPiece` is given all bytes of the stream as they arrive, to be kept. */
  constructor(stream: ReadableStream<Uint8Array>, onPiece: PieceListener) {
    this.#input = new PackInput(stream, onPiece);
  }

  /** How many objects the pack claims to hold. */
  async readHeader(): Promise<number> {
    await this.#need(PACK_HEADER_BYTES);
    const { buffer, byteOffset } = this.#input.bytes;
    const view = new DataView(buffer, byteOffset, PACK_HEADER_BYTES);
    if (view.getUint32(0) !== SIGNATURE) throw invalid("does not begin with PACK");
    const version = view.getUint32(4);
    // Git reads 2 and 3, which are the same on the wire, and writes 2.
    if (version !== 2 && version !== 3) throw invalid(`is of version ${version}, and only version 2 is known`);
    this.#input.consume(PACK_HEADER_BYTES);
    return view.getUint32(8);
  }

  /** Reads the header of the next entry. */
  async nextEntry(): Promise<ScannedEntry> {
    const input = this.#input;
    while (input.availableBytes < MAX_ENTRY_HEADER_BYTES && (await input.fill()));
    const header = readEntryHeader(input.bytes, 0);
    const offset = input.offset;
    if (header === undefined)
      throw input.availableBytes < MAX_ENTRY_HEADER_BYTES ? truncated(offset) : badHeader(offset);
    if (header.kind === "ref-delta") this.#baseId.set(input.bytes.subarray(header.end - 20, header.end));
    input.startCrc();
    input.consume(header.end);
    this.#inflater.reset();
    return { header, offset, baseId: this.#baseId };
  }

  /** The entry's content, inflated to memory: a view, valid until the next entry. */
  async readObject({ header: { sizeBytes } }: ScannedEntry): Promise<Uint8Array> {
    if (this.#buffer.byteLength > MAX_IDLE_BUFFER_BYTES) this.#buffer = new Uint8Array(FIRST_BUFFER_BYTES);
    let filled = 0;
    do {
      if (filled === this.#buffer.byteLength) this.#growBuffer(sizeBytes);
      // One byte more than stated, so that the end of the stream can be told from a full buffer, and too much from enough.
      filled += await this.#step(this.#buffer.subarray(filled, sizeBytes + 1));
      if (filled > sizeBytes) throw overfull(sizeBytes);
    } while (!this.#inflater.isEnded);
    if (filled < sizeBytes) throw underfull(sizeBytes, filled);
    return this.#buffer.subarray(0, filled);
  }

  /** Hands out the entry's content piece by piece, for an object that is too large to be held. A piece is valid during the call. */
  async streamObject({ header: { sizeBytes } }: ScannedEntry, onPiece: (piece: Uint8Array) => void): Promise<void> {
    let made = 0;
    do {
      const count = await this.#step(this.#buffer);
      made += count;
      if (made > sizeBytes) throw overfull(sizeBytes);
      onPiece(this.#buffer.subarray(0, count));
    } while (!this.#inflater.isEnded);
    if (made < sizeBytes) throw underfull(sizeBytes, made);
  }

  /** The CRC-32 of the entry's bytes, for the index. */
  endEntry(): number {
    return this.#input.endCrc();
  }

  /** Verifies the trailer, and that nothing follows it. Returns the pack's checksum. */
  async readTrailer(): Promise<Uint8Array> {
    const expected = this.#input.endHash();
    await this.#need(CHECKSUM_BYTES);
    const trailer = this.#input.bytes.subarray(0, CHECKSUM_BYTES);
    if (!expected.every((byte, i) => byte === trailer[i])) {
      throw invalid("does not match the checksum at its end, or does not hold as many objects as it states");
    }
    this.#input.consume(CHECKSUM_BYTES);
    if (this.#input.availableBytes > 0 || (await this.#input.fill())) throw invalid("is followed by other bytes");
    return expected;
  }

  /** Frees what the scan holds and gives the stream back unlocked, wherever it is. */
  close(): void {
    this.#inflater.close();
    this.#input.release();
  }

  /** One step of inflating into `output`; how many bytes it made. */
  async #step(output: Uint8Array): Promise<number> {
    const input = this.#input;
    if (input.availableBytes === 0 && !(await input.fill())) throw truncated(input.offset);
    this.#inflater.step(input.bytes, output);
    input.consume(this.#inflater.usedBytes);
    return this.#inflater.madeBytes;
  }

  #growBuffer(sizeBytes: number): void {
    const grown = new Uint8Array(Math.min(this.#buffer.byteLength * 2, sizeBytes + 1));
    grown.set(this.#buffer);
    this.#buffer = grown;
  }

  async #need(count: number): Promise<void> {
    while (this.#input.availableBytes < count) {
      if (!(await this.#input.fill())) throw truncated(this.#input.offset);
    }
  }
}

function invalid(what: string): HostingError {
  return new HostingError("pack-invalid", `The pack ${what}.`);
}

function truncated(offset: number): HostingError {
  return invalid(`ends too early: something more was expected after byte ${offset}`);
}

function badHeader(offset: number): HostingError {
  return invalid(`has an entry at byte ${offset} whose header is malformed`);
}

function overfull(sizeBytes: number): HostingError {
  return invalid(`has an object that inflates past the ${sizeBytes} bytes that it states`);
}

function underfull(sizeBytes: number, madeBytes: number): HostingError {
  return invalid(`has an object that inflates to ${madeBytes} bytes, not to the ${sizeBytes} that it states`);
}
