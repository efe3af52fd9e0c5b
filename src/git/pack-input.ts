// The bytes of a pack as they arrive: a window of fixed size over a stream, with the SHA-1 of what was consumed and the CRC-32
// of the entry under way. Knows nothing of what the bytes mean.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

const WINDOW_BYTES = 256 * 1024;

/** Called with every piece that arrives, before it is looked at; its promise holds the stream back. */
export type PieceListener = (piece: Uint8Array) => Promise<void> | undefined;

/** A stream of bytes, consumed front to back. The stream's owner keeps it: `release` gives it back unlocked. */
export class PackInput {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #onPiece: PieceListener;
  readonly #window = new Uint8Array(WINDOW_BYTES);
  /** Unconsumed bytes are those of the window from #start to #end. */
  #start = 0;
  #end = 0;
  /** The position in the stream of the window's first byte. */
  #windowOffset = 0;
  /** What arrived and did not fit in the window yet. */
  #waiting: Uint8Array = new Uint8Array(0);
  /** Undefined once it was asked for. */
  #hash: ReturnType<typeof createHash> | undefined = createHash("sha1");
  /** Positions in the window up to which the hash and the CRC have gone; never beyond #start. */
  #hashedTo = 0;
  #crcTo = 0;
  #crc = 0;

  constructor(stream: ReadableStream<Uint8Array>, onPiece: PieceListener) {
    this.#reader = stream.getReader();
    this.#onPiece = onPiece;
  }

  /** The position in the stream of the next unconsumed byte. */
  get offset(): number {
    return this.#windowOffset + this.#start;
  }

  /** The unconsumed bytes at hand: a view, valid until the next fill. */
  get bytes(): Uint8Array {
    return this.#window.subarray(this.#start, this.#end);
  }

  /** How many unconsumed bytes are at hand. */
  get availableBytes(): number {
    return this.#end - this.#start;
  }

  /** Takes bytes at hand off the front. */
  consume(count: number): void {
    this.#start += count;
  }

  /** Begins the CRC-32 of an entry at the next byte. */
  startCrc(): void {
    this.#crcTo = this.#start;
    this.#crc = 0;
  }

  /** The CRC-32 of what was consumed since startCrc. */
  endCrc(): number {
    this.#crc = crc32(this.#window.subarray(this.#crcTo, this.#start), this.#crc);
    this.#crcTo = this.#start;
    return this.#crc;
  }

  /** The SHA-1 of everything consumed so far. What is consumed afterwards is not hashed, and to ask again is an error. */
  endHash(): Uint8Array {
    if (this.#hash === undefined) throw new Error("The hash of the pack was asked for twice.");
    const digest = this.#hash.update(this.#window.subarray(this.#hashedTo, this.#start)).digest();
    this.#hash = undefined;
    return digest;
  }

  /** Waits until more bytes are at hand; false at the end of the stream. At least half of the window must be consumed. */
  async fill(): Promise<boolean> {
    while (this.#waiting.byteLength === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      await this.#onPiece(value);
      this.#waiting = value;
    }
    this.#makeRoom();
    const piece = this.#waiting.subarray(0, WINDOW_BYTES - this.#end);
    this.#window.set(piece, this.#end);
    this.#end += piece.byteLength;
    this.#waiting = this.#waiting.subarray(piece.byteLength);
    return true;
  }

  /** Gives the stream back unlocked, wherever it is. */
  release(): void {
    this.#reader.releaseLock();
  }

  #makeRoom(): void {
    if (this.#start === 0) return;
    this.endCrc();
    this.#hash?.update(this.#window.subarray(this.#hashedTo, this.#start));
    this.#window.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#windowOffset += this.#start;
    this.#start = 0;
    this.#hashedTo = 0;
    this.#crcTo = 0;
  }
}
