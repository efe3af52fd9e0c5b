// The header of one entry of a packfile, both ways (gitformat-pack, packfile.c unpack_object_header and get_delta_base). After it
// comes the entry's zlib stream, which is the same in every pack and is copied as it is.
import { type ObjectKind, objectKindOf } from "./object.ts";

const OFS_DELTA = 6;
const REF_DELTA = 7;
const ID_BYTES = 20;

/** No header is longer: ten bytes of type and size, then ten of a distance or twenty of an id. */
export const MAX_ENTRY_HEADER_BYTES = 30;

/** `sizeBytes` is the inflated size: of the object, or of the delta. */
export type EntryHeader =
  | { readonly kind: ObjectKind; readonly sizeBytes: number; readonly end: number }
  | { readonly kind: "ofs-delta"; readonly sizeBytes: number; readonly end: number; readonly distance: number }
  | { readonly kind: "ref-delta"; readonly sizeBytes: number; readonly end: number; readonly baseIdAt: number };

/**
 * Reads the header at an offset; `end` is the offset of the zlib stream. Undefined if it is malformed or not all there.
 * The distance to a base is not checked against the entry's own offset.
 */
export function readEntryHeader(bytes: Uint8Array, at: number): EntryHeader | undefined {
  let end = at;
  let byte = bytes[end++] ?? 0;
  const type = (byte >> 4) & 7;
  let sizeBytes = byte & 15;
  for (let scale = 16; byte & 0x80; scale *= 128) {
    if (scale > Number.MAX_SAFE_INTEGER || end >= bytes.byteLength) return undefined;
    byte = bytes[end++] ?? 0;
    sizeBytes += (byte & 0x7f) * scale;
  }
  if (type === OFS_DELTA) return readOfsDelta(bytes, sizeBytes, end);
  if (type === REF_DELTA) {
    if (end + ID_BYTES > bytes.byteLength) return undefined;
    return { kind: "ref-delta", sizeBytes, end: end + ID_BYTES, baseIdAt: end };
  }
  const kind = objectKindOf(type);
  return kind === undefined || end > bytes.byteLength ? undefined : { kind, sizeBytes, end };
}

/** The header of a whole object or, with `type` 6 or 7, the part of a delta's header that its base follows. */
export function encodeEntryHeader(type: number, sizeBytes: number): Uint8Array {
  const header: number[] = [];
  let byte = (type << 4) | (sizeBytes % 16);
  for (let rest = Math.floor(sizeBytes / 16); rest > 0; rest = Math.floor(rest / 128)) {
    header.push(byte | 0x80);
    byte = rest % 128;
  }
  header.push(byte);
  return Uint8Array.from(header);
}

/** The header of a delta whose base begins `distance` bytes before it. */
export function encodeOfsDeltaHeader(sizeBytes: number, distance: number): Uint8Array {
  const digits = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    digits.unshift((rest % 128) | 0x80);
  }
  return Uint8Array.from([...encodeEntryHeader(OFS_DELTA, sizeBytes), ...digits]);
}

/** The header of a delta whose base is named by its id. */
export function encodeRefDeltaHeader(sizeBytes: number, baseId: Uint8Array): Uint8Array {
  return Uint8Array.from([...encodeEntryHeader(REF_DELTA, sizeBytes), ...baseId]);
}

function readOfsDelta(bytes: Uint8Array, sizeBytes: number, start: number): EntryHeader | undefined {
  let end = start;
  let distance = -1;
  let byte = 0x80;
  while (byte & 0x80) {
    if (end >= bytes.byteLength || distance > Number.MAX_SAFE_INTEGER / 256) return undefined;
    byte = bytes[end++] ?? 0;
    distance = (distance + 1) * 128 + (byte & 0x7f);
  }
  return { kind: "ofs-delta", sizeBytes, end, distance };
}
