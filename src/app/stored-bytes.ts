// What is stored for an app now, by kind: for its owner and for /metrics.
import { getManifest } from "../store/assets.ts";
import { listSizes } from "../store/data-sizes.ts";
import { findLiveDeploy } from "../store/deploys.ts";
import type { Stored, StoredBytes } from "../store/metrics.ts";
import { countObjects } from "../store/objects.ts";
import { sumPackBytes } from "../store/packs.ts";
import { listSnapshots } from "../store/snapshots.ts";
import { loadAssets } from "./asset-cache.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import type { HostedApp } from "./hosted-app.ts";

/** Of an app that exists. */
export function readStored(app: HostedApp): Stored {
  const snapshots = listSnapshots(app.db).reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  return {
    storedBytes: { repository: sumPackBytes(app.db), snapshots, assets: sumAssets(app), ...sumData(app) },
    objectCount: countObjects(app.db, PRODUCTION_FACET),
  };
}

function sumAssets({ db, assets }: HostedApp): number {
  const assetsId = findLiveDeploy(db, PRODUCTION_FACET)?.deploy.assetsId;
  if (assetsId === undefined) return 0;
  const { files } = loadAssets(assets, assetsId, () => getManifest(db, assetsId));
  return [...files.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function sumData({ db }: HostedApp): Pick<StoredBytes, "data" | "objects" | "previews"> {
  const sizes = listSizes(db);
  const all = sizes.reduce((sum, { ownBytes, objectBytes }) => sum + ownBytes + objectBytes, 0);
  const production = sizes.find(({ facet }) => facet === PRODUCTION_FACET);
  const { ownBytes: data, objectBytes: objects } = production ?? { ownBytes: 0, objectBytes: 0 };
  return { data, objects, previews: all - data - objects };
}
