// What a build makes before the Worker is bundled: the outputs of a build command, in the tree, and the client's, beside the assets.
import { assetsFolderOf, type BuiltAsset } from "./assets.ts";
import { readBuildCommandLine } from "./build-command.ts";
import type { BuildFailure, RunOutcome } from "./bundle-request.ts";
import { buildClient } from "./client.ts";
import type { AppConfig } from "./config.ts";
import type { EsbuildRun } from "./esbuild-arguments.ts";
import type { BuildMessage } from "./messages.ts";
import { sortPackages } from "./npm/installation.ts";
import type { BundledPackage } from "./npm/packages-port.ts";
import type { OpenTree } from "./open-tree.ts";
import { overlayTree, writablePath } from "./overlay.ts";

/** One run of esbuild over a tree. */
export type RunEsbuild = (tree: OpenTree, run: EsbuildRun) => Promise<RunOutcome>;

/** The tree with all that was made, and what is served beside its files. */
export type MadeOutcome =
  | {
      readonly kind: "made";
      readonly tree: OpenTree;
      readonly assets: readonly BuiltAsset[];
      /** What the commit does not have, or has otherwise: by path in the tree. */
      readonly files: ReadonlyMap<string, Uint8Array>;
      /** Files of the assets folder that are source, and are not served. */
      readonly sources: ReadonlySet<string>;
      /** What of packages went into it. */
      readonly packages: readonly BundledPackage[];
      readonly warnings: readonly BuildMessage[];
    }
  | BuildFailure;

/** Runs the build command, then the client's build over what it wrote. */
export async function makeFiles(opened: OpenTree, config: AppConfig, run: RunEsbuild): Promise<MadeOutcome> {
  const commanded = await runBuildCommand(opened, config, run);
  if (commanded.kind === "failed") return commanded;
  const { tree } = commanded;
  const assetsFolder = assetsFolderOf(tree.index, { root: config.root, table: config.assets });
  const client = await buildClient(tree, { config, assetsFolder, run: (each) => run(tree, each) });
  if (client.kind === "failed") return client;
  return {
    kind: "made",
    tree: await overlayTree(tree, client.pages),
    assets: client.assets,
    files: new Map([...commanded.files, ...client.pages]),
    sources: client.sources,
    packages: sortPackages([...commanded.packages, ...client.packages], config.dependencies),
    warnings: [...commanded.warnings, ...client.warnings],
  };
}

interface Commanded {
  readonly kind: "commanded";
  readonly tree: OpenTree;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly packages: readonly BundledPackage[];
  readonly warnings: readonly BuildMessage[];
}

/** Each run sees what those before it wrote. */
async function runBuildCommand(
  opened: OpenTree,
  { buildCommand, packageFile }: AppConfig,
  run: RunEsbuild,
): Promise<Commanded | BuildFailure> {
  const files = new Map<string, Uint8Array>();
  const packages: BundledPackage[] = [];
  const warnings: BuildMessage[] = [];
  let tree = opened;
  if (buildCommand === undefined) return { kind: "commanded", tree, files, packages, warnings };
  const read = readBuildCommandLine(buildCommand, packageFile);
  if (read.kind === "failed") return { kind: "failed", messages: [read.message], total: 1 };
  for (const each of read.runs) {
    const written = await run(tree, each);
    if (written.kind === "failed") return written;
    const outputs = new Map<string, Uint8Array>();
    for (const { path, bytes } of written.outputs) {
      const place = writablePath(tree, path);
      if (typeof place === "object") return { kind: "failed", messages: [place], total: 1 };
      outputs.set(place, bytes);
      files.set(place, bytes);
    }
    packages.push(...written.packages);
    warnings.push(...written.warnings);
    tree = await overlayTree(tree, outputs);
  }
  return { kind: "commanded", tree, files, packages, warnings };
}
