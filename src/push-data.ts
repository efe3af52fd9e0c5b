// What a push says and asks about the app's data: the snapshot it brings back, and those that a deploy kept and removed.
import type { UpdateCommand } from "./git/update-request.ts";
import type { Supervisor } from "./app/supervisor.ts";
import type { StoredData } from "./app/stored-data.ts";
import type { SnapshotReport } from "./app/snapshots.ts";
import type { PushFailure } from "./push-failure.ts";
import { count, formatBytes, stageLine } from "./push-report.ts";

/** The push option that brings back data with code. */
const RESTORE_DATA = "restore-data";

/** Whose data a deploy is to run on. */
export type ChosenData =
  | { readonly kind: "present" }
  | { readonly kind: "restored"; readonly snapshotId: number }
  | { readonly kind: "failed"; readonly failure: PushFailure };

/** The present data, or, where the push asks for it, that of when the commit was last live. */
export async function chooseData(
  pushOptions: readonly string[],
  command: UpdateCommand,
  supervisor: DurableObjectStub<Supervisor>,
): Promise<ChosenData> {
  if (!pushOptions.includes(RESTORE_DATA)) return { kind: "present" };
  const choice = await supervisor.chooseData({ commitId: command.newId });
  if (choice.kind === "found") return { kind: "restored", snapshotId: choice.snapshot.id };
  return { kind: "failed", failure: describeMissingData(choice.reason) };
}

/** Data that cannot be brought back. */
function describeMissingData(reason: string): PushFailure {
  const code = "snapshot-not-kept";
  const fix = `Without -o ${RESTORE_DATA} the code alone goes back, on the data of now.`;
  return { stage: "restore", code, fix, lines: [reason, fix], reason: `${code}: ${reason}` };
}

/** Said from here on. */
const NEARLY_FULL = 0.8;

/** A line where the data comes near to what it may have. */
export function dataLines({ usedBytes, limitBytes }: StoredData): string[] {
  if (usedBytes <= limitBytes * NEARLY_FULL) return [];
  const amount = `${formatBytes(usedBytes)} of the ${formatBytes(limitBytes)} that the quota databaseBytes allows`;
  if (usedBytes <= limitBytes) return [stageLine("data", `${amount}; beyond it only reading and deleting goes on`)];
  return [stageLine("data", `${amount}: only requests that read or delete are answered, and far beyond it none`)];
}

/** One line or two: what was brought back, what was kept, and what had to go for it. */
export function snapshotLines({ kept, restored, removed, limits }: SnapshotReport): string[] {
  const lines: string[] = [];
  if (restored !== undefined) {
    const of = restored.ofDeploy === undefined ? "" : `, as deploy ${restored.ofDeploy} left it`;
    lines.push(stageLine("restored", `the data of snapshot ${restored.id}${of}`));
  }
  const gone =
    removed.length === 0
      ? ""
      : `${count(removed.length, "older one")} removed, limits ${limits.count} and ${formatBytes(limits.bytes)}`;
  if (kept !== undefined) {
    const size = `${kept.id}, the data before this deploy, ${formatBytes(kept.sizeBytes)}`;
    lines.push(stageLine("snapshot", gone === "" ? size : `${size}; ${gone}`));
  } else if (gone !== "") {
    lines.push(stageLine("snapshot", gone));
  }
  return lines;
}
