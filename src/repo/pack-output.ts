// The packfile that is being written: the bytes that go out next, and where each object begins.

/** How much is collected before it should go out. */
const FULL_BYTES = 1024 * 1024;

export class PackOutput {
  /** How many bytes there are so far. */
  #bytes = 0;
  #takenBytes = 0;
  #parts: Uint8Array[] = [];
  /** Where each object begins, by its number; 0 is not written yet. */
  readonly #offsets: Float64Array;
  readonly #onBegin: ((number: number, offset: number) => void) | undefined;

  /** For objects with numbers below `size`. `onBegin` is called for each object before any of its bytes is added. */
  constructor(size: number, onBegin?: (number: number, offset: number) => void) {
    this.#offsets = new Float64Array(size);
    this.#onBegin = onBegin;
  }

  get hasBytes(): boolean {
    return this.#parts.length > 0;
  }

  get isFull(): boolean {
    return this.#bytes - this.#takenBytes >= FULL_BYTES;
  }

  /** Notes that the object begins here. */
  begin(number: number): void {
    this.#offsets[number] = this.#bytes;
    this.#onBegin?.(number, this.#bytes);
  }

  /** How far back the object begins, or undefined if it was not written yet. */
  distanceTo(number: number): number | undefined {
    const offset = this.#offsets[number] ?? 0;
    return offset === 0 ? undefined : this.#bytes - offset;
  }

  /** Adds bytes, which must not be changed afterwards. What follows on the last part in memory becomes one part with it. */
  push(part: Uint8Array): void {
    this.#bytes += part.byteLength;
    const last = this.#parts.at(-1);
    if (last !== undefined && last.buffer === part.buffer && last.byteOffset + last.byteLength === part.byteOffset) {
      const joined = new Uint8Array(last.buffer, last.byteOffset, last.byteLength + part.byteLength);
      this.#parts[this.#parts.length - 1] = joined;
    } else {
      this.#parts.push(part);
    }
  }

  /** What was added since the last time, as one chunk. */
  take(): Uint8Array {
    const [first] = this.#parts;
    const taken = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#takenBytes = this.#bytes;
    return taken;
  }
}
