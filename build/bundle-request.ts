// What goes to the builder isolate and what comes back: plain values only, since both cross an isolate's border.
import type { NodejsSupport } from "./compatibility.ts";
import type { EsbuildRun } from "./esbuild-arguments.ts";
import type { BuildLimits } from "./limits.ts";
import type { BuildMessage } from "./messages.ts";
import type { BundledPackage, PackagesPort } from "./npm/packages-port.ts";
import type { TreeNames } from "./tree-index.ts";
import type { PathMapping } from "./tsconfig.ts";
import type { Workspaces } from "./workspaces.ts";
import type { BundlingConfig } from "./wrangler-bundling.ts";

/** One bundle to make. */
export interface BundleRequest {
  readonly entry: string;
  readonly names: TreeNames;
  /** Files that were read ahead. The others are asked for as imports reach them. */
  readonly contents: Map<string, Uint8Array>;
  /** The packages that package.json lists, which only decides what is said of one that is missing. */
  readonly dependencies: readonly string[];
  readonly nodejs: NodejsSupport;
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  readonly paths: readonly PathMapping[];
  readonly workspaces: Workspaces;
  readonly bundling: BundlingConfig;
  readonly limits: BuildLimits;
}

/**
 * Reads more files of the tree, in one round. It is called from the isolate, and runs in the request that builds. Undefined if
 * they could not be read: the runtime logs what is thrown across the border, and has nothing to say about this.
 */
export type ReadMore = (paths: readonly string[]) => Promise<Map<string, Uint8Array> | undefined>;

/** What the isolate may ask of the host that builds. */
export interface BuildHost {
  readonly readMore: ReadMore;
  readonly packages: PackagesPort;
}

/** A module or source file with what it adds to the bundle. */
export interface ModuleSize {
  readonly path: string;
  readonly bytes: number;
}

/** Figures of one bundle. */
export interface BundleStats {
  /** Source files in the bundle, the wasm and data modules among them. */
  readonly moduleCount: number;
  readonly sourceBytes: number;
  readonly bundleBytes: number;
  /** The five that add most, largest first. */
  readonly largestModules: readonly ModuleSize[];
}

/** A module beside the bundle: its name there, and the file of the tree that it is. */
export interface BundledFile {
  readonly name: string;
  readonly path: string;
  readonly kind: "wasm" | "data" | "esm" | "text";
}

/** A bundle, before the other modules are put beside it. */
export interface BundledCode {
  readonly code: Uint8Array;
  readonly sourceMap: Uint8Array;
  readonly exports: readonly string[];
  readonly files: readonly BundledFile[];
  /** The folders below node_modules that something in the bundle is from. */
  readonly packageFolders: readonly string[];
  readonly stats: BundleStats;
  readonly warnings: readonly BuildMessage[];
}

/** A run of esbuild whose outputs are files: a client's build, or a build command. */
export interface WriteRequest extends BundleRequest {
  readonly run: EsbuildRun;
}

/** One output. `entryPoint` is the file of the tree that it begins with, `cssBundle` the path of the style sheet beside a script. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly entryPoint?: string;
  readonly cssBundle?: string;
}

/** What such a run comes to. `inputs` are the files of the tree that went into it. */
export type WriteOutcome =
  | {
      readonly kind: "written";
      readonly outputs: readonly WrittenFile[];
      readonly inputs: readonly string[];
      readonly warnings: readonly BuildMessage[];
    }
  | BuildFailure;

/** The same as the host has it: with the packages that went into it. */
export type RunOutcome =
  | (Extract<WriteOutcome, { kind: "written" }> & { readonly packages: readonly BundledPackage[] })
  | BuildFailure;

/** At most five messages of `total`. */
export interface BuildFailure {
  readonly kind: "failed";
  readonly messages: readonly BuildMessage[];
  readonly total: number;
}

/** What bundling comes to. */
export type BundleOutcome = ({ readonly kind: "bundled" } & BundledCode) | BuildFailure;

/** The builder isolate's answer. */
export type IsolateAnswer<Outcome> =
  /** Another build is under way there, for so long: esbuild's memory is for one at a time. */
  | { readonly kind: "busy"; readonly sinceMs: number }
  /** `memoryBytes` is the size of esbuild's wasm memory, which never shrinks; `builds` counts those of this isolate. */
  | { readonly kind: "done"; readonly outcome: Outcome; readonly memoryBytes: number; readonly builds: number }
  /** The tree could not be read. What went wrong is known where it was read. */
  | { readonly kind: "unread" }
  /** A mistake of the program itself. */
  | { readonly kind: "crashed"; readonly reason: string };
