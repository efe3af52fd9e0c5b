// Which kind of module a file is, where wrangler's `rules` say so. The semantics are wrangler's parseRules: a rule of a type ends the
// rules of that type behind it, its own default among them, unless it says fallthrough.
import { globToRegExp } from "./glob.ts";

/** The kinds of modules that the runtime takes. */
export const RULE_TYPES = ["ESModule", "CommonJS", "CompiledWasm", "Text", "Data"] as const;
export type RuleType = (typeof RULE_TYPES)[number];

/** One rule, as the configuration has it. */
export interface ModuleRule {
  readonly type: RuleType;
  readonly globs: readonly string[];
  readonly fallthrough: boolean;
}

/** Rules that can be asked. */
export interface RuleMatcher {
  /** The rule that a file falls under, and whether an earlier one of its type ended it; by tree path below the module root. */
  find(path: string): { readonly rule: ModuleRule; readonly isEnded: boolean } | undefined;
}

const DEFAULT_RULES: readonly ModuleRule[] = [
  { type: "Text", globs: ["**/*.txt", "**/*.html", "**/*.sql"], fallthrough: false },
  { type: "Data", globs: ["**/*.bin"], fallthrough: false },
  { type: "CompiledWasm", globs: ["**/*.wasm"], fallthrough: false },
];

/** The configuration's rules, and wrangler's own behind them. */
export function makeRuleMatcher(rules: readonly ModuleRule[]): RuleMatcher {
  const ended = new Set<RuleType>();
  const compiled = [...rules, ...DEFAULT_RULES].map((rule) => {
    const isEnded = ended.has(rule.type);
    if (!rule.fallthrough) ended.add(rule.type);
    return { rule, isEnded, patterns: rule.globs.map(globToRegExp) };
  });
  const matches = (path: string) => compiled.filter(({ patterns }) => patterns.some((pattern) => pattern.test(path)));
  return {
    find(path) {
      const found = matches(path);
      return found.find(({ isEnded }) => !isEnded) ?? found[0];
    },
  };
}
