// The header of a bundle, version 2 (gitformat-bundle): what refs it has, before one pack with everything that they reach. A bundle that needs
// commits from elsewhere is not written here.
import type { ObjectId } from "./object-id.ts";

const SIGNATURE = "# v2 git bundle\n";

/** One line of the header. The name is HEAD or a ref's, as the bundle has it. */
export interface BundleRef {
  readonly name: string;
  readonly id: ObjectId;
}

/** What stands before the pack. */
export function writeBundleHeader(refs: readonly BundleRef[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(`${SIGNATURE}${refs.map(({ id, name }) => `${id} ${name}\n`).join("")}\n`));
}
