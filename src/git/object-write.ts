// Writing objects: the contents of trees and commits, and the id that follows from them. What is written is what git itself writes.
import { objectIdToBytes, type ObjectId } from "./object-id.ts";
import { hashObject, TREE_MODE, type ObjectKind, type Signature, type TreeEntry } from "./object.ts";

/** An object that is to be packed. */
export interface NewObject {
  readonly id: ObjectId;
  readonly kind: ObjectKind;
  readonly bytes: Uint8Array;
}

/** The object with this content. */
export function makeObject(kind: ObjectKind, bytes: Uint8Array): NewObject {
  return { id: hashObject(kind, bytes), kind, bytes };
}

/** A tree's content, its entries in git's order: by their bytes, a folder's name as if it ended in "/" (base_name_compare). */
export function encodeTree(entries: readonly Pick<TreeEntry, "mode" | "nameBytes" | "id">[]): Uint8Array {
  const keyed = entries.map((entry) => ({
    entry,
    key: Buffer.concat([entry.nameBytes, Buffer.from(entry.mode === TREE_MODE ? "/" : "")]),
  }));
  const parts = keyed
    .toSorted((left, right) => Buffer.compare(left.key, right.key))
    .flatMap(({ entry }) => [
      Buffer.from(`${entry.mode.toString(8)} `),
      entry.nameBytes,
      Buffer.from([0]),
      objectIdToBytes(entry.id),
    ]);
  return Buffer.concat(parts);
}

/** A commit's content. */
export function encodeCommit(commit: {
  readonly treeId: ObjectId;
  readonly parentIds: readonly ObjectId[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}): Uint8Array {
  const lines = [
    `tree ${commit.treeId}`,
    ...commit.parentIds.map((id) => `parent ${id}`),
    `author ${formatSignature(commit.author)}`,
    `committer ${formatSignature(commit.committer)}`,
    "",
    commit.message,
  ];
  return Buffer.from(lines.join("\n"));
}

function formatSignature({ name, email, timeS, timezone }: Signature): string {
  return `${name} <${email}> ${timeS} ${timezone}`;
}
