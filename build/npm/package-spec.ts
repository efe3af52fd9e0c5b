// What package.json may write behind a dependency's name, as npm reads it (npm-package-arg): a range or tag of the registry,
// perhaps under another name, or a source that is no registry.

/** One dependency. */
export type PackageSpec =
  | { readonly kind: "registry"; readonly name: string; readonly range: string }
  /** A folder, as written: relative to the package.json that has it. */
  | { readonly kind: "folder"; readonly path: string }
  /** A package of the same repository. */
  | { readonly kind: "workspace" }
  /** git, an address, or what only another package manager knows. */
  | { readonly kind: "elsewhere"; readonly spec: string };

const GIT = /^(git(\+[a-z]+)?:|git@|github:|gitlab:|bitbucket:|gist:)|^[^@/\s:]+\/[^/\s:]+$/;

/** Reads the value behind `name`. */
export function parseSpec(name: string, spec: string): PackageSpec {
  const trimmed = spec.trim();
  if (trimmed.startsWith("workspace:")) return { kind: "workspace" };
  const folder =
    /^(?:file|link|portal):(.*)$/.exec(trimmed)?.[1] ?? (/^(\.{1,2}(\/|$)|\/|~\/)/.test(trimmed) ? trimmed : undefined);
  if (folder !== undefined) {
    return /\.(tgz|tar\.gz|tar)$/.test(folder)
      ? { kind: "elsewhere", spec: trimmed }
      : { kind: "folder", path: folder };
  }
  if (trimmed.startsWith("npm:")) return parseAlias(trimmed.slice("npm:".length));
  if (GIT.test(trimmed) || /^[a-z][a-z0-9+.-]*:/i.test(trimmed)) return { kind: "elsewhere", spec: trimmed };
  return { kind: "registry", name, range: trimmed === "" ? "*" : trimmed };
}

/** "foo@^1", "@a/b@1" or "foo". */
function parseAlias(alias: string): PackageSpec {
  const at = alias.lastIndexOf("@");
  if (at <= 0) return { kind: "registry", name: alias, range: "*" };
  return { kind: "registry", name: alias.slice(0, at), range: alias.slice(at + 1) || "*" };
}

const NAME = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/i;

/** Whether a text can be a package's name: names become paths and parts of URLs. */
export function isPackageName(name: string): boolean {
  return name.length <= 214 && NAME.test(name);
}
