// Where packages go below node_modules, and which: what a lockfile says, or what ranges were resolved to. Nothing is fetched for
// a layout; a package is, once an import reaches it.
import type { BuildMessage } from "../messages.ts";

/** One package in its folder. */
export interface LayoutPackage {
  /** "node_modules/a/node_modules/b", in the tree. */
  readonly folder: string;
  /** Its name in the registry, which is not that of the folder for an alias. */
  readonly name: string;
  readonly version: string;
  /** As in a lockfile: "sha512-…", perhaps several. Undefined where only the registry knows. */
  readonly integrity?: string | undefined;
  /** Where it comes from, if that is no registry. */
  readonly elsewhere?: string | undefined;
}

/** Everything that can be imported. */
export interface Layout {
  /** By folder. */
  readonly packages: ReadonlyMap<string, LayoutPackage>;
  /** Folders of this repository that are packages too: "node_modules/x" and the folder in the tree. */
  readonly links: ReadonlyMap<string, string>;
  /** The lockfile's path, or undefined where ranges were resolved. */
  readonly lockfile: string | undefined;
  /** Dependencies for development that were not resolved, since no source was seen to name them. */
  readonly leftOut?: readonly string[];
}

/** A layout, or what is wrong with the lockfile or the ranges. */
export type LayoutOutcome =
  | { readonly kind: "layout"; readonly layout: Layout }
  | { readonly kind: "failed"; readonly failure: BuildMessage };

/** `path` below `folder`, which may be the root. */
export function below(folder: string, path: string): string {
  return folder === "" ? path : `${folder}/${path}`;
}
