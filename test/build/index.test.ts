import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Builder, BUILDER_VERSION } from "../../build/builder.ts";
import { build, type Bundle } from "../../build/index.ts";
import { runBundle } from "./run-bundle.ts";
import { type LiteralTree, treeOf } from "./source-tree-literal.ts";

const builder = new Builder(env.LOADER);

async function bundleOf(tree: LiteralTree): Promise<Bundle> {
  const outcome = await build(tree, builder);
  if (outcome.kind === "failed") throw new Error(JSON.stringify(outcome.messages));
  return outcome.bundle;
}

async function codesOf(tree: LiteralTree, by: Builder = builder): Promise<string[]> {
  const outcome = await build(tree, by);
  return outcome.kind === "failed" ? outcome.messages.map(({ code }) => code) : [];
}

/** An app whose answer is the value of `expression`. */
function answering(expression: string, imports = ""): string {
  return `${imports}\nexport default { fetch(): Response { return Response.json(${expression}); } };\n`;
}

/** A tree that takes a minute to read one of its files. */
function stuckTree(): LiteralTree {
  const tree = treeOf({ "index.ts": `import "a";`, "node_modules/a/index.js": "" });
  return {
    ...tree,
    read: async (paths) => {
      if (paths.includes("node_modules/a/index.js")) await scheduler.wait(60_000);
      return tree.read(paths);
    },
  };
}

// (module (func (export "answer") (result i32) i32.const 42))
const WASM = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 10, 1, 6, 97, 110, 115, 119, 101, 114, 0, 0, 10,
  6, 1, 4, 0, 65, 42, 11,
]);

describe("build", () => {
  it("bundles TypeScript and TSX of many files, and the bundle runs", async () => {
    const bundle = await bundleOf(
      treeOf({
        "src/index.ts": answering("page", `import { page } from "./page";`),
        "src/page.tsx": `import { h } from "./h.js";\nimport { names } from "./lib";\nexport const page = <ul>{names.map((n) => <li>{n}</li>)}</ul>;\n`,
        "src/h.ts": `export const h = (tag: string, _: unknown, ...children: unknown[]): unknown => [tag, ...children];\n`,
        "src/lib/index.mts": `enum Kind { A = "a", B = "b" }\nexport const names: string[] = [Kind.A, Kind.B];\n`,
        "tsconfig.json": `{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }`,
      }),
    );
    expect(await runBundle(bundle)).toEqual([
      "ul",
      [
        ["li", "a"],
        ["li", "b"],
      ],
    ]);
    expect(bundle.entry).toBe("src/index.ts");
    expect(bundle.exports).toEqual(["default"]);
    expect(bundle.stats).toMatchObject({
      moduleCount: 4,
      sourceBytes: expect.any(Number),
      bundleBytes: expect.any(Number),
    });
  });

  it("inlines JSON and text, and keeps wasm and data beside the bundle", async () => {
    const bundle = await bundleOf(
      treeOf({
        "src/index.js": answering(
          `[config.a, text, html, sql, md, css, data.byteLength, new WebAssembly.Instance(wasm).exports.answer()]`,
          [
            `import config from "../config.json";`,
            `import text from "./a.txt"; import html from "./a.html"; import sql from "./a.sql";`,
            `import md from "./a.md"; import css from "./a.css";`,
            `import data from "./a.bin"; import wasm from "./lib/a.wasm";`,
          ].join("\n"),
        ).replace("fetch(): Response", "fetch()"),
        "config.json": `{ "a": 1 }`,
        "src/a.txt": "t",
        "src/a.html": "h",
        "src/a.sql": "s",
        "src/a.md": "m",
        "src/a.css": "c",
        "src/a.bin": Uint8Array.from([1, 2, 3]),
        "src/lib/a.wasm": WASM,
      }),
    );
    expect(await runBundle(bundle)).toEqual([1, "t", "h", "s", "m", "c", 3, 42]);
    expect(Object.keys(bundle.modules)).toEqual([
      "index.js",
      "039058c6f2c0cb49-a.bin",
      expect.stringMatching(/^[0-9a-f]{16}-a\.wasm$/),
    ]);
    expect(bundle.stats.moduleCount).toBe(9);
  });

  it("imports Node's modules under either name, also by require", async () => {
    const bundle = await bundleOf(
      treeOf({
        "wrangler.jsonc": `{ "main": "a.js", "compatibility_date": "2025-01-01", "compatibility_flags": ["nodejs_compat"] }`,
        "a.js": answering(
          "[join('a', 'b'), sep, basename('x/y')]",
          `import { join } from "node:path"; import { sep } from "path"; import { basename } from "./b.cjs";`,
        ).replace("(): Response", "()"),
        "b.cjs": `const path = require("path");\nexports.basename = path.basename;\n`,
      }),
    );
    expect(await runBundle(bundle)).toEqual(["a/b", "/", "y"]);
    expect(bundle.compatibilityFlags).toEqual(["nodejs_compat"]);
  });

  it("takes packages from a node_modules that is committed", async () => {
    const tree = treeOf({
      "src/index.ts": answering(
        "[conditional, old, sub, internal]",
        `import conditional from "conditional"; import { old } from "@scope/old"; import sub from "conditional/sub"; import internal from "#internal";`,
      ),
      "package.json": `{ "imports": { "#internal": "./src/internal.ts" } }`,
      "src/internal.ts": `export default "internal";`,
      "node_modules/conditional/package.json": `{ "exports": { ".": { "node": "./no.js", "workerd": "./workerd.js", "default": "./no.js" }, "./sub": "./lib/sub.mjs" } }`,
      "node_modules/conditional/workerd.js": `export default "workerd";`,
      "node_modules/conditional/no.js": `export default "no";`,
      "node_modules/conditional/lib/sub.mjs": `export default "sub";`,
      "node_modules/@scope/old/package.json": `{ "main": "./lib" }`,
      "node_modules/@scope/old/lib/index.js": `exports.old = require("./other") + require("nested");`,
      "node_modules/@scope/old/lib/other.js": `module.exports = "old ";`,
      "node_modules/@scope/old/node_modules/nested/index.js": `module.exports = "nested";`,
      "node_modules/unused/index.js": `throw new Error("not imported");`,
    });
    expect(await runBundle(await bundleOf(tree))).toEqual(["workerd", "old nested", "sub", "internal"]);
    expect(tree.readPaths.filter((path) => path.includes("unused"))).toEqual([]);
  });

  it("resolves the paths of tsconfig.json, through extends", async () => {
    const bundle = await bundleOf(
      treeOf({
        "src/index.ts": answering("[a, b]", `import a from "@/lib/a"; import b from "exact";`),
        "src/lib/a.ts": `export default "a";`,
        "src/b.ts": `export default "b";`,
        "tsconfig.json": `{ "extends": "./tsconfig.base" /* comment */, }`,
        "tsconfig.base.json": `{ "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["./src/*"], "exact": ["src/b.ts"] } } }`,
      }),
    );
    expect(await runBundle(bundle)).toEqual(["a", "b"]);
  });

  it("follows symbolic links inside of the tree", async () => {
    const bundle = await bundleOf(
      treeOf({
        "src/index.ts": answering("[a, b]", `import a from "./linked"; import b from "./folder/b";`),
        "src/linked.ts": { link: "../other/a.ts" },
        "src/folder": { link: "../other" },
        "other/a.ts": `export default "a";`,
        "other/b.ts": `export default "b";`,
      }),
    );
    expect(await runBundle(bundle)).toEqual(["a", "b"]);
  });

  it("compiles decorators as tsconfig.json asks, and standard ones otherwise", async () => {
    const legacy = `const seen: unknown[] = [];\nfunction d(_: object, key: string) { seen.push(key); }\nclass A { @d f() {} }\nvoid A;\n`;
    const standard = `const seen: unknown[] = [];\nfunction d(_: unknown, context: { name: string }) { seen.push(context.name); }\nclass A { @d f() {} }\nvoid A;\n`;
    const options = `{ "compilerOptions": { "experimentalDecorators": true } }`;
    const app = answering("seen");
    expect(await runBundle(await bundleOf(treeOf({ "index.ts": legacy + app, "tsconfig.json": options })))).toEqual([
      "f",
    ]);
    expect(await runBundle(await bundleOf(treeOf({ "index.ts": standard + app })))).toEqual(["f"]);
  });

  it("gives what the configuration says about the app", async () => {
    const bundle = await bundleOf(
      treeOf({
        "wrangler.toml": `name = "x"\nmain = "./app.ts"\ncompatibility_date = "2026-01-01"\n[vars]\nA = "1"\nB = { c = [1, true] }\n[[durable_objects.bindings]]\nname = "ROOM"\nclass_name = "Room"\n`,
        "app.ts": `import { DurableObject } from "cloudflare:workers";\nexport class Room extends DurableObject {}\nexport const other = 1;\n`,
      }),
    );
    expect(bundle).toMatchObject({
      entry: "app.ts",
      exports: ["Room", "other"],
      objectBindings: [{ name: "ROOM", className: "Room" }],
      compatibilityDate: "2026-01-01",
      compatibilityFlags: [],
      vars: { A: "1", B: { c: [1, true] } },
    });
  });

  it("makes a source map whose sources are the tree's paths with their text", async () => {
    const files = {
      "src/index.ts": answering("a", `import a from "./a";`),
      "src/a.ts": `export default 1 as number;\n`,
    };
    const map: unknown = JSON.parse((await bundleOf(treeOf(files))).sourceMap);
    expect(map).toMatchObject({ version: 3, sources: ["src/a.ts", "src/index.ts"] });
    expect(map).toMatchObject({ sourcesContent: [files["src/a.ts"], files["src/index.ts"]] });
  });

  it("gives the same bytes for the same tree, in any order of files and in any isolate", async () => {
    const names = Array.from({ length: 20 }, (_, at) => `m${at}`);
    const files: Record<string, string | Uint8Array> = Object.fromEntries(
      names.map((name, at) => [
        `src/${name}.ts`,
        `${names
          .slice(at + 1, at + 3)
          .map((next) => `import "./${next}";`)
          .join("")}\nconsole.log("${name}");\n`,
      ]),
    );
    files["src/index.ts"] = answering(
      "[a, b]",
      `import "./m0"; import a from "../x/a.bin"; import b from "../y/a.bin";`,
    );
    files["x/a.bin"] = Uint8Array.from([1]);
    files["y/a.bin"] = Uint8Array.from([1]);
    const shuffled = Object.fromEntries(Object.entries(files).toReversed());
    const first = await bundleOf(treeOf(files));
    const outcome = await build(treeOf(shuffled), new Builder(env.LOADER, { isolateBytes: 0 }));
    expect(outcome).toEqual({ kind: "built", bundle: first, warnings: [] });
    expect(Object.keys(first.modules)).toHaveLength(2);
  });

  it("builds several trees at once", async () => {
    const trees = Array.from({ length: 6 }, (_, at) => treeOf({ "index.ts": answering(String(at)) }));
    const bundles = await Promise.all(trees.map(bundleOf));
    expect(await Promise.all(bundles.map((bundle) => runBundle(bundle)))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("refuses what goes past a limit", async () => {
    const files = {
      "index.ts": answering("a", `import a from "./a"; import "./b";`),
      "a.ts": `export default "${"x".repeat(3000)}";`,
      "b.ts": "",
    };
    const limited = (limits: ConstructorParameters<typeof Builder>[1]): Promise<string[]> =>
      codesOf(treeOf(files), new Builder(env.LOADER, limits));
    expect(await limited({ treeFiles: 2 })).toEqual(["build-limit"]);
    expect(await limited({ modules: 2 })).toEqual(["build-limit"]);
    expect(await limited({ fileBytes: 2000 })).toEqual(["build-limit"]);
    expect(await limited({ sourceBytes: 3000 })).toEqual(["build-limit"]);
    expect(await limited({ bundleBytes: 3000 })).toEqual(["bundle-too-large"]);
    expect(await limited({})).toEqual([]);
  });

  it("throws what reading the tree throws", async () => {
    const tree = treeOf({ "index.ts": `import "a";`, "node_modules/a/index.js": "" });
    const failing = {
      ...tree,
      read: (paths: readonly string[]) =>
        paths.includes("node_modules/a/index.js") ? Promise.reject(new Error("R2 is away")) : tree.read(paths),
    };
    await expect(build(failing, builder)).rejects.toThrow("R2 is away");
    expect(await codesOf(treeOf({ "index.ts": "" }))).toEqual([]);
  });

  it("fails the build of code that the bundler cannot read, and shows at most five messages", async () => {
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    const broken = Object.fromEntries(names.map((name) => [`${name}.ts`, "let = ;"]));
    const outcome = await build(
      treeOf({ ...broken, "index.ts": names.map((name) => `import "./${name}";`).join("\n") }),
      builder,
    );
    expect(outcome).toMatchObject({ kind: "failed", total: 7 });
    expect(outcome.kind === "failed" && outcome.messages.map(({ location }) => location?.path)).toEqual([
      "a.ts",
      "b.ts",
      "c.ts",
      "d.ts",
      "e.ts",
    ]);
  });
});

describe("the settings in package.json", () => {
  it("name the path that a rehearsal asks for", async () => {
    const files = { "index.ts": answering("1") };
    expect((await bundleOf(treeOf(files))).probe).toBe(undefined);
    const settled = { ...files, "package.json": `{ "slipway": { "probe": "/health?deep=1" } }` };
    expect((await bundleOf(treeOf(settled))).probe).toBe("/health?deep=1");
  });

  it.each([`"//elsewhere/"`, `"/a b"`, "7", `""`])("refuse %s as a path", async (probe) => {
    const tree = treeOf({ "index.ts": answering("1"), "package.json": `{ "slipway": { "probe": ${probe} } }` });
    expect(await codesOf(tree)).toEqual(["config-invalid"]);
  });
});

describe("Builder", () => {
  it("stops a build that takes too long, and the next one works", async () => {
    const impatient = new Builder(env.LOADER, { timeMs: 1500 });
    expect(await codesOf(stuckTree(), impatient)).toEqual(["build-limit"]);
    expect(await codesOf(treeOf({ "index.ts": answering("1") }), impatient)).toEqual([]);
  });

  it("replaces an isolate whose memory has grown past the bound", async () => {
    const small = new Builder(env.LOADER, { isolateBytes: 0 });
    // An isolate that another test left busy is passed over.
    const names = (): string[] => [0, 1, 2, 3].map((slot) => small.nameOf(slot));
    const before = names();
    expect(await codesOf(treeOf({ "index.ts": answering("1") }), small)).toEqual([]);
    const after = names();
    expect(after).not.toEqual(before);
    expect(await codesOf(treeOf({ "index.ts": answering("1") }), small)).toEqual([]);
    expect(names()).not.toEqual(after);
  });

  it("keeps an isolate within the bound", async () => {
    const kept = new Builder(env.LOADER);
    const before = kept.nameOf(0);
    expect(await codesOf(treeOf({ "index.ts": answering("1") }), kept)).toEqual([]);
    expect(kept.nameOf(0)).toBe(before);
  });

  it("starts again where the isolate of a name has ended", async () => {
    const first = new Builder(env.LOADER, { isolateBytes: 0 });
    await codesOf(treeOf({ "index.ts": answering("1") }), first);
    const late = new Builder(env.LOADER);
    expect(await codesOf(treeOf({ "index.ts": answering("1") }), late)).toEqual([]);
  });

  it("ends the isolate of a build whose memory has grown past the limit, and the next one works", async () => {
    const small = new Builder(env.LOADER, { memoryBytes: 1, isolateBytes: 1 });
    const names = (): string[] => [0, 1, 2, 3].map((slot) => small.nameOf(slot));
    const before = names();
    const outcome = await build(treeOf({ "index.ts": answering("1") }), small);
    expect(outcome).toMatchObject({ kind: "failed", messages: [{ code: "build-limit" }] });
    expect(names()).not.toEqual(before);
    expect(await codesOf(treeOf({ "index.ts": answering("1") }))).toEqual([]);
  });
});

describe("BUILDER_VERSION", () => {
  it("names esbuild's version and this pipeline", () => {
    expect(BUILDER_VERSION).toMatch(/^esbuild-\d+\.\d+\.\d+-[0-9a-f]{12}$/);
  });
});
