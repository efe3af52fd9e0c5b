// What happens to each object of a pushed pack once its content is known: its id, git's checks, what it names, its place in the
// columns. Whether what it names exists is for connectivity.ts.
import { HostingError } from "../errors.ts";
import { EdgeCollector } from "../git/edge-collector.ts";
import { checkObject } from "../git/fsck.ts";
import { type SpecialEntryVisitor } from "../git/fsck-tree.ts";
import { COLLISION_PREFIX_BYTES, isKnownCollision } from "../git/known-collision.ts";
import { ObjectHasher } from "../git/object-hasher.ts";
import { ObjectIdTable } from "../git/object-id-table.ts";
import { objectIdFromBytes } from "../git/object-id.ts";
import { type ObjectKind, OBJECT_KIND_NUMBERS, startObjectHash } from "../git/object.ts";
import { describeBytes, type IngestLimits } from "./ingest-limits.ts";
import { NONE, PackRecords, grown } from "./pack-records.ts";

/** A blob that a tree names .gitmodules or .gitattributes, so that its content is checked too. */
export type SpecialName = Parameters<SpecialEntryVisitor>[0];

/** More names of files that git reads by itself than any repository has; each is kept in memory until the end. */
const MAX_SPECIAL_BLOBS = 50_000;

const EMPTY = new Uint8Array(0);

/** The objects of one pack as they become known. Ids are numbered by `ids`, entries by `records`. */
export class ObjectIntake {
  readonly records = new PackRecords();
  /** The ids of the pack's objects and of all that they name. */
  readonly ids = new ObjectIdTable();
  readonly edges: EdgeCollector;
  /** By id number. */
  readonly specialBlobs = new Map<number, SpecialName>();
  /** Numbers of ids that more than one entry has. */
  readonly duplicateIds = new Set<number>();
  readonly #limits: IngestLimits;
  readonly #hasher = new ObjectHasher();
  /** By id number: the first entry that has this id, plus 1; 0 for an id that is only named. */
  #entries = new Int32Array(64);

  constructor(limits: IngestLimits) {
    this.#limits = limits;
    this.edges = new EdgeCollector(this.ids);
  }

  /** The entry whose object has the id of this number, or NONE. */
  entryOf(id: number): number {
    return (this.#entries[id] ?? 0) - 1;
  }

  /** Takes in an object that is in memory. Errors: HostingError "object-invalid" or "push-too-complex". */
  accept(entry: number, kind: ObjectKind, content: Uint8Array): void {
    if (kind === "blob" && isKnownCollision(content)) throw collision();
    const idBytes = this.#hasher.hash(kind, content);
    const problem = checkObject(kind, content, this.#visitSpecial);
    if (problem) {
      const id = objectIdFromBytes(idBytes);
      throw new HostingError("object-invalid", `The ${kind} ${id} is refused: ${problem.messageId}: ${problem.text}.`);
    }
    this.#place(entry, kind, idBytes);
    this.edges.add({ number: this.records.ids[entry] ?? NONE, kind, sizeBytes: content.byteLength }, content);
    if (this.ids.size > this.#limits.maxKnownIds) throw tooManyIds(this.#limits);
  }

  /** Takes in an object of the store that completes a thin pack: it was checked when it was stored. */
  acceptStored(entry: number, kind: ObjectKind, content: Uint8Array): void {
    this.#place(entry, kind, this.#hasher.hash(kind, content));
    this.edges.add({ number: this.records.ids[entry] ?? NONE, kind, sizeBytes: content.byteLength }, content);
  }

  /** Begins to take in a blob that comes in pieces. */
  startBlob(entry: number, sizeBytes: number): BlobIntake {
    return new BlobIntake(sizeBytes, (idBytes) => {
      this.#place(entry, "blob", idBytes);
      this.edges.add({ number: this.records.ids[entry] ?? NONE, kind: "blob", sizeBytes }, EMPTY);
    });
  }

  #place(entry: number, kind: ObjectKind, idBytes: Uint8Array): void {
    const id = this.ids.add(idBytes);
    if (id >= this.#entries.length)
      this.#entries = grown(Int32Array, this.#entries, Math.max(id + 1, this.#entries.length * 2));
    if (this.#entries[id] === 0) this.#entries[id] = entry + 1;
    else this.duplicateIds.add(id);
    this.records.kinds[entry] = OBJECT_KIND_NUMBERS[kind];
    this.records.ids[entry] = id;
  }

  readonly #visitSpecial: SpecialEntryVisitor = (name, idBytes, offset) => {
    const id = this.ids.add(idBytes, offset);
    // A blob of both names is checked as .gitmodules, which is the stricter.
    if (name === "gitmodules" || !this.specialBlobs.has(id)) this.specialBlobs.set(id, name);
    if (this.specialBlobs.size > MAX_SPECIAL_BLOBS) {
      throw new HostingError(
        "push-too-complex",
        `The pack has more than ${MAX_SPECIAL_BLOBS} versions of .gitmodules and .gitattributes.`,
      );
    }
  };
}

/** A blob that is hashed as it inflates, never held. */
export class BlobIntake {
  readonly #hash: ReturnType<typeof startObjectHash>;
  readonly #onEnd: (idBytes: Uint8Array) => void;
  readonly #prefix = new Uint8Array(COLLISION_PREFIX_BYTES);
  #prefixBytes = 0;

  constructor(sizeBytes: number, onEnd: (idBytes: Uint8Array) => void) {
    this.#hash = startObjectHash("blob", sizeBytes);
    this.#onEnd = onEnd;
  }

  add(piece: Uint8Array): void {
    if (this.#prefixBytes < COLLISION_PREFIX_BYTES) {
      const part = piece.subarray(0, COLLISION_PREFIX_BYTES - this.#prefixBytes);
      this.#prefix.set(part, this.#prefixBytes);
      this.#prefixBytes += part.byteLength;
    }
    this.#hash.update(piece);
  }

  /** Errors: HostingError "object-invalid". */
  end(): void {
    if (isKnownCollision(this.#prefix.subarray(0, this.#prefixBytes))) throw collision();
    this.#onEnd(this.#hash.digest());
  }
}

function collision(): HostingError {
  return new HostingError(
    "object-invalid",
    "A blob is of the published SHA-1 collision (SHAttered), so that its id is not its own.",
  );
}

function tooManyIds({ maxKnownIds }: IngestLimits): HostingError {
  const limit = `The objects of the pack name more than ${maxKnownIds} objects, which is the limit`;
  return new HostingError("push-too-complex", `${limit}. Push fewer commits at a time.`);
}

/** An object that has to be in memory as a whole and is too large for that. */
export function tooLargeToHold(sizeBytes: number, { maxHeldBytes }: IngestLimits): HostingError {
  const limit = `An object of ${sizeBytes} bytes is over the limit of ${describeBytes(maxHeldBytes)}`;
  return new HostingError(
    "object-too-large",
    `${limit} for all but blobs sent whole. "git -c core.bigFileThreshold=${maxHeldBytes} push" sends large files whole.`,
  );
}
