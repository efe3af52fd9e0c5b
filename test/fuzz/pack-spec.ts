// Packs field by field, so that every field can be made wrong: what an entry says of itself, what is deflated in it, the deflated
// bytes, and the pack's own header and trailer.
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { objectIdToBytes } from "../../src/git/object-id.ts";
import { OBJECT_KIND_NUMBERS } from "../../src/git/object.ts";
import { encodeEntryHeader, encodeOfsDeltaHeader } from "../../src/git/pack-entry.ts";
import type { TinyObject } from "../git/tiny-repository.ts";
import { deltaBetween } from "./deltas.ts";
import { applyEdits, edits } from "./mutation.ts";

const OFS_DELTA = 6;
const REF_DELTA = 7;

/** One entry. What is undefined follows from the rest. */
export interface EntrySpec {
  readonly type: number;
  readonly sizeBytes?: number;
  /** Of an OFS_DELTA: how many entries before this one its base is; or the distance as such. */
  readonly baseBack?: number;
  readonly distance?: number;
  /** Of a REF_DELTA. */
  readonly baseId?: Uint8Array;
  readonly body: Uint8Array;
  readonly deflated?: Uint8Array;
}

export interface PackSpec {
  readonly entries: readonly EntrySpec[];
  readonly signature?: Uint8Array;
  readonly version?: number;
  readonly count?: number;
  readonly trailer?: Uint8Array;
  readonly after?: Uint8Array;
}

/** How an object is put into a pack; `near` chooses its base. */
export interface Storing {
  readonly way: "whole" | "offset" | "id" | "thin";
  readonly near: number;
}

export const storings: fc.Arbitrary<readonly Storing[]> = fc.array(
  fc.record({
    way: fc.constantFrom("whole" as const, "offset" as const, "id" as const, "thin" as const),
    near: fc.nat(50),
  }),
  { minLength: 40, maxLength: 40 },
);

export function wholeEntry({ kind, bytes }: TinyObject): EntrySpec {
  return { type: OBJECT_KIND_NUMBERS[kind], body: bytes };
}

/**
 * A sound pack of the objects in their order. Deltas have bases of their kind: by offset an earlier object, by id any earlier one,
 * thin one of `stored`.
 */
export function packOf(
  objects: readonly TinyObject[],
  ways: readonly Storing[],
  stored: readonly TinyObject[],
): PackSpec {
  const entries = objects.map((object, n): EntrySpec => {
    const { way, near } = ways[n % ways.length] ?? { way: "whole", near: 0 };
    const others = way === "thin" ? stored : objects.slice(0, n);
    const bases = others.filter((other) => other.kind === object.kind && other.id !== object.id);
    const base = way === "whole" ? undefined : bases[near % bases.length];
    if (base === undefined) return wholeEntry(object);
    const body = deltaBetween(base.bytes, object.bytes);
    if (way === "offset") return { type: OFS_DELTA, baseBack: n - objects.indexOf(base), body };
    return { type: REF_DELTA, baseId: objectIdToBytes(base.id), body };
  });
  return { entries };
}

/** One field made wrong. `at` chooses the entry. */
export type Change = (spec: PackSpec) => PackSpec;

const number = fc.oneof(
  fc.constantFrom(0, 1, 2, 15, 16, 127, 128, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, Number.MAX_SAFE_INTEGER),
  fc.nat(300),
);

function ofEntry(made: fc.Arbitrary<(entry: EntrySpec, spec: PackSpec) => Partial<EntrySpec>>): fc.Arbitrary<Change> {
  return fc.tuple(fc.nat(100), made).map(([at, change]): Change => (spec) => ({
    ...spec,
    entries: spec.entries.map((entry, n) =>
      n === at % spec.entries.length ? { ...entry, ...change(entry, spec) } : entry,
    ),
  }));
}

const idBytes = fc.uint8Array({ minLength: 20, maxLength: 20 });

/** Every field of an entry. */
const entryChange: fc.Arbitrary<Change> = fc.oneof(
  ofEntry(fc.nat(7).map((type) => () => ({ type }))),
  ofEntry(number.map((sizeBytes) => () => ({ sizeBytes }))),
  ofEntry(number.map((distance) => () => ({ type: OFS_DELTA, distance }))),
  ofEntry(fc.nat(6).map((baseBack) => () => ({ type: OFS_DELTA, baseBack }))),
  ofEntry(idBytes.map((baseId) => () => ({ type: REF_DELTA, baseId }))),
  ofEntry(
    fc.nat(50).map((from) => (_, { entries }) => ({
      type: REF_DELTA,
      baseId: entries[from % entries.length]?.baseId ?? new Uint8Array(20),
    })),
  ),
  ofEntry(
    edits.map((made) => ({ body }) => ({ body: applyEdits(body, made) })),
  ),
  ofEntry(
    edits.map((made) => ({ body }) => ({ deflated: applyEdits(deflateSync(body), made) })),
  ),
  ofEntry(
    fc.uint8Array({ minLength: 1, maxLength: 5 }).map((more) => ({ body }) => ({
      deflated: Buffer.concat([deflateSync(body), more]),
    })),
  ),
  ofEntry(
    fc.constantFrom(0, 9).map((level) => ({ body }) => ({ deflated: deflateSync(body, { level }) })),
  ),
);

/** Entries that go, come twice, or change places; and the pack's own fields. */
const packChange: fc.Arbitrary<Change> = fc.oneof(
  fc.nat(100).map((at): Change => ({ entries, ...rest }) => ({
    ...rest,
    entries: entries.filter((_, n) => n !== at % entries.length),
  })),
  fc.tuple(fc.nat(100), fc.nat(100)).map(([at, to]): Change => ({ entries, ...rest }) => {
    const entry = entries[at % Math.max(1, entries.length)];
    return { ...rest, entries: entry === undefined ? entries : entries.toSpliced(to % entries.length, 0, entry) };
  }),
  fc.nat(100).map((at): Change => ({ entries, ...rest }) => {
    const split = at % Math.max(1, entries.length);
    return { ...rest, entries: [...entries.slice(split), ...entries.slice(0, split)] };
  }),
  number.map((count): Change => (spec) => ({ ...spec, count: count % 0x1_0000_0000 })),
  fc.constantFrom(0, 1, 3, 4, 0xffff_ffff).map((version): Change => (spec) => ({ ...spec, version })),
  idBytes.map((trailer): Change => (spec) => ({ ...spec, trailer })),
  fc.uint8Array({ maxLength: 19 }).map((trailer): Change => (spec) => ({ ...spec, trailer })),
  fc.uint8Array({ minLength: 1, maxLength: 30 }).map((after): Change => (spec) => ({ ...spec, after })),
  fc.uint8Array({ maxLength: 5 }).map((signature): Change => (spec) => ({ ...spec, signature })),
);

export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: entryChange }, { weight: 1, arbitrary: packChange }),
  { minLength: 1, maxLength: 2 },
);

/** The pack's bytes. The trailer is right unless the specification says otherwise. */
export function encodePack({ entries, signature, version = 2, count, trailer, after }: PackSpec): Uint8Array {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(version, 0);
  header.writeUInt32BE(count ?? entries.length, 4);
  const parts: Uint8Array[] = [signature ?? Buffer.from("PACK"), header];
  const starts: number[] = [];
  let end = 12;
  for (const [n, entry] of entries.entries()) {
    starts.push(end);
    const encoded = encodeEntry(entry, end - (starts[n - (entry.baseBack ?? 0)] ?? 0));
    parts.push(encoded);
    end += encoded.byteLength;
  }
  const content = Buffer.concat(parts);
  const checksum = createHash("sha1").update(content).digest();
  return Buffer.concat([content, trailer ?? checksum, after ?? new Uint8Array(0)]);
}

function encodeEntry(entry: EntrySpec, distanceBack: number): Uint8Array {
  const { type, body, deflated } = entry;
  const sizeBytes = entry.sizeBytes ?? body.byteLength;
  const header =
    type === OFS_DELTA
      ? encodeOfsDeltaHeader(sizeBytes, entry.distance ?? distanceBack)
      : encodeEntryHeader(type, sizeBytes);
  const base = type === REF_DELTA ? (entry.baseId ?? new Uint8Array(20)) : new Uint8Array(0);
  return Buffer.concat([header, base, deflated ?? deflateSync(body)]);
}
