// Where the bytes of a pushed pack go while they arrive. A small pack stays in memory and is written to R2 with one put. A larger one
// goes to R2 in parts, with at most two parts in memory. Until the supervisor's catalogue names it, nobody sees either; what a dead
// isolate leaves behind is swept.
import { type PackBytes, openPackBytes } from "../store/pack-bytes.ts";
import { retry, retryAnswered } from "../store/object-retry.ts";
import { type PackStore, deletePacks, packKey } from "../store/pack-store.ts";

/** R2 wants parts of 5 MiB or more, all of the same size but the last. Up to this size a pack stays in memory. */
const PART_BYTES = 5 * 1024 * 1024;
const FIRST_BUFFER_BYTES = 64 * 1024;

interface Upload {
  readonly packId: string;
  readonly parts: R2UploadedPart[];
  readonly multipart: R2MultipartUpload;
  /** There may be an object in R2. */
  isCompleting: boolean;
  /** The part that is on its way, if there is one. */
  sending: Promise<R2UploadedPart> | undefined;
  /** The other one of the two buffers that take turns: the one that is on its way. */
  spare: Uint8Array<ArrayBuffer> | undefined;
}

/** Bytes that are appended and then, once finish was called, read again, here and there. */
export class PackSpool implements PackBytes {
  readonly #store: PackStore;
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  /** How much of the buffer is filled: all bytes so far, or once there is an upload, those of the part under way. */
  #filled = 0;
  #upload: Upload | undefined;
  /** The pack in R2, once its upload is complete. */
  #uploaded: PackBytes | undefined;
  sizeBytes = 0;

  constructor(store: PackStore) {
    this.#store = store;
  }

  /** The random id under which the pack is in R2, or undefined for one that is in memory. */
  get uploadedId(): string | undefined {
    return this.#upload?.packId;
  }

  /** All bytes of a pack that is in memory: a view. */
  get bytes(): Uint8Array {
    if (this.#upload) throw new Error("The pack is in R2, not in memory.");
    return this.#buffer.subarray(0, this.#filled);
  }

  /** Takes the bytes over, copied. The promise holds the sender back while a part is on its way. */
  append(bytes: Uint8Array): Promise<void> | undefined {
    this.sizeBytes += bytes.byteLength;
    if (this.#filled + bytes.byteLength > PART_BYTES) return this.#appendOver(bytes);
    this.#copyIn(bytes);
    return undefined;
  }

  /** To be called after the last append and before the first read. */
  async finish(): Promise<void> {
    if (!this.#upload) return;
    if (this.#filled > 0) await this.#sendPart(this.#upload);
    await this.#settle(this.#upload);
    this.#upload.isCompleting = true;
    await this.#complete(this.#upload);
    // Both buffers are freed at once; the garbage collector would take its time.
    this.#upload.spare?.buffer.transfer(0);
    this.#upload.spare = undefined;
    this.#buffer.buffer.transfer(0);
    this.#buffer = new Uint8Array(0);
    this.#uploaded = openPackBytes(this.#store, this.#upload.packId, this.sizeBytes);
  }

  peek(offset: number): Uint8Array | undefined {
    return this.#upload ? this.#uploaded?.peek(offset) : this.#buffer.subarray(offset, this.#filled);
  }

  async load(offset: number): Promise<Uint8Array> {
    if (!this.#upload) return this.#buffer.subarray(offset, this.#filled);
    if (!this.#uploaded) throw new Error("The pack is read before it was finished.");
    return this.#uploaded.load(offset);
  }

  /** Leaves nothing in R2, whatever state the spool is in. */
  async discard(): Promise<void> {
    const upload = this.#upload;
    if (!upload) return;
    // What fails here has nobody to report to: a part that was on its way, or an upload that R2 forgets by itself in a week.
    await Promise.allSettled([upload.sending]);
    await Promise.allSettled([retry(() => upload.multipart.abort())]);
    // To abort an upload that was completed, or half so, does nothing.
    if (upload.isCompleting) await deletePacks(this.#store, [upload.packId]);
  }

  #copyIn(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.byteLength;
    if (needed > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.min(Math.max(this.#buffer.byteLength * 2, needed), PART_BYTES));
      grown.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#filled);
    this.#filled = needed;
  }

  async #appendOver(bytes: Uint8Array): Promise<void> {
    this.#upload ??= await this.#startUpload();
    let rest = bytes;
    while (this.#filled + rest.byteLength > PART_BYTES) {
      const fits = rest.subarray(0, PART_BYTES - this.#filled);
      this.#copyIn(fits);
      rest = rest.subarray(fits.byteLength);
      await this.#sendPart(this.#upload);
    }
    this.#copyIn(rest);
  }

  async #startUpload(): Promise<Upload> {
    // A pack of this size may have objects and edges enough to fill the isolate.
    this.#store.cache.dropLarge();
    const packId = randomPackId();
    const multipart = await retry(() => this.#store.bucket.createMultipartUpload(packKey(this.#store, packId, "pack")));
    return { packId, parts: [], multipart, isCompleting: false, sending: undefined, spare: undefined };
  }

  /** Sends the buffer off, once the part before it has arrived. */
  async #sendPart(upload: Upload): Promise<void> {
    await this.#settle(upload);
    const part = this.#buffer;
    const [number, bytes] = [upload.parts.length + 1, part.subarray(0, this.#filled)];
    // The buffer is filled anew afterwards: a try that was only given up could send what comes next.
    upload.sending = retryAnswered(() => upload.multipart.uploadPart(number, bytes));
    // Whoever settles sees the failure. Until then it must not count as one that nobody handles.
    void Promise.allSettled([upload.sending]);
    this.#buffer = upload.spare ?? new Uint8Array(PART_BYTES);
    upload.spare = part;
    this.#filled = 0;
  }

  /** An upload is completed once: of one whose answer was lost the object says that it was. */
  async #complete({ multipart, packId, parts }: Upload): Promise<void> {
    const key = packKey(this.#store, packId, "pack");
    let isAgain = false;
    await retry(async () => {
      const found = isAgain ? await this.#store.bucket.head(key) : null;
      isAgain = true;
      if (found?.size !== this.sizeBytes) await multipart.complete(parts);
    });
  }

  async #settle(upload: Upload): Promise<void> {
    if (upload.sending) upload.parts.push(await upload.sending);
    upload.sending = undefined;
  }
}

/** The name of a pack: of no other pack, whatever its content, and known before its checksum is. */
export function randomPackId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString("hex");
}
