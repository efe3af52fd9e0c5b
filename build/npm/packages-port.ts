// What the builder isolate asks its host about packages: plain values only, since both cross an isolate's border.
import type { BuildMessage } from "../messages.ts";

/** The host's half. Undefined where something of the host went wrong, which is known there. */
export interface PackagesPort {
  /** Which folders can be had. Asked once, by the first import that the commit itself does not answer. */
  layout(): Promise<LayoutAnswer | undefined>;
  /** Packages that imports have reached, by folder. */
  install(folders: readonly string[]): Promise<Map<string, InstallAnswer> | undefined>;
  /** An import reached what the layout left out: the work is done again with it. */
  want(name: string): Promise<void>;
}

export type LayoutAnswer =
  | {
      readonly kind: "layout";
      readonly folders: readonly string[];
      readonly links: readonly (readonly [path: string, folder: string])[];
      readonly lockfile: string | undefined;
      readonly leftOut: readonly string[];
    }
  | { readonly kind: "failed"; readonly message: BuildMessage };

export type InstallAnswer =
  | {
      readonly kind: "installed";
      /** Paths in the tree. */
      readonly files: readonly (readonly [path: string, sizeBytes: number])[];
      /** Those that are worth sending before they are asked for. */
      readonly contents: Map<string, Uint8Array>;
    }
  | { readonly kind: "failed"; readonly message: BuildMessage };

/** A package in the bundle, for the report. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
}
