// Deltas of packfiles (Documentation/gitformat-pack.txt, patch-delta.c): two sizes, then copy and insert instructions.
import { HostingError } from "../errors.ts";

/** The sizes that a delta states at its beginning, before any of its instructions has been checked. */
export interface DeltaSizes {
  readonly baseBytes: number;
  readonly resultBytes: number;
  /** Where the instructions begin. */
  readonly bodyOffset: number;
}

/** Reads the two sizes. Errors: HostingError "pack-invalid". */
export function readDeltaSizes(delta: Uint8Array): DeltaSizes {
  const base = readSize(delta, 0);
  const result = readSize(delta, base.end);
  return { baseBytes: base.value, resultBytes: result.value, bodyOffset: result.end };
}

/** `allocate` gives the memory for the result, at least as much as it is asked for; a new array where it is absent. */
export interface DeltaOptions {
  readonly maxBytes: number;
  readonly allocate?: (sizeBytes: number) => Uint8Array;
}

/**
 * The object that the delta makes of its base.
 * Errors: HostingError "object-too-large" past `maxBytes`, "pack-invalid" for a delta that is malformed or for another base.
 * The result is allocated only once the instructions are known to fill it, so that a size alone costs nothing.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array, options: DeltaOptions): Uint8Array {
  const { baseBytes, resultBytes, bodyOffset } = readDeltaSizes(delta);
  if (baseBytes !== base.byteLength) {
    throw invalid(`is for a base of ${baseBytes} bytes, but its base has ${base.byteLength}`);
  }
  if (resultBytes > options.maxBytes) {
    throw new HostingError(
      "object-too-large",
      `An object of ${resultBytes} bytes is over the limit of ${options.maxBytes} bytes.`,
    );
  }
  if (measure(delta, bodyOffset, base.byteLength) !== resultBytes) {
    throw invalid(`does not make the ${resultBytes} bytes that it states`);
  }
  const result = options.allocate?.(resultBytes).subarray(0, resultBytes) ?? new Uint8Array(resultBytes);
  fill(result, base, delta.subarray(bodyOffset));
  return result;
}

/** How many bytes the instructions make. Every range is checked here and nowhere else. */
function measure(delta: Uint8Array, bodyOffset: number, baseBytes: number): number {
  let made = 0;
  let at = bodyOffset;
  while (at < delta.byteLength) {
    const code = delta[at++] ?? 0;
    if (code === 0) throw invalid("has an instruction of the reserved kind");
    if (code < 0x80) {
      at += code;
      made += code;
    } else {
      const [from, count, next] = readCopy(delta, at, code);
      if (next > delta.byteLength || from + count > baseBytes) {
        throw invalid("copies from outside of its base");
      }
      at = next;
      made += count;
    }
  }
  if (at > delta.byteLength) throw invalid("ends inside an instruction");
  return made;
}

function fill(result: Uint8Array, base: Uint8Array, body: Uint8Array): void {
  let filled = 0;
  let at = 0;
  while (at < body.byteLength) {
    const code = body[at++] ?? 0;
    if (code < 0x80) {
      result.set(body.subarray(at, at + code), filled);
      at += code;
      filled += code;
    } else {
      const [from, count, next] = readCopy(body, at, code);
      result.set(base.subarray(from, from + count), filled);
      at = next;
      filled += count;
    }
  }
}

/** [offset in the base, count, position after the instruction]. Bits 0-3 say which offset bytes follow, bits 4-6 which size bytes. */
function readCopy(delta: Uint8Array, start: number, code: number): [number, number, number] {
  let at = start;
  let from = 0;
  let count = 0;
  if (code & 0x01) from = delta[at++] ?? 0;
  if (code & 0x02) from |= (delta[at++] ?? 0) << 8;
  if (code & 0x04) from |= (delta[at++] ?? 0) << 16;
  if (code & 0x08) from |= (delta[at++] ?? 0) << 24;
  if (code & 0x10) count = delta[at++] ?? 0;
  if (code & 0x20) count |= (delta[at++] ?? 0) << 8;
  if (code & 0x40) count |= (delta[at++] ?? 0) << 16;
  return [from >>> 0, count === 0 ? 0x10000 : count, at];
}

/** Seven bits a byte, least significant first; as exact as a number can be, which is far beyond any limit on objects. */
function readSize(delta: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < delta.byteLength && at < start + 8; at++) {
    const byte = delta[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 128;
  }
  throw invalid("has no valid sizes");
}

function invalid(what: string): HostingError {
  return new HostingError("pack-invalid", `A delta in the pack ${what}.`);
}
