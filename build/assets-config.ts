// The key `assets` of a wrangler configuration, checked as wrangler documents it.
import { type ConfigFile, isTable } from "./config-file.ts";
import type { BuildMessage, SourceLocation } from "./messages.ts";

/** What a path without an exact file means, and where a page's own address is. */
export type HtmlHandling = "auto-trailing-slash" | "force-trailing-slash" | "drop-trailing-slash" | "none";

/** What is served where nothing matches. */
export type NotFoundHandling = "none" | "404-page" | "single-page-application";

/** What the configuration says of assets, its defaults filled in. */
export interface AssetsTable {
  /** As written, and where; undefined where only other keys are set. */
  readonly directory: { readonly path: string; readonly location: SourceLocation } | undefined;
  /** The name in `env`. */
  readonly binding: string;
  readonly htmlHandling: HtmlHandling;
  readonly notFoundHandling: NotFoundHandling;
  /** true: the app is asked first, always; patterns: for these paths ("!" in front: not for these). */
  readonly runWorkerFirst: boolean | readonly string[];
}

/** A configuration that does not mention assets. */
export const DEFAULT_ASSETS: AssetsTable = {
  directory: undefined,
  binding: "ASSETS",
  htmlHandling: "auto-trailing-slash",
  notFoundHandling: "none",
  runWorkerFirst: false,
};

const HTML_HANDLINGS: readonly HtmlHandling[] = [
  "auto-trailing-slash",
  "force-trailing-slash",
  "drop-trailing-slash",
  "none",
];
const NOT_FOUND_HANDLINGS: readonly NotFoundHandling[] = ["none", "404-page", "single-page-application"];

/** Cloudflare's own bounds on run_worker_first. */
const MAX_PATTERNS = 100;
const MAX_PATTERN_LENGTH = 100;

/** The table with what is wrong with it, all of it. */
export function readAssetsTable(file: ConfigFile): { table: AssetsTable; problems: BuildMessage[] } {
  const { assets } = file.value;
  const problems: BuildMessage[] = [];
  const complain = (key: string | undefined, text: string): void => {
    const location = file.locate(key === undefined ? ["assets"] : ["assets", key]);
    problems.push({ code: "config-invalid", text, location });
  };
  if (assets === undefined) return { table: DEFAULT_ASSETS, problems };
  if (!isTable(assets)) {
    complain(undefined, `assets must be a table such as { "directory": "./public" }.`);
    return { table: DEFAULT_ASSETS, problems };
  }
  const text = (key: string, example: string): string | undefined => {
    const value = assets[key];
    if (value === undefined) return undefined;
    if (typeof value === "string" && value !== "") return value;
    complain(key, `assets.${key} must be a string such as "${example}".`);
    return undefined;
  };
  const oneOf = <T extends string>(key: string, values: readonly T[], otherwise: T): T => {
    const value = assets[key];
    const known = values.find((each) => each === value);
    if (value !== undefined && known === undefined) {
      complain(key, `assets.${key} must be one of ${values.map((each) => `"${each}"`).join(", ")}.`);
    }
    return known ?? otherwise;
  };
  const patterns = readRunWorkerFirst(assets["run_worker_first"]);
  if (typeof patterns === "string") complain("run_worker_first", patterns);
  const binding = text("binding", DEFAULT_ASSETS.binding);
  if (binding !== undefined && isTable(file.value["vars"]) && Object.hasOwn(file.value["vars"], binding)) {
    complain("binding", `assets.binding and vars both name ${binding}.`);
  }
  const directory = text("directory", "./public");
  const table: AssetsTable = {
    directory:
      directory === undefined ? undefined : { path: directory, location: file.locate(["assets", "directory"]) },
    binding: binding ?? DEFAULT_ASSETS.binding,
    htmlHandling: oneOf("html_handling", HTML_HANDLINGS, DEFAULT_ASSETS.htmlHandling),
    notFoundHandling: oneOf("not_found_handling", NOT_FOUND_HANDLINGS, DEFAULT_ASSETS.notFoundHandling),
    runWorkerFirst: typeof patterns === "string" ? false : patterns,
  };
  return { table, problems };
}

/** The value, or a sentence on what is wrong with it. */
function readRunWorkerFirst(value: unknown): boolean | readonly string[] | string {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  if (!Array.isArray(value)) return "assets.run_worker_first must be true, false or a list of patterns.";
  const patterns: string[] = [];
  for (const pattern of value) {
    if (typeof pattern !== "string" || !/^!?\//.test(pattern)) {
      return `Each pattern of assets.run_worker_first must begin with "/" or "!/".`;
    }
    if (pattern.length > MAX_PATTERN_LENGTH) {
      return `A pattern of assets.run_worker_first has more than ${MAX_PATTERN_LENGTH} characters, which is the limit.`;
    }
    patterns.push(pattern);
  }
  if (patterns.length > MAX_PATTERNS) {
    return `assets.run_worker_first has ${patterns.length} patterns, and ${MAX_PATTERNS} is the limit.`;
  }
  if (patterns.every((pattern) => pattern.startsWith("!"))) {
    return `assets.run_worker_first needs a pattern without "!": one for which the app is asked.`;
  }
  return patterns;
}
