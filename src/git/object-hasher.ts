// The ids of many objects, one after the other. A small object is hashed here (SHA-1, FIPS 180-4): node:crypto makes an engine and
// four buffers for each, which for the 250,000 small files of a large push is a second of work and 60 MB for the garbage collector.
// Larger ones go to node:crypto, which is faster a byte.
import { type ObjectKind, startObjectHash } from "./object.ts";

/** Up to here the hash below is the faster one. */
const MAX_SMALL_BYTES = 1024;
const BLOCK_BYTES = 64;
/** "commit 1024" and a NUL. */
const MAX_HEADER_BYTES = 12;

/** Hashes objects into memory of its own. */
export class ObjectHasher {
  /** Header, content and padding of a small object. */
  readonly #message = new DataView(new ArrayBuffer(MAX_HEADER_BYTES + MAX_SMALL_BYTES + 2 * BLOCK_BYTES));
  readonly #bytes = new Uint8Array(this.#message.buffer);
  readonly #schedule = new Int32Array(80);
  readonly #state = new Int32Array(5);
  readonly #digest = new DataView(new ArrayBuffer(20));
  readonly #idBytes = new Uint8Array(this.#digest.buffer);

  /** The object's id as 20 bytes, valid until the next call. */
  hash(kind: ObjectKind, content: Uint8Array): Uint8Array {
    if (content.byteLength > MAX_SMALL_BYTES) return startObjectHash(kind, content.byteLength).update(content).digest();
    const header = `${kind} ${content.byteLength}\0`;
    for (let at = 0; at < header.length; at++) this.#bytes[at] = header.charCodeAt(at);
    this.#bytes.set(content, header.length);
    this.#hashMessage(header.length + content.byteLength);
    for (let i = 0; i < 5; i++) this.#digest.setInt32(i * 4, this.#state[i] ?? 0);
    return this.#idBytes;
  }

  #hashMessage(length: number): void {
    // Padding: a one bit, zeros, and the length in bits at the end of a block.
    const end = Math.ceil((length + 9) / BLOCK_BYTES) * BLOCK_BYTES;
    this.#bytes[length] = 0x80;
    this.#bytes.fill(0, length + 1, end);
    this.#message.setUint32(end - 4, length * 8);
    const state = this.#state;
    state[0] = 0x67452301;
    state[1] = 0xefcdab89;
    state[2] = 0x98badcfe;
    state[3] = 0x10325476;
    state[4] = 0xc3d2e1f0;
    for (let at = 0; at < end; at += BLOCK_BYTES) {
      schedule(this.#schedule, this.#message, at);
      compress(state, this.#schedule);
    }
  }
}

/** The 80 words of a block. */
function schedule(w: Int32Array, message: DataView, start: number): void {
  for (let t = 0; t < 16; t++) w[t] = message.getInt32(start + t * 4);
  for (let t = 16; t < 80; t++) {
    const word = (w[t - 3] ?? 0) ^ (w[t - 8] ?? 0) ^ (w[t - 14] ?? 0) ^ (w[t - 16] ?? 0);
    w[t] = (word << 1) | (word >>> 31);
  }
}

/** The 80 rounds. Four loops that differ in one expression, because a call or a test in each round takes half as long again. */
function compress(state: Int32Array, w: Int32Array): void {
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  for (let t = 0; t < 20; t++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + 0x5a827999 + (w[t] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + (w[t] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + e + 0x8f1bbcdc + (w[t] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0xca62c1d6 + (w[t] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
  state[4] = (state[4] ?? 0) + e;
}
