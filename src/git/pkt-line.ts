// The pkt-line framing of git's protocol (Documentation/gitprotocol-common.txt, pkt-line.c): four hexadecimal digits of length,
// themselves counted, then the payload. Lengths 0, 1 and 2 are the flush, delimiter and response-end packets.
// Knows nothing of what a payload means.
import { HostingError } from "../errors.ts";

/** One packet. A payload is a view of the received chunk where it can be: valid until the next packet is read. */
export type PktLine =
  | { readonly kind: "data"; readonly payload: Uint8Array }
  | { readonly kind: "flush" }
  | { readonly kind: "delimiter" }
  | { readonly kind: "response-end" };

/** Channels of the side-band: 1 carries data, 2 progress for the user, 3 a fatal error. */
export type SideBandChannel = 1 | 2 | 3;

/** Git's LARGE_PACKET_MAX: the length of the longest packet, header included. */
const MAX_PKT_BYTES = 65520;

/** What fits in one packet beside its header. */
export const MAX_PKT_PAYLOAD_BYTES = MAX_PKT_BYTES - 4;

/** What fits in one side-band-64k packet beside its header and channel. */
export const MAX_SIDE_BAND_BYTES = MAX_PKT_BYTES - 5;

/** The same for a client that asked for plain side-band, whose packets end at 1000 bytes. */
export const MAX_SMALL_SIDE_BAND_BYTES = 1000 - 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const EMPTY = new Uint8Array(0);

export const FLUSH_PKT: Uint8Array = encoder.encode("0000");
export const DELIMITER_PKT: Uint8Array = encoder.encode("0001");
export const RESPONSE_END_PKT: Uint8Array = encoder.encode("0002");

/**
 * Reads packets from a stream, then hands over what follows them.
 * Errors: HostingError "protocol-error" for a malformed length or a stream that ends inside a packet; an error of the stream
 * itself comes through as it is.
 */
export class PktLineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = EMPTY;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next packet, or undefined when the stream ends where a packet could begin. */
  async read(): Promise<PktLine | undefined> {
    const header = await this.#take(4);
    if (header.byteLength === 0) return undefined;
    if (header.byteLength < 4) throw truncated();
    const length = readLength(header);
    if (length === 0) return { kind: "flush" };
    if (length === 1) return { kind: "delimiter" };
    if (length === 2) return { kind: "response-end" };
    const payload = await this.#take(length - 4);
    if (payload.byteLength < length - 4) throw truncated();
    return { kind: "data", payload };
  }

  /** The bytes after the last packet read, as they arrive. Ends the reader's own use: read() must not be called afterwards. */
  rest(): ReadableStream<Uint8Array> {
    const reader = this.#reader;
    let first = this.#chunk;
    this.#chunk = EMPTY;
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (first.byteLength > 0) {
            controller.enqueue(first);
            first = EMPTY;
            return;
          }
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  /** Gives the stream up: its source is told that nobody reads on. */
  async cancel(reason?: unknown): Promise<void> {
    this.#chunk = EMPTY;
    await this.#reader.cancel(reason);
  }

  /** `count` bytes, or fewer where the stream ends. Copies only what lies across chunks. */
  async #take(count: number): Promise<Uint8Array> {
    if (this.#chunk.byteLength === 0 && count > 0) await this.#nextChunk();
    if (this.#chunk.byteLength >= count) return this.#cut(count);
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const part = this.#cut(Math.min(count - filled, this.#chunk.byteLength));
      taken.set(part, filled);
      filled += part.byteLength;
      // oxlint-disable-next-line no-await-in-loop -- chunks come one after the other
      if (filled < count && !(await this.#nextChunk())) break;
    }
    return taken.subarray(0, filled);
  }

  #cut(count: number): Uint8Array {
    const part = this.#chunk.subarray(0, count);
    this.#chunk = this.#chunk.subarray(count);
    return part;
  }

  async #nextChunk(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    this.#chunk = value ?? EMPTY;
    return !done;
  }
}

/** The payload as text, without the newline that may end it. Bytes that are not UTF-8 become U+FFFD. */
export function pktText(payload: Uint8Array): string {
  const end = payload.at(-1) === 0x0a ? payload.byteLength - 1 : payload.byteLength;
  return decoder.decode(payload.subarray(0, end));
}

/** One packet with that payload, at most MAX_PKT_PAYLOAD_BYTES of it. */
export function encodePktLine(payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  if (bytes.byteLength > MAX_PKT_PAYLOAD_BYTES) {
    throw new RangeError(`A payload of ${bytes.byteLength} bytes does not fit in one pkt-line.`);
  }
  const packet = new Uint8Array(bytes.byteLength + 4);
  writeLength(packet);
  packet.set(bytes, 4);
  return packet;
}

/** The bytes as side-band packets of one channel, in order, with at most `maxBytes` of them in each. No bytes: no packets. */
export function encodeSideBand(
  channel: SideBandChannel,
  bytes: Uint8Array,
  maxBytes: number = MAX_SIDE_BAND_BYTES,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; at += maxBytes) {
    const part = bytes.subarray(at, at + maxBytes);
    const packet = new Uint8Array(part.byteLength + 5);
    writeLength(packet);
    packet[4] = channel;
    packet.set(part, 5);
    packets.push(packet);
  }
  return packets;
}

/** Writes the packet's own length, as four lower-case digits, over its first four bytes. */
function writeLength(packet: Uint8Array): void {
  const length = packet.byteLength;
  for (let digit = 0; digit < 4; digit++) {
    const value = (length >> (12 - 4 * digit)) & 15;
    packet[digit] = value < 10 ? 0x30 + value : 0x57 + value;
  }
}

/** Git takes digits of either case (hexval). */
function readLength(header: Uint8Array): number {
  let length = 0;
  for (const byte of header) {
    const value = hexDigit(byte);
    if (value < 0) throw malformed(header);
    length = length * 16 + value;
  }
  if (length === 3 || length > MAX_PKT_BYTES) throw malformed(header);
  return length;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function malformed(header: Uint8Array): HostingError {
  const shown = JSON.stringify(decoder.decode(header));
  return new HostingError(
    "protocol-error",
    `Expected a pkt-line length of four hexadecimal digits up to fff0, but got ${shown}.`,
  );
}

function truncated(): HostingError {
  return new HostingError("protocol-error", "The request ended in the middle of a pkt-line.");
}
