// Ranges to versions where no lockfile says which: what npm would install into an empty folder. A version that was chosen for one
// dependent serves the next whose range it fits; otherwise the newest that fits, and `latest` before anything newer.
import { maxSatisfying, satisfies, validRange } from "semver";
import { type Override, type OverrideRules, overrideFor, scopeOf } from "./overrides.ts";
import { type Failed, missingPackage, missingVersion, unsupportedSource } from "./package-failure.ts";
import { type PackageSpec, parseSpec } from "./package-spec.ts";
import type { GraphPackage, PackageGraph } from "./placement.ts";
import type { Manifest, Packument } from "./registry.ts";

/** One dependency of the repository's own package.json files. */
export interface RootDependency {
  readonly folder: string;
  readonly alias: string;
  readonly spec: string;
  readonly isOptional: boolean;
}

/** What to resolve, and how to ask the registry. */
export interface RangeRequest {
  readonly roots: readonly RootDependency[];
  readonly overrides: OverrideRules;
  findPackument(name: string): Promise<Packument | Failed>;
}

/** Somebody who needs a package: a folder of the repository or a package. */
interface Edge {
  readonly alias: string;
  readonly spec: string;
  readonly isOptional: boolean;
  /** A peer is whatever its dependent's surroundings have, if they have it. */
  readonly isPeer: boolean;
  /** The dependency of the repository's own that leads here. */
  readonly root: RootDependency;
  /** The names of the packages above, from the root. */
  readonly ancestors: readonly string[];
  readonly from: Map<string, string>;
}

interface GrowingPackage extends GraphPackage {
  readonly dependencies: Map<string, string>;
}

interface Resolving {
  readonly request: RangeRequest;
  readonly packages: Map<string, GrowingPackage>;
  /** The chosen versions by the name that they are imported by and their own. */
  readonly chosen: Map<string, Set<string>>;
  /** What the repository's own folders have been given so far. */
  readonly roots: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const MAX_PACKAGES = 3000;

/** What could not be resolved, and what of the repository's own asks for it. */
export interface Unresolved extends Failed {
  readonly root?: RootDependency;
}

/** The graph, or the first dependency that cannot be resolved. */
export async function resolveRanges(request: RangeRequest): Promise<PackageGraph | Unresolved> {
  const roots = new Map<string, Map<string, string>>();
  for (const { folder } of request.roots) if (!roots.has(folder)) roots.set(folder, new Map());
  const resolving: Resolving = { request, packages: new Map(), chosen: new Map(), roots };
  let level: Edge[] = request.roots.map((root) => {
    const { folder, alias, spec, isOptional } = root;
    return {
      alias,
      spec,
      isOptional,
      isPeer: false,
      root,
      ancestors: [],
      from: roots.get(folder) ?? new Map<string, string>(),
    };
  });
  while (level.length > 0) {
    const next: Edge[] = [];
    const wanted = level.map((edge) => ({ edge, asked: parseSpec(edge.alias, specOf(edge, request.overrides)) }));
    // All documents of a level at once; each edge then finds its own known.
    await Promise.all(
      wanted.flatMap(({ asked }) => (asked.kind === "registry" ? [request.findPackument(asked.name)] : [])),
    );
    for (const { edge, asked } of wanted) {
      const outcome = await resolveEdge(resolving, edge, asked);
      if (outcome !== undefined && "kind" in outcome) return unresolved(outcome, edge);
      next.push(...(outcome?.edges ?? []));
    }
    if (resolving.packages.size > MAX_PACKAGES) return tooMany();
    level = next.toSorted((a, b) => Number(a.isPeer) - Number(b.isPeer));
  }
  return { packages: resolving.packages, roots };
}

function unresolved({ failure }: Failed, { root, ancestors }: Edge): Unresolved {
  const notes = ancestors.length === 0 ? {} : { notes: [`${ancestors.join(" > ")} depends on it.`] };
  return { kind: "failed", failure: { ...failure, ...notes }, root };
}

function specOf(edge: Edge, overrides: OverrideRules): string {
  const rule: Override | undefined = overrideFor(overrides, edge.alias, edge.spec, edge.ancestors);
  return rule?.spec ?? edge.spec;
}

async function resolveEdge(
  resolving: Resolving,
  edge: Edge,
  asked: PackageSpec,
): Promise<{ readonly edges: Edge[] } | Failed | undefined> {
  if (asked.kind === "elsewhere" && !edge.isOptional) return unsupportedSource(edge.alias, asked.spec);
  if (asked.kind !== "registry") return undefined;
  const { packages, chosen, request } = resolving;
  const atRoot = edge.isPeer ? resolving.roots.get(edge.root.folder)?.get(edge.alias) : undefined;
  if (atRoot !== undefined) {
    edge.from.set(edge.alias, atRoot);
    return undefined;
  }
  const packument = await request.findPackument(asked.name);
  if ("kind" in packument) {
    if (edge.isOptional) return undefined;
    const isMissing = packument.failure.code === "dependency-missing";
    return isMissing
      ? missingPackage(
          asked.name,
          [...packages.values()].map(({ name }) => name),
        )
      : packument;
  }
  const key = `${edge.alias} ${asked.name}`;
  const versions = chosen.get(key) ?? new Set<string>();
  const manifest = chooseVersion(packument, asked.range, versions);
  if (manifest === undefined || (edge.isOptional && manifest.isForPlatform)) {
    return edge.isOptional ? undefined : missingVersion(asked.name, asked.range, packument.tags["latest"]);
  }
  chosen.set(key, versions.add(manifest.version));
  const ancestors = [...edge.ancestors, asked.name];
  const id = `${asked.name}@${manifest.version}${scopeOf(request.overrides, ancestors)}`;
  edge.from.set(edge.alias, id);
  if (packages.has(id)) return undefined;
  const added: GrowingPackage = {
    name: asked.name,
    version: manifest.version,
    integrity: manifest.integrity,
    dependencies: new Map(),
  };
  packages.set(id, added);
  return { edges: edgesOf(manifest, { ...edge, ancestors }, added.dependencies) };
}

function edgesOf(manifest: Manifest, above: Pick<Edge, "root" | "ancestors">, from: Map<string, string>): Edge[] {
  const { root, ancestors } = above;
  const kinds = [
    { listed: manifest.dependencies, isOptional: false, isPeer: false },
    { listed: manifest.optionalDependencies, isOptional: true, isPeer: false },
    { listed: manifest.peerDependencies, isOptional: false, isPeer: true },
  ];
  return kinds.flatMap(({ listed, isOptional, isPeer }) => {
    const names = Object.keys(listed).toSorted();
    return names.map((alias) => ({ alias, spec: listed[alias] ?? "*", isOptional, isPeer, root, ancestors, from }));
  });
}

/** The version for a range or a tag: one that is in use, else `latest`, else the newest, deprecated ones last (npm-pick-manifest). */
function chooseVersion(packument: Packument, range: string, inUse: ReadonlySet<string>): Manifest | undefined {
  const { tags, versions } = packument;
  if (validRange(range, { loose: true }) === null) return versions.get(tags[range] ?? "");
  const used = maxSatisfying([...inUse], range, { loose: true });
  if (used !== null) return versions.get(used);
  const latest = versions.get(tags["latest"] ?? "");
  if (
    latest !== undefined &&
    !latest.isDeprecated &&
    (range === "*" || satisfies(latest.version, range, { loose: true }))
  ) {
    return latest;
  }
  const all = [...versions.keys()];
  const current = all.filter((version) => versions.get(version)?.isDeprecated === false);
  const best = maxSatisfying(current, range, { loose: true }) ?? maxSatisfying(all, range, { loose: true });
  return best === null ? undefined : versions.get(best);
}

function tooMany(): Failed {
  const text = `package.json leads to more than ${MAX_PACKAGES} packages, which is the limit without a lockfile.`;
  return { kind: "failed", failure: { code: "build-limit", text, fix: "Commit a package-lock.json: npm install." } };
}
