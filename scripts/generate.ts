// Writes the *.generated.* files: text that the Worker carries to run elsewhere. wrangler.jsonc names this as its build
// command and vitest.config.ts runs it, so nobody runs it by hand.
//   build/isolate.generated.json          the builder isolate's program, and esbuild's own JavaScript
//   build/esbuild.generated.bin           esbuild's WebAssembly, as bytes: builder.ts says why
//   build/typecheck/isolate.generated.json  the type checker's program
//   build/typecheck/*.generated.bin       TypeScript's compiler, and the declarations that it knows
//   src/app/wrapper.generated.json        the wrapper module around an app's class
//   src/app/data-reader.generated.json    the host's own class that reads a facet's database
//   src/repo/templates.generated.json     the starter templates, file by file
//   src/http/dashboard/browser.generated.json  the dashboard's script and style, made small
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform, version as esbuildVersion } from "esbuild";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** One program as ES module text. What a Dynamic Worker has anyway stays an import. */
async function bundle(entry: string, external: readonly string[]): Promise<string> {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*", "node:*", ...external],
    legalComments: "none",
    logLevel: "error",
  });
  return result.outputFiles.map((file) => file.text).join("");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Only a changed file is written, so that wrangler's watcher sees nothing where nothing changed. */
function writeGenerated(path: string, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  const target = join(ROOT, path);
  if (existsSync(target) && readFileSync(target, "utf8") === text) return;
  writeFileSync(target, text);
}

/** Once for each version: making the compiler small takes seconds. */
async function writeCompiler(typescript: string, workersTypes: string): Promise<void> {
  const target = join(ROOT, "build/typecheck/typescript.generated.bin");
  const carriedTarget = join(ROOT, "build/typecheck/carried.generated.bin");
  const versions = [typescript, workersTypes].map((folder) =>
    sha256(readFileSync(join(folder, "package.json"), "utf8")),
  );
  const banner = `// ${versions.join(" ")}\n`;
  if (existsSync(carriedTarget) && existsSync(target) && readFileSync(target, "utf8").startsWith(banner)) return;
  const libs = readdirSync(join(typescript, "lib"))
    .filter((name) => /^lib\..*\.d\.ts$/.test(name))
    .map((name) => [`/.typescript/${name}`, readFileSync(join(typescript, "lib", name), "utf8")] as const);
  const types = ["package.json", "index.d.ts"].map(
    (name) =>
      [`/node_modules/@cloudflare/workers-types/${name}`, readFileSync(join(workersTypes, name), "utf8")] as const,
  );
  writeFileSync(carriedTarget, JSON.stringify(Object.fromEntries([...libs, ...types])));
  const { code } = await transform(readFileSync(join(typescript, "lib/typescript.js"), "utf8"), { minify: true });
  writeFileSync(target, banner + code);
}

function readTemplate(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [relative(folder, path).split(sep).join("/"), readFileSync(path, "utf8")] as const)
    .filter(([path]) => !/^(node_modules|\.wrangler)\//.test(path));
  return Object.fromEntries(files.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const isolate = await bundle("build/isolate.ts", ["./esbuild.js", "./esbuild.wasm"]);
const esbuild = readFileSync(join(ROOT, "node_modules/esbuild-wasm/esm/browser.min.js"), "utf8");
// The host's half of the pipeline is not sent anywhere, but decides the result as much as the isolate's half does.
const pipeline = await bundle("build/index.ts", ["*.generated.json", "*.generated.bin"]);
writeGenerated("build/isolate.generated.json", {
  version: `esbuild-${esbuildVersion}-${sha256(isolate + pipeline).slice(0, 12)}`,
  isolate,
  esbuild,
});

const esbuildWasm = readFileSync(join(ROOT, "node_modules/esbuild-wasm/esbuild.wasm"));
const esbuildBin = join(ROOT, "build/esbuild.generated.bin");
if (!existsSync(esbuildBin) || !readFileSync(esbuildBin).equals(esbuildWasm)) writeFileSync(esbuildBin, esbuildWasm);

const typecheck = await bundle("build/typecheck/isolate.ts", ["./typescript.js", "./carried.txt"]);
writeGenerated("build/typecheck/isolate.generated.json", { isolate: typecheck });
await writeCompiler(join(ROOT, "node_modules/typescript-6"), join(ROOT, "node_modules/@cloudflare/workers-types"));

const wrapper = await bundle("src/app/wrapper.ts", ["./app.js"]);
writeGenerated("src/app/wrapper.generated.json", { wrapper, version: sha256(wrapper).slice(0, 12) });

const dataReader = await bundle("src/app/data-reader.ts", []);
writeGenerated("src/app/data-reader.generated.json", {
  dataReader,
  version: sha256(dataReader).slice(0, 12),
});

const templates = readdirSync(join(ROOT, "templates"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => [entry.name, readTemplate(join(ROOT, "templates", entry.name))] as const);
writeGenerated("src/repo/templates.generated.json", Object.fromEntries(templates));

/** A browser's text, with the hash that its address carries. */
async function bundleForBrowser(entry: string): Promise<string> {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [join("src/http/dashboard/browser", entry)],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    // Of 2024: light-dark() is written as it is.
    target: ["es2022", "chrome123", "firefox120", "safari17.5"],
    legalComments: "none",
    logLevel: "error",
  });
  return result.outputFiles.map((file) => file.text).join("");
}

const [script, style] = await Promise.all(["script.ts", "style.css"].map(bundleForBrowser));
if (script === undefined || style === undefined) throw new Error("The dashboard's script and style were not made.");
writeGenerated("src/http/dashboard/browser.generated.json", {
  script,
  style,
  scriptHash: sha256(script).slice(0, 16),
  styleHash: sha256(style).slice(0, 16),
});
