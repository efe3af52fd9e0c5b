// esbuild's own command line as options of its build function, flag by flag as esbuild documents them. What would only matter on a
// machine of one's own (a log level, colours) is let be; what is not known here is refused by name.
import { isStringTable } from "./config-check.ts";
import type { BuildMessage } from "./messages.ts";
import { nearestName } from "./nearest.ts";
import { fileName, joinPath } from "./tree-path.ts";

/** Options of esbuild that are plain values. */
export type PlainOptions = Readonly<
  Record<string, string | boolean | readonly string[] | Readonly<Record<string, string>>>
>;

/** One run: what it begins with, where it works, and how. Paths are the tree's. */
export interface EsbuildRun {
  readonly entryPoints: readonly { readonly in: string; readonly out?: string }[];
  readonly options: PlainOptions;
  /** Patterns that stay imports. */
  readonly external: readonly string[];
  readonly platform: "browser" | "node" | "neutral";
  /** As for the resolver: another package, or "/" and a path of the tree. Undefined: the configuration's own. */
  readonly alias?: Readonly<Record<string, string>>;
  readonly tsconfig?: string;
}

/** The run, or what is wrong with the line. */
export type ArgumentsOutcome =
  | { readonly kind: "read"; readonly run: EsbuildRun }
  | { readonly kind: "failed"; readonly problem: Pick<BuildMessage, "text" | "fix"> };

type Apply = (draft: Draft, value: string) => string | undefined;

interface Draft {
  readonly cwd: string;
  readonly options: Record<string, string | boolean | readonly string[] | Record<string, string>>;
  readonly external: string[];
  readonly alias: Record<string, string>;
  platform: EsbuildRun["platform"];
  tsconfig?: string;
}

const BOOLEANS: Readonly<Record<string, string>> = {
  bundle: "bundle",
  minify: "minify",
  "minify-whitespace": "minifyWhitespace",
  "minify-identifiers": "minifyIdentifiers",
  "minify-syntax": "minifySyntax",
  splitting: "splitting",
  "keep-names": "keepNames",
  "jsx-dev": "jsxDev",
  "jsx-side-effects": "jsxSideEffects",
  "allow-overwrite": "allowOverwrite",
  "ignore-annotations": "ignoreAnnotations",
  "sources-content": "sourcesContent",
};

const TEXTS: Readonly<Record<string, string>> = {
  format: "format",
  charset: "charset",
  "global-name": "globalName",
  jsx: "jsx",
  "jsx-factory": "jsxFactory",
  "jsx-fragment": "jsxFragment",
  "jsx-import-source": "jsxImportSource",
  "entry-names": "entryNames",
  "chunk-names": "chunkNames",
  "asset-names": "assetNames",
  "public-path": "publicPath",
  "legal-comments": "legalComments",
  "tree-shaking": "treeShaking",
  "source-root": "sourceRoot",
};

const LISTS: Readonly<Record<string, string>> = {
  target: "target",
  conditions: "conditions",
  "main-fields": "mainFields",
  pure: "pure",
  drop: "drop",
  "drop-labels": "dropLabels",
};

const TABLES: Readonly<Record<string, string>> = {
  define: "define",
  loader: "loader",
  banner: "banner",
  footer: "footer",
  "out-extension": "outExtension",
  "log-override": "logOverride",
  supported: "supported",
};

/** What changes nothing that is written. */
const LET_BE = new Set(["log-level", "log-limit", "color", "metafile", "analyze", "watch-delay", "line-limit"]);

const SPECIAL: Readonly<Record<string, Apply>> = {
  outfile: (draft, value) => setPath(draft, "outfile", value),
  outdir: (draft, value) => setPath(draft, "outdir", value),
  outbase: (draft, value) => setPath(draft, "outbase", value),
  tsconfig: (draft, value) => {
    const path = joinPath(draft.cwd, value);
    if (path !== undefined) draft.tsconfig = path;
    return path === undefined ? outside("tsconfig", value) : undefined;
  },
  platform: (draft, value) => {
    if (value !== "browser" && value !== "node" && value !== "neutral") return `--platform cannot be "${value}".`;
    draft.platform = value;
    return undefined;
  },
  sourcemap: (draft, value) => {
    draft.options["sourcemap"] = value === "" ? true : value;
    return undefined;
  },
  packages: (draft, value) => {
    if (value === "external") draft.external.push("*");
    return value === "external" || value === "bundle" ? undefined : `--packages cannot be "${value}".`;
  },
};

const KNOWN = [BOOLEANS, TEXTS, LISTS, TABLES, SPECIAL].flatMap(Object.keys).concat(["external", "alias"]);

/** Reads the words behind "esbuild". `cwd` is where the command runs, in the tree. */
export function readEsbuildArguments(words: readonly string[], cwd: string): ArgumentsOutcome {
  const draft: Draft = { cwd, options: {}, external: [], alias: {}, platform: "browser" };
  const entryPoints: { in: string; out?: string }[] = [];
  for (const word of words) {
    const problem = word.startsWith("-") ? readFlag(draft, word) : readEntry(entryPoints, cwd, word);
    if (problem !== undefined) return failed(problem, suggest(word));
  }
  const { options, external, platform, tsconfig, alias } = draft;
  if (entryPoints.length === 0) return failed("This esbuild command line names no file to begin with.");
  if (options["outfile"] === undefined && options["outdir"] === undefined) {
    return failed("This esbuild command line writes no file: it has neither --outfile nor --outdir.");
  }
  if (typeof options["outfile"] === "string" && fileName(options["outfile"]) === "")
    return failed("--outfile names no file.");
  const run = { entryPoints, options, external, alias, platform, ...(tsconfig === undefined ? {} : { tsconfig }) };
  return { kind: "read", run };
}

function readEntry(entryPoints: { in: string; out?: string }[], cwd: string, word: string): string | undefined {
  const named = /^([^=]+)=(.+)$/.exec(word);
  const path = joinPath(cwd, named?.[2] ?? word);
  if (path === undefined || path === "") return outside("An entry point", word);
  entryPoints.push(named?.[1] === undefined ? { in: path } : { in: path, out: named[1] });
  return undefined;
}

function readFlag(draft: Draft, word: string): string | undefined {
  const [, name = "", separator = "", value = ""] = /^--([a-z-]+)(?:([:=])(.*))?$/s.exec(word) ?? [];
  const { options } = draft;
  const special = SPECIAL[name];
  if (separator === ":") return readColon(draft, name, value);
  if (LET_BE.has(name)) return undefined;
  if (special !== undefined) return special(draft, value);
  const [boolean, text, list] = [BOOLEANS[name], TEXTS[name], LISTS[name]];
  if (boolean !== undefined && ["", "true", "false"].includes(value)) options[boolean] = value !== "false";
  else if (text !== undefined && separator === "=") options[text] = name === "tree-shaking" ? value === "true" : value;
  else if (list !== undefined && separator === "=") options[list] = value.split(",");
  else return `This host does not know esbuild's flag ${word.slice(0, 60)}.`;
  return undefined;
}

/** "--define:A=1", "--external:react", "--alias:a=b", "--pure:f". */
function readColon({ options, external, alias, cwd }: Draft, name: string, value: string): string | undefined {
  if (name === "external") external.push(value);
  else if (name === "pure" || name === "drop") options[name] = [...listOf(options[name]), value];
  else {
    const table = TABLES[name];
    const at = value.indexOf("=");
    const [key, text] = [value.slice(0, at), value.slice(at + 1)];
    if (name === "alias" && at > 0) {
      alias[key] = /^\.\.?\//.test(text) ? `/${joinPath(cwd, text) ?? ""}` : text;
      return undefined;
    }
    if (table === undefined || at < 1) return `This host does not know esbuild's flag --${name}:${value.slice(0, 40)}.`;
    const known = options[table];
    const entries = isStringTable(known) ? known : {};
    options[table] = { ...entries, [key]: text };
  }
  return undefined;
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function setPath(draft: Draft, key: "outfile" | "outdir" | "outbase", value: string): string | undefined {
  const path = joinPath(draft.cwd, value);
  if (path === undefined || value === "") return outside(`--${key}`, value);
  draft.options[key] = `/${path}`;
  return undefined;
}

function outside(what: string, path: string): string {
  return `${what} names "${path}", which is outside of the repository.`;
}

function suggest(word: string): string | undefined {
  const name = /^--([a-z-]+)/.exec(word)?.[1];
  const nearest = name === undefined || KNOWN.includes(name) ? undefined : nearestName(name, KNOWN);
  return nearest === undefined ? undefined : `Did you mean "--${nearest}"?`;
}

function failed(text: string, fix?: string): ArgumentsOutcome {
  return { kind: "failed", problem: { text, ...(fix === undefined ? {} : { fix }) } };
}
