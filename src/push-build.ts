// The build stage of a push: from a commit's source tree to code with an ID and a class. A tree that the same builder built
// before is known by its key and is not built again.
import { createHash } from "node:crypto";
import { BUILDER_VERSION } from "../build/builder.ts";
import { build, type Bundle } from "../build/index.ts";
import { formatWarning } from "../build/messages.ts";
import { codeId } from "./app/code-id.ts";
import { chooseEntryClass, type EntryClass, listExports } from "./app/entry-class.ts";
import type { Candidate } from "./app/rehearsal.ts";
import type { Supervisor } from "./app/supervisor.ts";
import { type AssetFacts, storeAssets } from "./push-assets.ts";
import { describeBuildFailure, describeStartFailure, shellWord, type PushFailure } from "./push-failure.ts";
import type { Host } from "./push-host.ts";
import type { Repository } from "./repo/repository.ts";
import type { CommitTree } from "./repo/source-tree.ts";

/** What the report says of a bundle, and what is remembered with it. */
export type BuildFacts = NonNullable<Awaited<ReturnType<Supervisor["findBuild"]>>>["facts"];

/** Code that can be rehearsed, or why there is none. */
export type Built =
  | {
      readonly kind: "built";
      readonly candidate: Candidate;
      readonly buildKey: string;
      readonly facts: BuildFacts;
      readonly assets: AssetFacts;
      readonly tookMs: number;
      /** What was odd but built, a line each. */
      readonly warnings: readonly string[];
    }
  /** The tree was built before, for that deploy. */
  | {
      readonly kind: "known";
      readonly candidate: Candidate;
      readonly buildKey: string;
      readonly facts: BuildFacts;
      readonly deployNumber: number;
    }
  | { readonly kind: "failed"; readonly failure: PushFailure };

/** What to build, and the clock. */
export interface BuildInput {
  readonly request: { readonly apiUrl: string };
  readonly tree: CommitTree;
  readonly repository: Repository;
  readonly supervisor: DurableObjectStub<Supervisor>;
  readonly now: () => number;
}

type Entry = EntryClass & { readonly kind: "found" };

/** Builds a source tree, or finds that it was built. */
export async function buildTree(input: BuildInput, host: Host): Promise<Built> {
  const { root } = input.repository.state.settings;
  const buildKey = createHash("sha256").update(`${input.tree.treeId}\n${BUILDER_VERSION}\n${root}`).digest("hex");
  const known = await input.supervisor.findBuild(buildKey);
  if (known !== undefined) {
    const { codeId: knownId, varsJson, assetsId, facts } = known;
    const candidate = { code: { codeId: knownId }, varsJson, assetsId, probe: facts.probe };
    return { kind: "known", candidate, buildKey, facts, deployNumber: known.deployNumber };
  }
  const startedMs = input.now();
  const outcome = await build(input.tree, host.builder, rootSetting(input), host.npm);
  if (outcome.kind === "failed") {
    return { kind: "failed", failure: describeBuildFailure(outcome.messages, outcome.total) };
  }
  const { bundle } = outcome;
  const entry = await chooseEntryClass(bundle, host.env.LOADER);
  if (entry.kind === "failed") return { kind: "failed", failure: describeStartFailure("build", entry) };
  const stored = await storeAssets(bundle, input);
  if (stored.kind === "failed") return stored;
  return {
    kind: "built",
    candidate: { ...makeCandidate(bundle, entry), assetsId: stored.assetsId },
    buildKey,
    facts: factsOf(bundle, entry),
    assets: stored.facts,
    tookMs: input.now() - startedMs,
    warnings: [...outcome.warnings.map(formatWarning), ...entry.notes],
  };
}

/** The one command that says where the app is. */
function rootSetting({ request: { apiUrl }, repository }: BuildInput): Parameters<typeof build>[2] {
  const setCommand = (folder: string): string =>
    `curl -X PATCH ${apiUrl} -H "authorization: Bearer $TOKEN" -H "content-type: application/json" -d ${shellWord(JSON.stringify({ root: folder }))}`;
  return { root: repository.state.settings.root, setCommand };
}

function makeCandidate(bundle: Bundle, { className, objects }: Entry): Candidate {
  const { modules, compatibilityDate, compatibilityFlags, crons, sourceMap, vars, probe } = bundle;
  const definition = { modules, className, objects, compatibilityDate, compatibilityFlags, crons };
  return { code: { ...definition, sourceMap, codeId: codeId(definition) }, varsJson: JSON.stringify(vars), probe };
}

function factsOf(bundle: Bundle, { className, objects }: Entry): BuildFacts {
  const { moduleCount, sourceBytes, bundleBytes } = bundle.stats;
  const assetCount = bundle.assets.length;
  const packages = bundle.packages.map(({ name, version }) => `${name} ${version}`);
  const { entry, probe } = bundle;
  const sizes = { moduleCount, sourceBytes, bundleBytes, assetCount };
  return {
    entry,
    className,
    objectClasses: listExports(objects),
    ...sizes,
    packages,
    probe,
  };
}
