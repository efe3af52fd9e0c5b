// The manifests of assets that requests asked for lately, in the memory of one supervisor instance.
import type { AssetFile, AssetManifest, AssetServing } from "../store/assets.ts";
import { compileRules, type AssetRules } from "./assets-rules.ts";

/** A manifest as requests need it. */
export interface LoadedAssets {
  readonly serving: AssetServing;
  /** By path. */
  readonly files: ReadonlyMap<string, AssetFile>;
  readonly rules: AssetRules;
}

/** By assets ID, the one that was used last at the end. */
export type AssetCache = Map<string, LoadedAssets>;

/** Files of all manifests in memory together, at some 300 bytes each: two of the largest that there may be. */
const MAX_CACHED_FILES = 40_000;

/** From memory, else what `read` reads. The manifests that were not used for longest make room. */
export function loadAssets(cache: AssetCache, assetsId: string, read: () => AssetManifest): LoadedAssets {
  const known = cache.get(assetsId);
  if (known !== undefined && cache.size === 1) return known;
  const assets = known ?? prepare(read());
  cache.delete(assetsId);
  cache.set(assetsId, assets);
  let fileCount = 0;
  for (const { files } of cache.values()) fileCount += files.size;
  for (const [oldestId, { files }] of cache) {
    if (fileCount <= MAX_CACHED_FILES || oldestId === assetsId) break;
    cache.delete(oldestId);
    fileCount -= files.size;
  }
  return assets;
}

function prepare({ serving, files }: AssetManifest): LoadedAssets {
  return { serving, files: new Map(files.map((file) => [file.path, file])), rules: compileRules(serving) };
}
