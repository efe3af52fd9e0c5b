// Modules that are not bundled: those that rules find below the module root (find_additional_modules), and with no_bundle the entry too.
// They keep their paths, so that what they import of each other is where they say.
import type { BundledFile, BundleRequest } from "./bundle-request.ts";
import type { BuildMessage } from "./messages.ts";
import type { RuleType } from "./module-rules.ts";
import { pathInModules, takeBundledFile, type TreeFiles } from "./tree-files.ts";
import { isInNodeModules } from "./tree-path.ts";

/** Where no_bundle's modules are: apart from index.js, which is the host's. source-maps.ts of the host knows it too. */
const UNBUNDLED = "unbundled/";

const KINDS: Readonly<Record<Exclude<RuleType, "CommonJS">, BundledFile["kind"]>> = {
  ESModule: "esm",
  Text: "text",
  Data: "data",
  CompiledWasm: "wasm",
};

/** Puts the modules that rules find beside the bundle, whether or not something imports them. What is wrong, or undefined. */
export async function takeAdditionalModules(
  request: BundleRequest,
  files: TreeFiles,
): Promise<BuildMessage | undefined> {
  const { bundling, entry } = request;
  if (bundling.noBundle && /\.(?:[cm]?tsx?|jsx)$/.test(entry)) return typescriptEntry(entry);
  const entries = bundling.noBundle ? [{ path: entry, type: "ESModule" as const }] : [];
  const found = bundling.findAdditionalModules ? findModules(files, entry) : [];
  for (const { path, type } of [...entries, ...found]) {
    if (type === "CommonJS") return commonJs(path);
    const name = bundling.noBundle ? `${UNBUNDLED}${path}` : pathInModules(files.naming, path);
    if (name === "index.js") return sameName(path);
    const taken = await takeBundledFile(files, { path, kind: KINDS[type], name });
    if (taken.kind === "failed") return taken.failure;
  }
  return undefined;
}

function findModules({ index, naming }: TreeFiles, entry: string): { path: string; type: RuleType }[] {
  const { moduleRoot, rules } = naming;
  return [...index.files.keys()]
    .filter((path) => path !== entry && !isInNodeModules(path) && !/(^|\/)\./.test(path))
    .filter((path) => moduleRoot === "" || path.startsWith(`${moduleRoot}/`))
    .flatMap((path) => {
      const match = rules.find(pathInModules(naming, path));
      return match === undefined || match.isEnded ? [] : [{ path, type: match.rule.type }];
    });
}

/** With no_bundle index.js only hands on what the entry exports, and the map only carries the sources, for frames of errors. */
export async function unbundledEntry(
  request: BundleRequest,
  files: TreeFiles,
  exports: readonly string[],
): Promise<{ readonly code: Uint8Array; readonly sourceMap: Uint8Array }> {
  const from = JSON.stringify(`./${UNBUNDLED}${request.entry}`);
  const withDefault = exports.includes("default") ? `export { default } from ${from};\n` : "";
  const sources = [...files.bundled.values()].filter(({ kind }) => kind === "esm").map(({ path }) => path);
  const texts = await Promise.all(sources.map((path) => files.reader.read(path, files.taken.get(path) ?? 0)));
  const sourcesContent = texts.map((text) => new TextDecoder().decode(text));
  const map = { version: 3, sources, sourcesContent, names: [], mappings: "" };
  return { code: encode(`export * from ${from};\n${withDefault}`), sourceMap: encode(JSON.stringify(map)) };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function typescriptEntry(entry: string): BuildMessage {
  return {
    code: "config-unsupported",
    text: `no_bundle takes modules as they are, and the runtime reads no TypeScript or JSX: ${entry}.`,
    fix: "Remove no_bundle: the host then makes JavaScript of it.",
  };
}

function commonJs(path: string): BuildMessage {
  return {
    code: "config-unsupported",
    text: `The rules make ${path} a CommonJS module that is not bundled, which this host does not have.`,
    fix: "Make it an ES module, or remove the rule and no_bundle: the host then bundles it.",
  };
}

function sameName(path: string): BuildMessage {
  return {
    code: "config-invalid",
    text: `${path} would be the module index.js, which is the name of the bundle itself.`,
    fix: "Rename the file, or set base_dir to a folder above it.",
  };
}
