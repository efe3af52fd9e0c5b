// Bytes that are nearly valid: something valid, and a few edits of the kinds that break parsers.
import * as fc from "fast-check";

/** One change. Positions are fractions of the length, so that an edit means something for bytes of any length. */
type Edit =
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "overwrite"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly at: number }
  | { readonly kind: "delete"; readonly at: number; readonly count: number }
  | { readonly kind: "repeat"; readonly at: number; readonly count: number }
  | { readonly kind: "move"; readonly at: number; readonly count: number; readonly to: number };

/** What lengths, counts and offsets are set to: in one byte, two, four and eight, as text and as numbers of seven bits a byte. */
const EXTREMES =
  `00 01 7f 80 ff 0000 7fff ffff 00000000 00000001 7fffffff 80000000 ffffffff 0000000000000000 001fffffffffffff
  7fffffffffffffff ffffffffffffffff 30303030 30303033 30303034 66666666 66666630 66666631 2b303130 2d303031 ffffffff0f ffffffffffffff7f
  ffffffffffffffff7f ffffffffffffffffffff7f 80808080808080808000`.split(/\s+/);

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const extreme = fc.constantFrom(...EXTREMES).map((hex) => new Uint8Array(Buffer.from(hex, "hex")));
const fewBytes = fc.oneof(extreme, fc.uint8Array({ minLength: 1, maxLength: 8 }));
const count = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 300 }));

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fraction, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("overwrite" as const), at: fraction, bytes: fewBytes }),
  fc.record({ kind: fc.constant("insert" as const), at: fraction, bytes: fewBytes }),
  fc.record({ kind: fc.constant("truncate" as const), at: fraction }),
  fc.record({ kind: fc.constant("delete" as const), at: fraction, count }),
  fc.record({ kind: fc.constant("repeat" as const), at: fraction, count }),
  fc.record({ kind: fc.constant("move" as const), at: fraction, count, to: fraction }),
);

/** One to four edits. */
export const edits: fc.Arbitrary<readonly Edit[]> = fc.array(edit, { minLength: 1, maxLength: 4 });

/** The bytes with the edits made one after the other. */
export function applyEdits(bytes: Uint8Array, made: readonly Edit[]): Uint8Array {
  return made.reduce(applyEdit, bytes);
}

/** Anything at all, or something valid with edits. */
export function nearly(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 1, arbitrary: valid },
    { weight: 8, arbitrary: fc.tuple(valid, edits).map(([bytes, made]) => applyEdits(bytes, made)) },
  );
}

/** The bytes as a stream of chunks of these sizes, in turns; a size may be 0. */
export function streamOfChunks(bytes: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  let at = 0;
  let turn = 0;
  const longest = Math.max(1, ...sizes);
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.byteLength) return controller.close();
      // A turn of nothing but empty chunks would never end.
      const size = turn > 2 * sizes.length ? longest : (sizes[turn % sizes.length] ?? longest);
      turn += 1;
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

/** Sizes for streamOfChunks, from single bytes to everything at once. */
export const chunkSizes: fc.Arbitrary<number[]> = fc.oneof(
  fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }),
  fc.constant<number[]>([70_000]),
);

function applyEdit(bytes: Uint8Array, made: Edit): Uint8Array {
  const at = Math.floor(made.at * (bytes.byteLength + 1));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (made.kind) {
    case "flip":
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << made.bit) : byte));
    case "overwrite":
      return join(before, made.bytes, after.subarray(made.bytes.byteLength));
    case "insert":
      return join(before, made.bytes, after);
    case "truncate":
      return before.slice();
    case "delete":
      return join(before, after.subarray(made.count));
    case "repeat":
      return join(before, after.subarray(0, made.count), after);
    case "move":
      return moved(join(before, after.subarray(made.count)), after.subarray(0, made.count), made.to);
    default:
      return made satisfies never;
  }
}

function moved(rest: Uint8Array, part: Uint8Array, to: number): Uint8Array {
  const at = Math.floor(to * rest.byteLength);
  return join(rest.subarray(0, at), part, rest.subarray(at));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
