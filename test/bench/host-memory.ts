// What a host takes of the machine's memory.
import { execFileSync } from "node:child_process";
import { readHolder } from "../../scripts/data-folder.ts";
import type { Host } from "../e2e/host.ts";

/** Resident memory of all processes of the host, in MB. */
export function memoryMb(host: Host): number {
  const group = readHolder(host.dataPath)?.pid;
  const lines = execFileSync("ps", ["-eo", "pgid=,rss="], { encoding: "utf8" }).trim().split("\n");
  const own = lines.map((line) => line.trim().split(/\s+/).map(Number)).filter(([pgid]) => pgid === group);
  return own.reduce((total, [, kilobytes = 0]) => total + kilobytes / 1000, 0);
}
