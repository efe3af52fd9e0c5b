// An object id: SHA-1, as 40 lower-case hexadecimal digits in memory and 20 bytes on the wire.
declare const brand: unique symbol;

/** 40 lower-case hexadecimal digits. */
export type ObjectId = string & { readonly [brand]: "ObjectId" };

const HEX_ID = /^[0-9a-f]{40}$/;

/** The id or undefined, if the text is not 40 lower-case hexadecimal digits. */
export function parseObjectId(text: string): ObjectId | undefined {
  return HEX_ID.test(text) ? (text as ObjectId) : undefined;
}

/** What git sends for "no object": the old id of a ref to create, the new id of a ref to delete. */
export const ZERO_ID = "0".repeat(40) as ObjectId;

/** The id in the 20 bytes at `offset`. */
export function objectIdFromBytes(bytes: Uint8Array, offset = 0): ObjectId {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, 20).toString("hex") as ObjectId;
}

/** The 20 bytes of an id. */
export function objectIdToBytes(id: ObjectId): Uint8Array {
  return Buffer.from(id, "hex");
}
