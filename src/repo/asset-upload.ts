// From a commit's blobs, and bytes that a build made, to R2 objects of assets. Blobs are read one at a time and written as they come, so
// that neither a large site nor a large file is held in memory whole with others.
import { createHash } from "node:crypto";
import { type ObjectId, parseObjectId } from "../git/object-id.ts";
import { AssetWriter } from "../store/asset-objects.ts";
import type { AssetPlace } from "../store/assets.ts";
import type { Repository } from "./repository.ts";
import type { CommitTree } from "./source-tree.ts";

/** What is not stored yet. */
export interface AssetUpload {
  /** One path of the tree for each blob. */
  readonly treePaths: readonly string[];
  readonly made: ReadonlyMap<ObjectId, Uint8Array>;
  /** Told each blob's content before it is written. */
  readonly onContent: (path: string, content: Uint8Array) => void;
}

/** Where everything went. */
export interface UploadedAssets {
  readonly places: ReadonlyMap<ObjectId, AssetPlace>;
  readonly objectIds: readonly string[];
  readonly bytes: number;
}

/** Writes contents to R2. Nothing names them yet: what is not named in time is swept. Errors: as readObject. */
export async function uploadAssets(
  { store }: Repository,
  tree: CommitTree,
  upload: AssetUpload,
): Promise<UploadedAssets> {
  const writer = new AssetWriter(store);
  const places = new Map<ObjectId, AssetPlace>();
  let bytes = 0;
  const add = async (id: ObjectId, content: Uint8Array): Promise<void> => {
    bytes += content.byteLength;
    places.set(id, await writer.add(content));
  };
  await tree.visit(upload.treePaths, async (path, content) => {
    upload.onContent(path, content);
    const file = tree.files.get(path);
    if (file !== undefined) await add(file.id, content);
  });
  for (const [id, content] of upload.made) await add(id, content);
  return { places, objectIds: await writer.end(), bytes };
}

/** The ID that git gives a file of this content. */
export function blobIdOf(content: Uint8Array): ObjectId {
  const hash = createHash("sha1").update(`blob ${content.byteLength}\0`).update(content).digest("hex");
  const id = parseObjectId(hash);
  if (id === undefined) throw new Error(`${hash} is no object ID.`);
  return id;
}
