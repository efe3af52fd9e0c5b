// A lockfile that says which package depends on which, but in no folders: what pnpm and yarn write. The folders are then npm's.
import type { ConfigFile } from "../config-file.ts";
import { type BuildMessage, locate } from "../messages.ts";
import type { Layout, LayoutOutcome } from "./layout.ts";
import { lockCommand } from "./package-manager.ts";
import { type GraphPackage, type PackageGraph, placePackages } from "./placement.ts";

/** A lockfile, and the package.json files of this repository that it may be about: the app's own first. */
export interface LockText {
  readonly path: string;
  /** The folder that its paths begin at. */
  readonly folder: string;
  readonly text: string;
  readonly packageFiles: readonly ConfigFile[];
  /** Folders of the repository's own packages by name. */
  readonly workspaces: ReadonlyMap<string, string>;
}

/** A graph under way. */
export interface GrowingGraph extends PackageGraph {
  readonly packages: Map<string, GraphPackage>;
  readonly roots: Map<string, ReadonlyMap<string, string>>;
  /** Folders of this repository by the path below node_modules that means them. */
  readonly links: Map<string, string>;
}

export function startGraph(): GrowingGraph {
  return { packages: new Map(), roots: new Map(), links: new Map() };
}

/** The layout of a graph. */
export function layoutOf(graph: GrowingGraph, lockfile: string): LayoutOutcome {
  const placed = [...placePackages(graph)].map(([folder, { name, version, integrity, elsewhere }]) => {
    return [folder, { folder, name, version, integrity, elsewhere }] as const;
  });
  const layout: Layout = { packages: new Map(placed), links: graph.links, lockfile };
  return { kind: "layout", layout };
}

/** Why it cannot be used. */
export type LockFailure = Extract<LayoutOutcome, { kind: "failed" }>;

/** What is wrong with the lockfile itself; a merge conflict is the usual reason. */
export function invalidLock({ path, text }: LockText, problem: string, offset = 0): LockFailure {
  const merge = text.search(/^<{7} /m);
  const sentence = merge < 0 ? `${path} ${problem}.` : `${path} has the marks of a merge conflict.`;
  const location = locate(path, text, Math.max(0, merge < 0 ? offset : merge), 1);
  const fix = `Write it again: ${lockCommand(path)}, then commit it.`;
  const failure: BuildMessage = { code: "lockfile-invalid", text: sentence, location, fix };
  return { kind: "failed", failure };
}

/** A version of the format that is not read. */
export function unsupportedLock({ path, text }: LockText, problem: string): LockFailure {
  const fix = `Write it with a current version: ${lockCommand(path)}, then commit it.`;
  const location = locate(path, text, 0, 1);
  return { kind: "failed", failure: { code: "lockfile-unsupported", text: `${path} ${problem}.`, location, fix } };
}
