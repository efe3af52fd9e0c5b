// What an imported file becomes: source that esbuild bundles, or a module that stays as it is beside the bundle. The configuration's
// rules come first, then the extension.
import type { Loader } from "esbuild-wasm";
import type { ImportFailure } from "./import-failure.ts";
import type { RuleType } from "./module-rules.ts";
import { type ModuleNaming, pathInModules } from "./tree-files.ts";
import { extensionOf } from "./tree-path.ts";

/** The kind of module that a file is. */
export type ModuleKind =
  | { readonly kind: "source"; readonly loader: Loader }
  | { readonly kind: "wasm" | "data" }
  | { readonly kind: "failed"; readonly failure: ImportFailure };

/** How a file with an extension becomes a module. JSX is allowed in .js files, as under wrangler. */
const LOADERS: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "jsx",
  ".mjs": "jsx",
  ".cjs": "jsx",
  ".jsx": "jsx",
  ".json": "json",
  ".txt": "text",
  ".html": "text",
  ".sql": "text",
  ".md": "text",
  ".css": "text",
};

const BESIDE = [".wasm", ".bin"];

const KINDS: Readonly<Record<RuleType, ModuleKind>> = {
  ESModule: { kind: "source", loader: "jsx" },
  CommonJS: { kind: "source", loader: "jsx" },
  Text: { kind: "source", loader: "text" },
  Data: { kind: "data" },
  CompiledWasm: { kind: "wasm" },
};

/** Looks a file up by its path in the tree. */
export function moduleKind(naming: ModuleNaming, path: string): ModuleKind {
  const extension = extensionOf(path);
  const loader = LOADERS[extension];
  const found = naming.rules.find(pathInModules(naming, path));
  if (found === undefined) return loader === undefined ? unknownKind(path) : { kind: "source", loader };
  const { rule, isEnded } = found;
  if (isEnded) return endedRule(path, rule.type);
  const isScript = rule.type === "ESModule" || rule.type === "CommonJS";
  return isScript && loader !== undefined ? { kind: "source", loader } : KINDS[rule.type];
}

function endedRule(path: string, type: RuleType): ModuleKind {
  const text = `${path} falls under a rule for ${type} modules, but an earlier rule for ${type} ends it.`;
  const fix = 'Add "fallthrough": true to the earlier rule in the wrangler configuration.';
  return { kind: "failed", failure: { code: "build-failed", text, fix } };
}

function unknownKind(path: string): ModuleKind {
  const extension = extensionOf(path);
  if (extension === ".node") {
    const text = `${path} is a native addon, which the runtime cannot load.`;
    const fix = "Use a package that is all JavaScript, or WebAssembly.";
    return { kind: "failed", failure: { code: "dependency-native", text, fix } };
  }
  const known = [...Object.keys(LOADERS), ...BESIDE].join(" ");
  const what = extension === "" ? "no extension" : `the extension ${extension}`;
  const text = `${path} has ${what}, which cannot be imported.`;
  const notes = [`Can be: ${known}`, "Others can be by rules in the wrangler configuration, as Text or Data."];
  return { kind: "failed", failure: { code: "build-failed", text, notes } };
}
