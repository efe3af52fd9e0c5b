// Why a package cannot be had, in words that its user can act on. Each has a code of its own.
import { formatBytes } from "../limits.ts";
import type { BuildMessage } from "../messages.ts";
import { nearestName } from "../nearest.ts";

/** A message; without a place it gets that of the import that asked for the package. */
export type PackageFailure = BuildMessage;

/** What goes wrong is an outcome of everything that gets packages. */
export interface Failed {
  readonly kind: "failed";
  readonly failure: PackageFailure;
}

/** One package in one version, as messages name it. */
export interface PackageName {
  readonly name: string;
  readonly version: string;
}

export function failed(failure: PackageFailure): Failed {
  return { kind: "failed", failure };
}

export function noRegistry(what: string): Failed {
  return failed({
    code: "registry-unreachable",
    text: `${what} is not in this host's cache, and the host was started without an npm registry.`,
    fix: "Ask the host's owner to start it with npm on PATH or NPM_REGISTRY set, or commit node_modules.",
  });
}

export function unreachable(what: string, reason: string): Failed {
  return failed({
    code: "registry-unreachable",
    text: `The npm registry did not give ${what}: ${reason}.`,
    fix: "Push again in a moment. What this host installed before needs no registry.",
  });
}

export function unauthorized(what: string, status: number): Failed {
  return failed({
    code: "registry-unauthorized",
    text: `The npm registry answered ${status} for ${what}: it is private, and this host's token does not open it.`,
    fix: "The host's owner sets NPM_TOKEN for this registry; or commit node_modules.",
  });
}

export function missingPackage(name: string, known: Iterable<string>): Failed {
  const nearest = nearestName(
    name,
    [...known].filter((other) => other !== name),
  );
  return failed({
    code: "dependency-missing",
    text: `The npm registry has no package "${name}".`,
    fix: nearest === undefined ? "Is the name spelled right in package.json?" : `Did you mean "${nearest}"?`,
  });
}

/** `asked` is a version, a range or a tag. */
export function missingVersion(name: string, asked: string, latest: string | undefined): Failed {
  return failed({
    code: "dependency-version-missing",
    text: `The npm registry has no version of "${name}" for "${asked}".`,
    fix: latest === undefined ? `npm view ${name} versions shows what there is.` : `The latest is ${latest}.`,
  });
}

export function mismatch({ name, version }: PackageName, expected: string, actual: string): Failed {
  return failed({
    code: "integrity-mismatch",
    text: `The tarball of ${name} ${version} is not the one that was locked, so nothing of it was used.`,
    notes: [`expected ${expected}`, `received ${actual}`],
    fix: `If the package was published anew under this version, lock it again: npm install ${name}@${version}.`,
  });
}

export function noIntegrity({ name, version }: PackageName): Failed {
  return failed({
    code: "integrity-mismatch",
    text: `Neither the lockfile nor the registry has a checksum for ${name} ${version} that can be verified.`,
    fix: "Lock it again: npm install. A checksum is a sha512, or at least a sha1.",
  });
}

export function invalidTarball({ name, version }: PackageName, reason: string): Failed {
  return failed({ code: "package-invalid", text: `The tarball of ${name} ${version} cannot be unpacked: ${reason}.` });
}

export function tooLarge({ name, version }: PackageName, what: "files" | "bytes", limit: number): Failed {
  const shown = what === "files" ? `${limit} files` : formatBytes(limit);
  return failed({ code: "build-limit", text: `${name} ${version} unpacks to more than ${shown}, which is the limit.` });
}

export function nativeAddon({ name, version }: PackageName): Failed {
  return failed({
    code: "dependency-native",
    text: `${name} ${version} is a native addon (it has a binding.gyp), which the runtime cannot load.`,
    fix: "Use a package that is all JavaScript, or WebAssembly.",
  });
}

/** A dependency from somewhere that is no registry. */
export function unsupportedSource(name: string, spec: string): Failed {
  return failed({
    code: "dependency-unsupported",
    text: `"${name}" comes from ${sourceWords(spec)}: a build takes packages from the npm registry only.`,
    notes: [`${name}: ${withoutSecrets(spec)}`],
    fix: "Use a published version, or put the package into this repository and depend on it with file:.",
  });
}

function sourceWords(spec: string): string {
  if (spec.startsWith("patch:")) return "a patch of another one";
  if (/^(file|link):|^\.{0,2}\//.test(spec)) return "a folder outside of this repository";
  return /^https?:/.test(spec) && !/\.git(#|$)/.test(spec) ? "an address" : "a git repository";
}

/** An address may hold a user's password. */
function withoutSecrets(spec: string): string {
  return spec.replace(/\/\/[^/@\s]*@/, "//");
}
