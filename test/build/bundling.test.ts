// What the configuration says about bundling, seen in what the bundle then does.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Builder } from "../../build/builder.ts";
import { build, type Bundle } from "../../build/index.ts";
import { runBundle } from "./run-bundle.ts";
import { treeOf, type TreeEntry } from "./source-tree-literal.ts";

const builder = new Builder(env.LOADER);

type Files = Readonly<Record<string, TreeEntry>>;

async function bundleOf(files: Files): Promise<Bundle> {
  const outcome = await build(treeOf(files), builder);
  if (outcome.kind === "failed") throw new Error(JSON.stringify(outcome.messages));
  return outcome.bundle;
}

const answerOf = async (files: Files): Promise<unknown> => runBundle(await bundleOf(files));
const answering = (expression: string, imports = ""): string =>
  `${imports}\nexport default { fetch() { return Response.json(${expression}); } };\n`;
const wrangler = (config: object): string => JSON.stringify({ compatibility_date: "2026-01-01", ...config });
const codeOf = (bundle: Bundle): string => {
  const module = bundle.modules["index.js"];
  return module?.kind === "esm" ? module.text : "";
};

describe("rules", () => {
  it("decide what a file is, with wrangler's own behind them", async () => {
    const rules = [
      { type: "Text", globs: ["**/*.glsl", "data/*.{csv,tsv}"], fallthrough: true },
      { type: "Data", globs: ["**/*.png"] },
    ];
    const files = {
      "wrangler.jsonc": wrangler({ rules, base_dir: "." }),
      "src/index.ts": answering(
        "[shader, table, page, logo.byteLength]",
        `import shader from "./a.glsl"; import table from "../data/t.csv"; import page from "./p.html"; import logo from "./l.png";`,
      ),
      "src/a.glsl": "void main",
      "data/t.csv": "1,2",
      "src/p.html": "<p>",
      "src/l.png": Uint8Array.from([1, 2, 3]),
    };
    expect(await answerOf(files)).toEqual(["void main", "1,2", "<p>", 3]);
  });
});

describe("define, alias, minify and JSX", () => {
  it("are what the configuration says", async () => {
    const config = {
      define: { "process.env.STAGE": `"live"`, LIMIT: "3" },
      alias: { old: "./src/replacement.ts", "other/deep": "./src/deep" },
      jsx_factory: "h",
      jsx_fragment: "F",
      minify: true,
    };
    const bundle = await bundleOf({
      "wrangler.jsonc": wrangler(config),
      "src/index.tsx": answering(
        "[process.env.STAGE, LIMIT, old, deep, <><b /></>, class Kept {}.name]",
        `import old from "old"; import deep from "other/deep/x"; const F = "f"; const h = (tag, _, ...rest) => [tag, ...rest];`,
      ),
      "src/replacement.ts": `export default "replaced";`,
      "src/deep/x.ts": `export default "deep";`,
    });
    expect(await runBundle(bundle)).toEqual(["live", 3, "replaced", "deep", ["f", ["b"]], "Kept"]);
    expect(codeOf(bundle).split("\n").length).toBeLessThan(4);
  });

  it("leave names out where keep_names is off", async () => {
    const files = { "src/index.ts": answering("1", "export function named() {}") };
    expect(codeOf(await bundleOf(files))).toContain("__name");
    const config = wrangler({ keep_names: false });
    expect(codeOf(await bundleOf({ ...files, "wrangler.jsonc": config }))).not.toContain("__name");
  });
});

describe("no_bundle", () => {
  const files = {
    "wrangler.jsonc": wrangler({
      main: "src/worker.js",
      no_bundle: true,
      rules: [{ type: "ESModule", globs: ["**/*.js"] }],
    }),
    "src/worker.js": answering(
      "[a, text, other]",
      `import a from "./lib/a.js"; import text from "./t.txt"; import { other } from "./lib/b.js";\nexport class App {}`,
    ),
    "src/lib/a.js": `export default "a";`,
    "src/lib/b.js": `export const other = new URL(import.meta.url).pathname !== "";`,
    "src/t.txt": "text",
    "outside.js": `throw new Error("not below the entry's folder");`,
  };

  it("takes the entry and what the rules find as they are", async () => {
    const bundle = await bundleOf(files);
    expect(Object.keys(bundle.modules).toSorted()).toEqual([
      "index.js",
      "unbundled/src/lib/a.js",
      "unbundled/src/lib/b.js",
      "unbundled/src/t.txt",
      "unbundled/src/worker.js",
    ]);
    expect(bundle.modules["unbundled/src/worker.js"]).toEqual({ kind: "esm", text: files["src/worker.js"] });
    expect(bundle.exports).toEqual(["App", "default"]);
  });

  it("still finds syntax errors", async () => {
    const outcome = await build(treeOf({ ...files, "src/worker.js": "const = 1;" }), builder);
    expect(outcome).toMatchObject({ kind: "failed", messages: [{ location: { path: "src/worker.js" } }] });
  });
});

describe("find_additional_modules", () => {
  it("puts the modules that rules find beside the bundle, under their own names", async () => {
    const bundle = await bundleOf({
      "wrangler.jsonc": wrangler({
        find_additional_modules: true,
        rules: [{ type: "ESModule", globs: ["lang/*.js"] }],
      }),
      "src/index.ts": `import { en } from "./lang/en.js";
        const load = async (name: string) => { const path = "./lang/" + name + ".js"; return (await import(path))[name]; };
        export default { async fetch() { return Response.json([en, await load("fr")]); } };`,
      "src/lang/en.js": `export const en = "hello";`,
      "src/lang/fr.js": `export const fr = "bonjour";`,
    });
    expect(Object.keys(bundle.modules)).toEqual(["index.js", "lang/en.js", "lang/fr.js"]);
    expect(await runBundle(bundle)).toEqual(["hello", "bonjour"]);
  });
});

describe("preserve_file_names", () => {
  it("keeps the names of modules beside the bundle", async () => {
    const bundle = await bundleOf({
      "wrangler.jsonc": wrangler({ preserve_file_names: true }),
      "src/index.ts": answering("data.byteLength", `import data from "./files/a.bin";`),
      "src/files/a.bin": Uint8Array.from([1]),
    });
    expect(Object.keys(bundle.modules)).toEqual(["index.js", "files/a.bin"]);
    expect(await runBundle(bundle)).toBe(1);
  });
});

describe("tsconfig", () => {
  it("is followed through lists, packages and ${configDir}", async () => {
    const files = {
      "wrangler.jsonc": wrangler({ tsconfig: "config/tsconfig.app.json" }),
      "config/tsconfig.app.json": `{ "extends": ["@acme/tsconfig/jsx", "../base"] }`,
      "base.json": `{ "extends": "@acme/tsconfig", "compilerOptions": { "paths": { "~/*": ["\${configDir}/../src/*"] } } }`,
      "node_modules/@acme/tsconfig/package.json": `{ "exports": { ".": "./strict.json", "./jsx": "./presets/jsx.json" } }`,
      "node_modules/@acme/tsconfig/strict.json": `{ "compilerOptions": { "useDefineForClassFields": false } }`,
      "node_modules/@acme/tsconfig/presets/jsx.json": `{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "tiny" } }`,
      "node_modules/tiny/jsx-runtime.js": `export const jsx = (tag, props) => ({ tag, props });`,
      "src/index.tsx": answering(
        "[<a b={1} />, value, new B().seen]",
        `import { value } from "~/value";\nclass A { set x(_: number) { this.seen = "set"; } seen = "field"; }\nclass B extends A { x = 1; }`,
      ),
      "src/value.ts": `export const value = 2;`,
    };
    expect(await answerOf(files)).toEqual([{ tag: "a", props: { b: 1 } }, 2, "set"]);
  });

  it("that extends itself many times over comes to an end", async () => {
    const files = {
      "tsconfig.json": `{ "extends": [${Array.from({ length: 50 }, () => `"./tsconfig.json"`).join()}] }`,
      "index.js": answering("1"),
    };
    expect(await answerOf(files)).toBe(1);
  });
});

describe("what others read", () => {
  it("is in the bundle: crons and Durable Object bindings", async () => {
    const bundle = await bundleOf({
      "wrangler.toml": `compatibility_date = "2026-01-01"\n[triggers]\ncrons = ["*/5 * * * *"]\n[[durable_objects.bindings]]\nname = "ROOM"\nclass_name = "Room"\n`,
      "index.js": answering("1"),
    });
    expect(bundle.crons).toEqual(["*/5 * * * *"]);
    expect(bundle.objectBindings).toEqual([{ name: "ROOM", className: "Room" }]);
  });
});
