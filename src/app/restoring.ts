// Which snapshot brings back the data of a commit or of a deploy, and what to say where none is kept.
import { findDeploy, type Deploy } from "../store/deploys.ts";
import { findSnapshotOfCommit, findSnapshotOfDeploy, listSnapshots, type Snapshot } from "../store/snapshots.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";

type ObjectId = Deploy["commitId"];

/** The snapshot to restore, or the sentences that say what is kept instead. */
export type DataChoice =
  | { readonly kind: "found"; readonly snapshot: Snapshot }
  | { readonly kind: "not-kept"; readonly reason: string };

/** More snapshots than these are counted and not named. */
const MAX_NAMED = 10;

/** The data as it was when the deploy was last live; of a commit's deploys the latest that has a snapshot counts. */
export function chooseData(
  app: HostedApp,
  of: { readonly commitId: ObjectId } | { readonly deployNumber: number },
): DataChoice {
  if (findExisting(app) === undefined) return { kind: "not-kept", reason: "This app has no data yet." };
  const snapshot =
    "commitId" in of ? findSnapshotOfCommit(app.db, of.commitId) : findSnapshotOfDeploy(app.db, of.deployNumber);
  if (snapshot !== undefined) return { kind: "found", snapshot };
  const what = "commitId" in of ? `commit ${of.commitId.slice(0, 10)}` : `deploy ${of.deployNumber}`;
  return { kind: "not-kept", reason: `No snapshot of the data of ${what} is kept. ${describeKept(app)}` };
}

function describeKept(app: HostedApp): string {
  const kept = listSnapshots(app.db);
  if (kept.length === 0) return "No snapshot is kept at all.";
  const names = kept.slice(0, MAX_NAMED).map((snapshot) => {
    const commitId = findDeploy(app.db, snapshot.ofDeploy)?.commitId;
    const commit = commitId === undefined ? "" : `, ${commitId.slice(0, 10)}`;
    return `${snapshot.id} (deploy ${snapshot.ofDeploy}${commit})`;
  });
  const left = kept.length - names.length;
  return `What is kept: snapshot ${names.join(", ")}${left > 0 ? ` and ${left} more` : ""}.`;
}
