// Writing packfiles of whole objects (gitformat-pack): header, entries, checksum. Deltas are never computed here.
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { type ObjectKind, OBJECT_KIND_NUMBERS } from "./object.ts";
import { encodeEntryHeader } from "./pack-entry.ts";

const VERSION = 2;

/** The first 12 bytes of a pack. */
export function encodePackHeader(objectCount: number): Uint8Array {
  const header = Buffer.from("PACK\0\0\0\0\0\0\0\0", "latin1");
  header.writeUInt32BE(VERSION, 4);
  header.writeUInt32BE(objectCount, 8);
  return header;
}

/** A pack of the objects, in their order. The same objects always make the same bytes. */
export function writePack(
  objects: readonly { readonly kind: ObjectKind; readonly bytes: Uint8Array }[],
): Uint8Array<ArrayBuffer> {
  const entries = objects.flatMap(({ kind, bytes }) => [
    encodeEntryHeader(OBJECT_KIND_NUMBERS[kind], bytes.byteLength),
    deflateSync(bytes),
  ]);
  const content = Buffer.concat([encodePackHeader(objects.length), ...entries]);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}

/** Passes a pack's header and entries on, followed by their checksum. */
export async function* withPackChecksum(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha1");
  for await (const bytes of content) {
    hash.update(bytes);
    yield bytes;
  }
  yield hash.digest();
}
