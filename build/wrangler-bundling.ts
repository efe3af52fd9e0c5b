// The part of a wrangler configuration that says how the entry becomes modules: rules, define, alias, minify and their like.
import { type ConfigCheck, isBoolean, isString, isStringList, isStringTable, isTableList } from "./config-check.ts";
import { isTable } from "./config-file.ts";
import type { BuildMessage } from "./messages.ts";
import { type ModuleRule, RULE_TYPES, type RuleType } from "./module-rules.ts";
import { folderOf, joinPath } from "./tree-path.ts";

/** How a bundle is made. Paths are the tree's. */
export interface BundlingConfig {
  readonly rules: readonly ModuleRule[];
  /** Expressions, by the name that they replace. */
  readonly define: Readonly<Record<string, string>>;
  /** What is imported in place of a package: another package, or "/" and a path of the tree. */
  readonly alias: Readonly<Record<string, string>>;
  readonly minify: boolean;
  readonly keepNames: boolean;
  readonly jsxFactory: string | undefined;
  readonly jsxFragment: string | undefined;
  /** The entry and what the rules find, as they are. */
  readonly noBundle: boolean;
  readonly findAdditionalModules: boolean;
  readonly preserveFileNames: boolean;
  /** Where names of modules beside the entry begin; undefined: the entry's folder. */
  readonly baseDir: string | undefined;
}

/** wrangler's own defaults. */
export const DEFAULT_BUNDLING: BundlingConfig = {
  rules: [],
  define: {},
  alias: {},
  minify: false,
  keepNames: true,
  jsxFactory: undefined,
  jsxFragment: undefined,
  noBundle: false,
  findAdditionalModules: false,
  preserveFileNames: false,
  baseDir: undefined,
};

/** Reads the keys; what is wrong with them is in `check`. */
export function readBundling(check: ConfigCheck): BundlingConfig {
  const flag = (key: string, otherwise: boolean) => check.value([key], "true or false", isBoolean) ?? otherwise;
  const noBundle = flag("no_bundle", false);
  return {
    rules: readRules(check),
    define: readDefine(check),
    alias: readAlias(check),
    minify: flag("minify", false),
    keepNames: flag("keep_names", true),
    jsxFactory: check.value(["jsx_factory"], 'a name such as "h"', isString),
    jsxFragment: check.value(["jsx_fragment"], 'a name such as "Fragment"', isString),
    noBundle,
    findAdditionalModules: flag("find_additional_modules", noBundle),
    preserveFileNames: flag("preserve_file_names", false),
    baseDir: readBaseDir(check),
  };
}

function readRules(check: ConfigCheck): ModuleRule[] {
  const rules = check.value(["rules"], "a list of tables with type and globs", isTableList) ?? [];
  return rules.flatMap((_, at) => {
    const type = check.value(["rules", at, "type"], "the type of a module", isString);
    const globs = check.value(["rules", at, "globs"], 'a list such as ["**/*.txt"]', isStringList);
    const fallthrough = check.value(["rules", at, "fallthrough"], "true or false", isBoolean) ?? false;
    if (type !== undefined && globs !== undefined && isRuleType(type)) return [{ type, globs, fallthrough }];
    const isMissing = type === undefined || globs === undefined;
    const text = isMissing
      ? "A rule must have a type and globs."
      : `A module cannot be of the type "${type}" here, only ${RULE_TYPES.join(", ")}.`;
    check.problems.push({ code: "config-invalid", text, location: check.file.locate(["rules", at, "type"]) });
    return [];
  });
}

function isRuleType(type: string): type is RuleType {
  return RULE_TYPES.some((known) => known === type);
}

const EXPRESSIONS = "a table of expressions, each a string";

/** esbuild takes names and JSON for a value. What it would refuse is said here, where the place is known. */
function readDefine(check: ConfigCheck): Readonly<Record<string, string>> {
  const define = check.value(["define"], EXPRESSIONS, isStringTable) ?? {};
  for (const [name, value] of Object.entries(define)) {
    const problem = defineProblem(name, value);
    if (problem === undefined) continue;
    check.problems.push({ code: "config-invalid", location: check.file.locate(["define", name]), ...problem });
  }
  // A copy: a parsed table has no prototype, and so could not be sent to the builder isolate.
  return { ...define };
}

const ENTITY = /^[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*$/u;

function defineProblem(name: string, value: string): Pick<BuildMessage, "text" | "fix"> | undefined {
  if (!ENTITY.test(name))
    return { text: `define can only replace a name such as DEBUG or process.env.X, not "${name}".` };
  if (ENTITY.test(value) || isJson(value)) return undefined;
  const text = `The value of define.${name} is an expression, and ${JSON.stringify(value)} is none.`;
  return { text, fix: `A string needs quotes of its own: ${JSON.stringify(JSON.stringify(value))}.` };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readAlias(check: ConfigCheck): Readonly<Record<string, string>> {
  const alias = check.value(["alias"], "a table of strings", isStringTable) ?? {};
  const folder = folderOf(check.file.path);
  const resolved = Object.entries(alias).map(([name, target]) => {
    if (!/^\.\.?(\/|$)/.test(target)) return [name, target] as const;
    const path = joinPath(folder, target);
    if (path === undefined) check.problems.push(outside(check, ["alias", name], target));
    return [name, `/${path ?? ""}`] as const;
  });
  return Object.fromEntries(resolved);
}

function readBaseDir(check: ConfigCheck): string | undefined {
  const baseDir = check.value(["base_dir"], 'a path such as "src"', isString);
  if (baseDir === undefined) return undefined;
  const path = joinPath(folderOf(check.file.path), baseDir);
  if (path === undefined) check.problems.push(outside(check, ["base_dir"], baseDir));
  return path;
}

function outside(check: ConfigCheck, keys: readonly string[], path: string): BuildMessage {
  const text = `${keys.join(".")} names "${path}", which is outside of the repository.`;
  return { code: "config-invalid", text, location: check.file.locate(keys) };
}

/** The command that wrangler runs before it bundles. */
export interface BuildCommand {
  readonly command: string;
  /** Where it runs, in the tree. */
  readonly cwd: string;
  readonly location: ReturnType<ConfigCheck["file"]["locate"]>;
}

/** build.command, if the configuration has one. */
export function readBuildCommand(check: ConfigCheck): BuildCommand | undefined {
  const build = check.value(["build"], "a table with command", isTable);
  const command = check.value(["build", "command"], "a command", isString);
  const cwd = check.value(["build", "cwd"], "a path", isString) ?? ".";
  if (build === undefined || command === undefined || command.trim() === "") return undefined;
  const folder = joinPath(folderOf(check.file.path), cwd);
  if (folder === undefined) check.problems.push(outside(check, ["build", "cwd"], cwd));
  return { command, cwd: folder ?? "", location: check.file.locate(["build", "command"]) };
}
