// What a pusher types to mend a lockfile: each package manager has its own words.
import { fileName } from "../tree-path.ts";

type Manager = "npm" | "pnpm" | "yarn";

const MANAGERS: Readonly<Record<string, Manager>> = { "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn" };

function managerOf(lockfile: string | undefined): Manager {
  return MANAGERS[fileName(lockfile ?? "")] ?? "npm";
}

/** The command that brings a lockfile up to date with package.json. */
export function lockCommand(lockfile: string): string {
  return `${managerOf(lockfile)} install`;
}

/** The command that adds a package. */
export function addCommand(lockfile: string | undefined, name: string): string {
  const manager = managerOf(lockfile);
  return `${manager} ${manager === "npm" ? "install" : "add"} ${name}`;
}
