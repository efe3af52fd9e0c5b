// The rules of _headers, _redirects and run_worker_first at work. What they may look like was checked by the build (build/assets-rules.ts):
// a splat and, in each part of a path, one placeholder at most, so that matching cannot take long.
import type { AssetServing } from "../store/assets.ts";

/** What a request is matched by. */
export interface RequestPlace {
  readonly hostname: string;
  /** As the URL has it, not decoded. */
  readonly pathname: string;
}

/** A redirect that applies; with status 200 the path whose file is served instead. */
export interface Redirect {
  readonly to: string;
  readonly status: number;
}

/** The rules of one deploy, ready to be asked. */
export interface AssetRules {
  findRedirect(place: RequestPlace): Redirect | undefined;
  /** Changes the headers of a file's answer. */
  changeHeaders(place: RequestPlace, headers: Headers): void;
  /** Whether the app comes before the assets. */
  isWorkerFirst(pathname: string): boolean;
}

/** Values of splat and placeholders. */
type Captures = Readonly<Record<string, string>>;

type Matcher = (place: RequestPlace) => Captures | undefined;

/** Compiles the rules once for a deploy. */
export function compileRules({ headers, redirects, runWorkerFirst }: AssetServing): AssetRules {
  const exact = new Map(redirects.filter(({ isStatic }) => isStatic).map((rule) => [rule.from, rule]));
  const dynamic = redirects
    .filter(({ isStatic }) => !isStatic)
    .map((rule) => ({ ...rule, match: compileRule(rule.from) }));
  const changes = headers.map((rule) => ({ ...rule, match: compileRule(rule.from) }));
  return {
    findRedirect(place) {
      const found = exact.get(place.pathname);
      if (found !== undefined) return found;
      for (const { match, to, status } of dynamic) {
        const captures = match(place);
        if (captures !== undefined) return { to: fill(to, captures), status };
      }
      return undefined;
    },
    changeHeaders(place, answer) {
      const isSet = new Set<string>();
      for (const { match, set, unset } of changes) {
        const captures = match(place);
        if (captures === undefined) continue;
        for (const name of unset) answer.delete(name);
        for (const [name, value] of set) {
          // What rules say adds up; what the host says gives way.
          if (isSet.has(name)) answer.append(name, fill(value, captures));
          else answer.set(name, fill(value, captures));
          isSet.add(name);
        }
      }
    },
    isWorkerFirst: compileRunWorkerFirst(runWorkerFirst),
  };
}

function compileRunWorkerFirst(setting: AssetServing["runWorkerFirst"]): (pathname: string) => boolean {
  if (typeof setting === "boolean") return () => setting;
  const isFirst = compileGlobs(setting.filter((pattern) => !pattern.startsWith("!")));
  const isExcepted = compileGlobs(
    setting.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1)),
  );
  return (pathname) => isFirst(pathname) && !isExcepted(pathname);
}

function compileGlobs(patterns: readonly string[]): (pathname: string) => boolean {
  const globs = patterns.map((pattern) => pattern.split("*"));
  return (pathname) => globs.some((parts) => matchesGlob(pathname, parts));
}

/** `parts` are what is between the asterisks. Each is looked for from where the one before ended: no way back, so no long search. */
function matchesGlob(text: string, parts: readonly string[]): boolean {
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function compileRule(from: string): Matcher {
  const hasHost = from.startsWith("https://");
  const hostEnd = hasHost ? from.indexOf("/", "https://".length) : 0;
  const host = toPattern(from.slice(0, hostEnd), "[^/.]+");
  const pattern = new RegExp(`^${host}${toPattern(from.slice(hostEnd), "[^/]+")}$`);
  return ({ hostname, pathname }) => {
    // The scheme of a rule is not looked at: behind a proxy that ends TLS it would never be right.
    const found = pattern.exec(hasHost ? `https://${hostname}${pathname}` : pathname);
    return found === null ? undefined : (found.groups ?? {});
  };
}

function toPattern(text: string, placeholder: string): string {
  return text
    .split(/(\*|:[A-Za-z]\w*)/)
    .map((part, at) => {
      if (at % 2 === 0) return part.replaceAll(/[\\^$.|?+()[\]{}/-]/g, "\\$&");
      return part === "*" ? "(?<splat>.*)" : `(?<${part.slice(1)}>${placeholder})`;
    })
    .join("");
}

function fill(text: string, captures: Captures): string {
  return text.replaceAll(/:([A-Za-z]\w*)/g, (whole, name: string) => captures[name] ?? whole);
}
