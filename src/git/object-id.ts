// An object id: SHA-1, as 40 lower-case hexadecimal digits in memory and 20 bytes on the wire.
declare const brand: unique symbol;

/** 40 lower-case hexadecimal digits. */
export type ObjectId = string & { readonly [brand]: "ObjectId" };

const HEX_ID = /^[0-9a-f]{40}$/;

/** The id or undefined, if the text is not 40 lower-case hexadecimal digits. */
export function parseObjectId(text: string): ObjectId | undefined {
  return isObjectId(text) ? text : undefined;
}

/** What git sends for "no object": the old id of a ref to create, the new id of a ref to delete. */
export const ZERO_ID: ObjectId = objectIdFromBytes(new Uint8Array(20));

/** The id in the 20 bytes at `offset`. */
export function objectIdFromBytes(bytes: Uint8Array, offset = 0): ObjectId {
  const hex: string = Buffer.from(bytes.buffer, bytes.byteOffset + offset, 20).toString("hex");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- 20 bytes as hexadecimal digits are an id by construction
  return hex as ObjectId;
}

/** The 20 bytes of an id. */
export function objectIdToBytes(id: ObjectId): Uint8Array {
  return Buffer.from(id, "hex");
}

function isObjectId(text: string): text is ObjectId {
  return HEX_ID.test(text);
}
