// Deltas of packfiles, as git makes them and as it would not.
import * as fc from "fast-check";

/** What a delta does: bytes of its own, or some of the base's. */
export type Instruction =
  | { readonly kind: "insert"; readonly bytes: Uint8Array }
  | { readonly kind: "copy"; readonly from: number; readonly count: number };

/** Seven bits a byte, least significant first. */
function encodeSize(size: number): Uint8Array {
  const bytes: number[] = [];
  let rest = size;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

export function encodeDelta(baseBytes: number, resultBytes: number, instructions: readonly Instruction[]): Uint8Array {
  const encoded = instructions.map((each) => (each.kind === "insert" ? encodeInsert(each.bytes) : encodeCopy(each)));
  return Buffer.concat([encodeSize(baseBytes), encodeSize(resultBytes), ...encoded]);
}

/** What the instructions make of a base. */
export function resultOf(base: Uint8Array, instructions: readonly Instruction[]): Uint8Array {
  return Buffer.concat(
    instructions.map((each) =>
      each.kind === "insert" ? each.bytes : base.subarray(each.from, each.from + each.count),
    ),
  );
}

/** Copies what both begin and end with, and inserts the rest. */
export function deltaBetween(base: Uint8Array, target: Uint8Array): Uint8Array {
  const most = Math.min(base.byteLength, target.byteLength);
  let head = 0;
  while (head < most && base[head] === target[head]) head++;
  let tail = 0;
  while (tail < most - head && base.at(-1 - tail) === target.at(-1 - tail)) tail++;
  const instructions: Instruction[] = [];
  copyInto(instructions, 0, head);
  for (let at = head; at < target.byteLength - tail; at += 127) {
    const end = Math.min(at + 127, target.byteLength - tail);
    instructions.push({ kind: "insert", bytes: target.subarray(at, end) });
  }
  copyInto(instructions, base.byteLength - tail, tail);
  return encodeDelta(base.byteLength, target.byteLength, instructions);
}

/** Instructions for a base of so many bytes. */
export function instructionsFor(baseBytes: number): fc.Arbitrary<Instruction[]> {
  const insert = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((bytes): Instruction => ({ kind: "insert", bytes }));
  if (baseBytes === 0) return fc.array(insert, { maxLength: 6 });
  const copy = fc.tuple(fc.nat(baseBytes - 1), fc.nat(baseBytes)).map(([from, count]): Instruction => ({
    kind: "copy",
    from,
    count: Math.max(1, Math.min(count, baseBytes - from)),
  }));
  return fc.array(fc.oneof(insert, copy), { maxLength: 6 });
}

function copyInto(instructions: Instruction[], start: number, count: number): void {
  for (let at = 0; at < count; at += 0x10000) {
    instructions.push({ kind: "copy", from: start + at, count: Math.min(0x10000, count - at) });
  }
}

function encodeInsert(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.byteLength), bytes]);
}

function encodeCopy({ from, count }: Extract<Instruction, { kind: "copy" }>): Uint8Array {
  const size = count === 0x10000 ? 0 : count;
  const bytes: number[] = [0x80];
  const numbers = [
    from & 0xff,
    (from >>> 8) & 0xff,
    (from >>> 16) & 0xff,
    from >>> 24,
    size & 0xff,
    (size >> 8) & 0xff,
    size >> 16,
  ];
  for (const [bit, byte] of numbers.entries()) {
    if (byte === 0) continue;
    bytes[0] = (bytes[0] ?? 0) | (1 << bit);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
