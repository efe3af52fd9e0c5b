import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Builder } from "../../../build/builder.ts";
import { build, type Bundle, type BuildOutcome } from "../../../build/index.ts";
import { codeId } from "../../../src/app/code-id.ts";
import { runBundle } from "../run-bundle.ts";
import { treeOf, type TreeEntry } from "../source-tree-literal.ts";
import { lockOf, makeRegistry, type TestRegistry } from "./test-registry.ts";

const builder = new Builder(env.LOADER);

function buildWith(files: Readonly<Record<string, TreeEntry>>, registry: TestRegistry): Promise<BuildOutcome> {
  return build(treeOf(files), builder, undefined, registry);
}

async function bundleOf(files: Readonly<Record<string, TreeEntry>>, registry: TestRegistry): Promise<Bundle> {
  const outcome = await buildWith(files, registry);
  if (outcome.kind === "failed") throw new Error(JSON.stringify(outcome.messages, undefined, 2));
  return outcome.bundle;
}

/** An app whose answer is the value of `expression`. */
function answering(expression: string, imports: string): string {
  return `${imports}\nexport default { fetch() { return Response.json(${expression}); } };\n`;
}

function packageJson(dependencies: Readonly<Record<string, string>>, more: object = {}): string {
  return JSON.stringify({ dependencies, ...more });
}

const SMALL = {
  "small@1.2.3": {
    manifest: { main: "main.js" },
    files: { "main.js": `module.exports = "small";`, "README.md": "# small" },
  },
};

describe("a lockfile", () => {
  it("is installed as it is laid out, and what was built before asks the network nothing", async () => {
    const registry = await makeRegistry({
      ...SMALL,
      "small@2.0.0": { files: { "index.js": `module.exports = "small 2";` } },
      "@scope/big@1.0.0": {
        manifest: { exports: { ".": { node: "./no.js", workerd: "./yes.mjs" } }, dependencies: { small: "^2" } },
        files: { "yes.mjs": `import small from "small"; export const big = "big with " + small;` },
      },
      "unused@1.0.0": {},
    });
    const files = {
      "index.ts": answering("[small, big]", `import small from "small"; import { big } from "@scope/big";`),
      "package.json": packageJson({ small: "^1.0.0", "@scope/big": "1", unused: "1" }),
      "package-lock.json": lockOf({
        "node_modules/small": { ...registry.locked("small@1.2.3"), resolved: "https://evil.test/small.tgz" },
        "node_modules/@scope/big": registry.locked("@scope/big@1.0.0"),
        "node_modules/@scope/big/node_modules/small": registry.locked("small@2.0.0"),
        "node_modules/unused": registry.locked("unused@1.0.0"),
      }),
    };
    const bundle = await bundleOf(files, registry);
    expect(await runBundle(bundle)).toEqual(["small", "big with small 2"]);
    expect(bundle.packages).toEqual([
      { name: "@scope/big", version: "1.0.0" },
      { name: "small", version: "1.2.3" },
      { name: "small", version: "2.0.0" },
    ]);
    expect(registry.requests.toSorted()).toEqual([
      "@scope/big/-/big-1.0.0.tgz",
      "small/-/small-1.2.3.tgz",
      "small/-/small-2.0.0.tgz",
    ]);
    registry.intercept = () => new Response("down", { status: 503 });
    expect(await bundleOf(files, registry)).toEqual(bundle);
    expect(registry.requests).toHaveLength(3);
  });
});

function idOf(bundle: Bundle): string {
  return codeId({ ...bundle, className: "App" });
}

describe("the code ID", () => {
  it("is the same for the same files in another order, by another builder and from another cache", async () => {
    const packages = {
      ...SMALL,
      "many@1.0.0": { files: { "a.js": "exports.a = 1;", "index.js": `exports.a = require("./a").a;` } },
    };
    const registry = await makeRegistry(packages);
    const files = {
      "src/index.ts": answering(
        "[small, a, data.byteLength]",
        `import small from "small"; import { a } from "many"; import data from "../a.bin";`,
      ),
      "a.bin": Uint8Array.from([1, 2]),
      "package.json": packageJson({ small: "1", many: "1" }),
      "package-lock.json": lockOf({
        "node_modules/small": registry.locked("small@1.2.3"),
        "node_modules/many": registry.locked("many@1.0.0"),
      }),
    };
    const shuffled = Object.fromEntries(Object.entries(files).toReversed());
    const other = new Builder(env.LOADER, { isolateBytes: 0 });
    const outcome = await build(treeOf(shuffled), other, undefined, registry);
    if (outcome.kind === "failed") throw new Error(JSON.stringify(outcome.messages));
    const cached = idOf(await bundleOf(files, registry));
    expect(cached).toMatch(/^[0-9a-f]{64}$/);
    expect(idOf(outcome.bundle)).toBe(cached);
    const changed = { ...files, "a.bin": Uint8Array.from([1, 3]) };
    expect(idOf(await bundleOf(changed, registry))).not.toBe(cached);
  });
});

describe("no lockfile", () => {
  it("resolves ranges as npm would, and remembers what they came to", async () => {
    const registry = await makeRegistry({
      "old@1.0.0": { files: { "index.js": `module.exports = "old 1";` } },
      "old@1.9.0": { files: { "index.js": `module.exports = "old 1.9";` } },
      "old@2.0.0": { files: { "index.js": `module.exports = "old 2";` } },
      "user@1.0.0": {
        manifest: { dependencies: { old: "^1.0.0" } },
        files: { "index.js": `module.exports = "user of " + require("old");` },
      },
    });
    const files = {
      "index.ts": answering(
        "[user, old, alias]",
        `import user from "user"; import old from "old"; import alias from "alias";`,
      ),
      "package.json": packageJson(
        { user: "*", old: "^2", alias: "npm:old@1.0.0" },
        { devDependencies: { unused: "1" } },
      ),
    };
    const bundle = await bundleOf(files, registry);
    expect(await runBundle(bundle)).toEqual(["user of old 1.9", "old 2", "old 1"]);
    registry.intercept = () => Response.error();
    expect(await bundleOf(files, registry)).toEqual(bundle);
  });
});

/** Code that asks for a module and does without. */
function tries(name: string): string {
  return `try { found.push(require("${name}")); } catch { found.push("no ${name}"); }\n`;
}

describe("an import that may fail", () => {
  it("is left to the program where what it asks for is absent", async () => {
    const registry = await makeRegistry({
      "native@1.0.0": { files: { "index.js": "", "binding.gyp": "{}" } },
      "user@1.0.0": {
        files: { "index.js": `const found = [];\n${tries("peer")}${tries("./gone")}module.exports = found;` },
      },
    });
    const files = {
      "index.js": answering(
        "found",
        `import user from "user";\nconst found = [user];\n${tries("native")}${tries("own")}`,
      ),
      "package.json": packageJson({ user: "1" }, { optionalDependencies: { native: "1" } }),
      "package-lock.json": lockOf({
        "node_modules/user": registry.locked("user@1.0.0"),
        "node_modules/native": registry.locked("native@1.0.0"),
      }),
    };
    expect(await runBundle(await bundleOf(files, registry))).toEqual([["no peer", "no ./gone"], "no native", "no own"]);
  });

  it("fails the build where nothing catches it, and where the registry is down", async () => {
    const registry = await makeRegistry({ "user@1.0.0": {} });
    const uncaught = { "index.js": answering("1", `const own = require("own"); void import("./gone.js");`) };
    expect(await buildWith(uncaught, registry)).toMatchObject({
      kind: "failed",
      messages: [
        { code: "dependency-not-found", text: expect.stringContaining('"own"') },
        { code: "import-not-found" },
      ],
    });
    registry.intercept = () => Response.error();
    const down = {
      "index.js": answering("1", `const found = [];\n${tries("user")}`),
      "package.json": packageJson({ user: "1" }),
      "package-lock.json": lockOf({ "node_modules/user": registry.locked("user@1.0.0") }),
    };
    expect(await buildWith(down, registry)).toMatchObject({ messages: [{ code: "registry-unreachable" }] });
  });
});

describe("a dependency for development", () => {
  it("is resolved where any file imports it, also one that nothing looked at before", async () => {
    const registry = await makeRegistry({
      "dev@1.0.0": { files: { "index.js": `module.exports = "dev";` } },
      "unused@1.0.0": {},
    });
    const files = {
      "index.ts": answering("value", `import value from "./tests/used";`),
      "tests/used.ts": `export { default } from "./__tests__/deep";`,
      "tests/__tests__/deep.ts": `import dev from "dev"; export default dev;`,
      "package.json": packageJson({}, { devDependencies: { dev: "1", unused: "1" } }),
    };
    const bundle = await bundleOf(files, registry);
    expect(await runBundle(bundle)).toBe("dev");
    expect(bundle.packages).toEqual([{ name: "dev", version: "1.0.0" }]);
    expect(registry.requests.filter((url) => url.includes("unused"))).toEqual([]);
  });
});

describe("client code", () => {
  it("has packages too, which are told with the Worker's", async () => {
    const registry = await makeRegistry({
      "view@1.0.0": {
        manifest: { exports: { ".": { workerd: "./no.js", browser: "./browser.js" }, "./jsx-runtime": "./jsx.js" } },
        files: {
          "browser.js": `export const render = (tree) => "rendered by view " + tree;`,
          "jsx.js": `export const jsx = (tag) => "<" + tag + ">"; export const jsxs = jsx;`,
        },
      },
      "small@1.0.0": { files: { "index.js": `module.exports = "small";` } },
    });
    const files = {
      "src/index.ts": answering("small", `import small from "small";`),
      "public/index.html": `<script type="module" src="./client.tsx"></script>`,
      "public/client.tsx": `import { render } from "view"; console.log(render(<main />));`,
      "tsconfig.json": `{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "view" } }`,
      "package.json": packageJson({ small: "1" }, { devDependencies: { view: "1" } }),
    };
    const bundle = await bundleOf(files, registry);
    const script = bundle.assets.find(({ path }) => path.endsWith(".js"));
    expect(script?.source.kind === "bytes" && new TextDecoder().decode(script.source.bytes)).toContain(
      "rendered by view",
    );
    expect(bundle.packages).toEqual([
      { name: "small", version: "1.0.0" },
      { name: "view", version: "1.0.0" },
    ]);
    expect(await runBundle(bundle)).toBe("small");
  });
});
