// The assets of a build: from paths and blobs to a manifest that the deploy names. Contents that any deploy had before are known by
// their blob IDs and are neither read nor written again.
import { createHash } from "node:crypto";
import type { Bundle } from "../build/index.ts";
import { formatMessages, formatReason } from "../build/messages.ts";
import { isLfsPointer, lfsMessage } from "../build/source-tree.ts";
import type { ManifestInput } from "./app/assets-intake.ts";
import type { Supervisor } from "./app/supervisor.ts";
import type { ObjectId } from "./git/object-id.ts";
import type { PushFailure } from "./push-failure.ts";
import { blobIdOf, uploadAssets, type UploadedAssets } from "./repo/asset-upload.ts";
import type { Repository } from "./repo/repository.ts";
import type { CommitTree } from "./repo/source-tree.ts";

/** What the report says of assets. */
export interface AssetFacts {
  readonly fileCount: number;
  /** Contents that no deploy had before. */
  readonly newCount: number;
  readonly uploadedBytes: number;
}

/** The manifest, stored; undefined where there are no assets. Or why there is none. */
export type StoredAssets =
  | { readonly kind: "stored"; readonly assetsId: string | undefined; readonly facts: AssetFacts }
  | { readonly kind: "failed"; readonly failure: PushFailure };

/** Whose assets they are. */
export interface AssetsTarget {
  readonly supervisor: DurableObjectStub<Supervisor>;
  readonly repository: Repository;
  readonly tree: CommitTree;
}

interface NamedAsset {
  readonly path: string;
  readonly blobId: ObjectId;
  readonly sizeBytes: number;
  readonly isHashed: boolean;
}

/** So many are named where there is too much. */
const LARGEST = 5;

/** Once more, if what another deploy had was taken away in between. */
const ATTEMPTS = 2;

/** Stores what is new of a bundle's assets, then their manifest. */
export async function storeAssets(bundle: Bundle, target: AssetsTarget): Promise<StoredAssets> {
  if (bundle.assets.length === 0) {
    return { kind: "stored", assetsId: undefined, facts: { fileCount: 0, newCount: 0, uploadedBytes: 0 } };
  }
  const assets = nameAssets(bundle, target.tree);
  const overQuota = await checkQuota(assets, target.supervisor);
  if (overQuota !== undefined) return { kind: "failed", failure: overQuota };
  const assetsId = idOf(bundle, assets);
  for (let attempt = 1; ; attempt += 1) {
    const stored = await tryStore(bundle, target, { assets, assetsId });
    if (stored !== undefined) return stored;
    if (attempt === ATTEMPTS) throw new Error(`The assets ${assetsId} lost their objects ${ATTEMPTS} times.`);
  }
}

async function checkQuota(
  assets: readonly NamedAsset[],
  supervisor: AssetsTarget["supervisor"],
): Promise<PushFailure | undefined> {
  const usedBytes = assets.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  // An app that does not exist yet has the host's own caps, which it is held to from its second push on.
  const assetBytes = (await supervisor.readQuotas())?.assetBytes ?? Number.MAX_SAFE_INTEGER;
  if (usedBytes <= assetBytes) return undefined;
  const largest = assets.toSorted((a, b) => b.sizeBytes - a.sizeBytes).slice(0, LARGEST);
  const reason = `quota-exceeded: the static assets have ${usedBytes} bytes of the ${assetBytes} that they may have`;
  const lines = [
    `The static assets have ${usedBytes} bytes, and ${assetBytes} is the app's quota (assetBytes). The largest:`,
    ...largest.map(({ path, sizeBytes }) => `  ${path}: ${sizeBytes} bytes`),
  ];
  return { stage: "build", code: "quota-exceeded", lines, reason };
}

/** undefined: what was found is gone again. */
async function tryStore(
  bundle: Bundle,
  { supervisor, repository, tree }: AssetsTarget,
  { assets, assetsId }: { readonly assets: readonly NamedAsset[]; readonly assetsId: string },
): Promise<StoredAssets | undefined> {
  const fileCount = assets.length;
  const blobIds = [...new Set(assets.map(({ blobId }) => blobId))];
  const known = await supervisor.findAssets(assetsId, blobIds);
  if (known.hasManifest) return { kind: "stored", assetsId, facts: { fileCount, newCount: 0, uploadedBytes: 0 } };
  const missing = new Set(blobIds.filter((id) => !known.places.has(id)));
  const uploaded = await upload(bundle, { repository, tree }, missing);
  if (uploaded.kind === "failed") return uploaded;
  const files = assets.map((asset) => {
    const place = uploaded.places.get(asset.blobId) ?? known.places.get(asset.blobId);
    if (place === undefined) throw new Error(`The asset ${asset.path} was not stored.`);
    return { ...asset, objectId: place.objectId, offset: place.offset };
  });
  const manifest: ManifestInput = { assetsId, serving: bundle.assetConfig, files, newObjectIds: uploaded.objectIds };
  if (!(await supervisor.putAssets(manifest))) return undefined;
  return { kind: "stored", assetsId, facts: { fileCount, newCount: missing.size, uploadedBytes: uploaded.bytes } };
}

function nameAssets(bundle: Bundle, tree: CommitTree): NamedAsset[] {
  return bundle.assets.map(({ path, source, isHashed = hasHashedName(path) }) => {
    if (source.kind === "bytes") {
      return { path, blobId: blobIdOf(source.bytes), sizeBytes: source.bytes.byteLength, isHashed };
    }
    const file = tree.files.get(source.path);
    if (file === undefined) throw new Error(`The commit has no file ${source.path}.`);
    return { path, blobId: file.id, sizeBytes: file.sizeBytes, isHashed };
  });
}

/**
 * Whether a file's name ends in a hash that a bundler put there, behind "-" or ".". A name that is taken for one wrongly would stay in
 * browsers for a year, so a form that words, dates or versions have is none, and some hashes are missed: 8 to 64 hexadecimal digits
 * have digits and letters; esbuild's 8 capitals of base32 have a digit, or six consonants in a row; Vite's 8 of base64url are no camel
 * case and change often between capitals, small letters and digits. Of the files that a build here writes, the build itself says it.
 */
export function hasHashedName(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.map$/, "");
  const stem = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  const hex = /[^-.][-.]([0-9a-f]{8,64})$/.exec(stem)?.[1];
  if (hex !== undefined) return /\d/.test(hex) && /[a-f]/.test(hex);
  const base32 = /[^-.][-.]([A-Z2-7]{8})$/.exec(stem)?.[1];
  if (base32 !== undefined) return /[A-Z]/.test(base32) && /\d|[^AEIOUY]{6}/.test(base32);
  const base64 = /[^-.][-.]([\w-]{8})$/.exec(stem)?.[1];
  return base64 !== undefined && isMixed(base64);
}

/** "DqbRGcVX" and "BxYz12aB", but not "MyButton", "Html5Doc", "HTMLView" or "iOS17App". */
function isMixed(text: string): boolean {
  const isCamelCase = /^[a-z]*\d*([A-Z][a-z]+\d*)*$/.test(text);
  if (isCamelCase || !/[a-z]/.test(text) || !/[A-Z]/.test(text)) return false;
  const runs = text.match(/[A-Z]+|[a-z]+|\d+|[-_]+/g)?.length ?? 0;
  return runs >= (/\d/.test(text) ? 6 : 5);
}

/** The same paths, contents and serving: the same ID. */
function idOf({ assetConfig }: Bundle, assets: readonly NamedAsset[]): string {
  const files = assets.map(({ path, blobId, isHashed }) => [path, blobId, isHashed]);
  return createHash("sha256")
    .update(JSON.stringify([assetConfig, files]))
    .digest("hex");
}

async function upload(
  bundle: Bundle,
  { repository, tree }: Pick<AssetsTarget, "repository" | "tree">,
  missing: ReadonlySet<ObjectId>,
): Promise<
  ({ readonly kind: "uploaded" } & UploadedAssets) | { readonly kind: "failed"; readonly failure: PushFailure }
> {
  const treePaths = new Map<ObjectId, string>();
  const made = new Map<ObjectId, Uint8Array>();
  for (const { source } of bundle.assets) {
    const id = source.kind === "bytes" ? blobIdOf(source.bytes) : tree.files.get(source.path)?.id;
    if (id === undefined || !missing.has(id)) continue;
    if (source.kind === "bytes") made.set(id, source.bytes);
    else treePaths.set(id, source.path);
  }
  const pointers: string[] = [];
  const onContent = (path: string, content: Uint8Array): void => {
    if (isLfsPointer(content)) pointers.push(path);
  };
  const uploaded = await uploadAssets(repository, tree, { treePaths: [...treePaths.values()], made, onContent });
  const [first] = pointers;
  if (first === undefined) return { kind: "uploaded", ...uploaded };
  const messages = pointers.map(lfsMessage);
  const reason = formatReason(lfsMessage(first));
  const lines = formatMessages(messages, messages.length);
  return { kind: "failed", failure: { stage: "build", code: "lfs-pointer", lines, reason } };
}
