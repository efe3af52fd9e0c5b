// What a push asks of the supervisor for its assets: what is known, and to keep a manifest until the deploy that names it is committed.
import { findAssets, putManifest, type AssetManifest, type KnownAssets } from "../store/assets.ts";
import { isMigrated } from "../store/schema.ts";
import type { HostedApp } from "./hosted-app.ts";
import { schedulePruning } from "./pruning.ts";

/** A manifest with the objects that were written for it. */
export interface ManifestInput extends AssetManifest {
  readonly assetsId: string;
  readonly newObjectIds: readonly string[];
}

/** Blob IDs. */
export type AssetsQuery = Parameters<typeof findAssets>[2];

/** What is stored already, of the manifest and of its contents. */
export function findKnownAssets(app: HostedApp, assetsId: string, blobIds: AssetsQuery): KnownAssets {
  return findAssets(whileItExists(app).db, assetsId, blobIds, app.now());
}

/** Stores the manifest. false: something that it names was pruned since it was found, and has to be written again. */
export function putAssets(app: HostedApp, manifest: ManifestInput): boolean {
  schedulePruning(whileItExists(app));
  return putManifest(app.db, manifest, app.now());
}

function whileItExists(app: HostedApp): HostedApp {
  if (!isMigrated(app.db)) throw new Error(`${app.name} was deleted while a push to it was under way.`);
  return app;
}
