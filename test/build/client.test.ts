// Client code and build commands: what is served, and what the pages say.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Builder } from "../../build/builder.ts";
import { build, type Bundle } from "../../build/index.ts";
import { formatMessages } from "../../build/messages.ts";
import { runBundle } from "./run-bundle.ts";
import { treeOf, type TreeEntry } from "./source-tree-literal.ts";

const builder = new Builder(env.LOADER);

type Files = Readonly<Record<string, TreeEntry>>;

async function bundleOf(files: Files): Promise<Bundle> {
  const outcome = await build(treeOf(files), builder);
  if (outcome.kind === "failed") throw new Error(formatMessages(outcome.messages, outcome.total).join("\n"));
  return outcome.bundle;
}

async function printed(files: Files): Promise<string> {
  const outcome = await build(treeOf(files), builder);
  return outcome.kind === "failed" ? formatMessages(outcome.messages, outcome.total).join("\n") : "built";
}

const APP = `export default { fetch() { return Response.json(1); } };\n`;
const wrangler = (config: object): string => JSON.stringify({ compatibility_date: "2026-01-01", ...config });
const textOf = (bundle: Bundle, path: string): string => {
  const source = bundle.assets.find((asset) => asset.path === path)?.source;
  return source?.kind === "bytes" ? new TextDecoder().decode(source.bytes) : `${source?.kind}`;
};
const pathsOf = (bundle: Bundle): string[] =>
  bundle.assets.map(({ path }) => path.replace(/-[A-Z0-9]{8}\./, "-HASH.")).toSorted();

const PAGE: Files = {
  "src/index.ts": APP,
  "public/index.html": `<!doctype html>\n<head><link rel="stylesheet" href="./style.css"></head>\n<!-- <script type="module" src="./no.ts"></script> --><p title='é'>hi</p>\n<script type="module" src="./client.tsx?v=1"></script><script src="classic.js"></script><script type="module" src="https://x.test/a.js"></script>\n`,
  "public/classic.js": "classic;",
  "public/style.css": `@import "./colours.css";\nbody { background: url(./dot.png) }\n`,
  "public/colours.css": `p { color: red }`,
  "public/dot.png": Uint8Array.from([1, 2, 3]),
  "public/client.tsx": `import "./widget.css"; import { greet } from "../src/shared"; import(/* later */ "./late");
    const h = (tag: string): string => tag; if (process.env.NODE_ENV === "production") console.log(greet, <b />);`,
  "public/widget.css": "b { color: blue }",
  "public/late.ts": `console.log("late" as string);`,
  "src/shared.ts": `export const greet: string = "hello from shared";`,
  "tsconfig.json": `{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }`,
};

describe("a page's scripts and style sheets", () => {
  it("are bundled under hashed names, and the page names them", async () => {
    const bundle = await bundleOf(PAGE);
    expect(pathsOf(bundle)).toEqual([
      "/assets/client-HASH.css",
      "/assets/client-HASH.js",
      "/assets/dot-HASH.png",
      "/assets/late-HASH.js",
      "/assets/style-HASH.css",
      "/classic.js",
      "/colours.css",
      "/dot.png",
      "/index.html",
      "/style.css",
      "/widget.css",
    ]);
    const page = textOf(bundle, "/index.html").replaceAll(/-[A-Z0-9]{8}\./g, "-HASH.");
    expect(page).toBe(
      `<!doctype html>\n<head><link rel="stylesheet" href="/assets/style-HASH.css"></head>\n<!-- <script type="module" src="./no.ts"></script> --><p title='é'>hi</p>\n<link rel="stylesheet" href="/assets/client-HASH.css"><script type="module" src="/assets/client-HASH.js"></script><script src="classic.js"></script><script type="module" src="https://x.test/a.js"></script>\n`,
    );
    const script = bundle.assets.find(({ path }) => /client-.*js$/.test(path));
    expect(script).toMatchObject({ isHashed: true });
    expect(textOf(bundle, script?.path ?? "")).toContain("hello from shared");
    expect(textOf(bundle, script?.path ?? "")).not.toContain("sourceMappingURL");
  });

  it("are the same whatever the order of files", async () => {
    const shuffled = Object.fromEntries(Object.entries(PAGE).toReversed());
    expect(await bundleOf(shuffled)).toEqual(await bundleOf(PAGE));
  });

  it("that are configured keep their names, and pages of the program's own are rewritten", async () => {
    const bundle = await bundleOf({
      "package.json": `{ "slipway": { "client": ["src/client.ts", "src/page.html"] } }`,
      "src/index.ts": `import page from "./page.html"; export default { fetch() { return Response.json(page); } };`,
      "src/client.ts": `console.log(1 as number);`,
      "src/page.html": `<script type=module src=./other.ts></script>`,
      "src/other.ts": `console.log(2);`,
    });
    expect(pathsOf(bundle)).toEqual(["/assets/other-HASH.js", "/client.js"]);
    expect(await runBundle(bundle)).toMatch(/<script type=module src="\/assets\/other-[A-Z0-9]{8}\.js"><\/script>/);
  });

  it("may have a source at the app's root, as under a development server", async () => {
    const page = `<script type="module" src="/src/client.ts"></script>`;
    const files = { "src/index.ts": APP, "src/client.ts": "console.log(1);", "public/index.html": page };
    expect(pathsOf(await bundleOf(files))).toEqual(["/assets/client-HASH.js", "/index.html"]);
  });

  it("fail with their place", async () => {
    expect(await printed({ ...PAGE, "public/client.tsx": `import "cloudflare:workers";` })).toBe(
      `public/client.tsx:1:8: "cloudflare:workers" is a module of the runtime, and this code is for browsers, which do not have it. [dependency-not-found]
  1 | import "cloudflare:workers";
    |        ^^^^^^^^^^^^^^^^^^^^
  Keep what needs it in the app's own code, and ask for it with fetch.`,
    );
    const page = `<p>\n<script type="module" src="./clint.tsx"></script>`;
    expect(await printed({ "src/index.ts": APP, "src/clint.tsx": "", "public/index.html": page })).toBe(
      `public/index.html:2:28: The page asks for "./clint.tsx", which is not in this commit. [import-not-found]
  2 | <script type="module" src="./clint.tsx"></script>
    |                            ^^^^^^^^^^^
  There is a src/clint.tsx.`,
    );
    const packageJson = `{ "slipway": { "client": ["src/clent.ts"] } }`;
    expect(await printed({ "src/index.ts": APP, "src/client.ts": "", "package.json": packageJson })).toBe(
      `package.json:1:27: slipway.client names "src/clent.ts", which is not in this commit. [entry-not-found]
  1 | { "slipway": { "client": ["src/clent.ts"] } }
    |                           ^^^^^^^^^^^^^^
  Did you mean "src/client.ts"?`,
    );
  });
});

describe("a build command", () => {
  it("that is esbuild runs, and its outputs are the entry and the assets", async () => {
    const bundle = await bundleOf({
      "wrangler.jsonc": wrangler({
        main: "dist/worker.js",
        build: { command: "npm run build" },
        assets: { directory: "dist/public" },
      }),
      "package.json": JSON.stringify({
        scripts: {
          build: "npm run build:worker && pnpm build:client --minify",
          "build:worker": `npx esbuild src/worker.ts --bundle --format=esm --outfile=dist/worker.js --define:STAGE='"live"' --external:cloudflare:workers`,
          "build:client": "esbuild --bundle src/client/*.tsx --outdir=dist/public".replace("*.tsx", "app.tsx"),
        },
      }),
      "src/worker.ts": `declare const STAGE: string; export default { fetch(): Response { return Response.json(STAGE); } };`,
      "src/client/app.tsx": `import "./app.css"; console.log("client" as string);`,
      "src/client/app.css": "a { color: red }",
    });
    expect(bundle.entry).toBe("dist/worker.js");
    expect(await runBundle(bundle)).toBe("live");
    expect(bundle.assets.map(({ path }) => path)).toEqual(["/app.css", "/app.js"]);
    expect(textOf(bundle, "/app.js")).toContain(`console.log("client")`);
  });

  it("may write source maps, which lead to the source itself", async () => {
    const bundle = await bundleOf({
      "wrangler.json": wrangler({
        main: "dist/worker.js",
        build: { command: "esbuild src/worker.tsx --bundle --format=esm --sourcemap --outfile=dist/worker.js" },
      }),
      "src/worker.tsx": `interface A { b: 1 }\n${APP}`,
    });
    expect(JSON.parse(bundle.sourceMap)).toMatchObject({ sources: ["src/worker.tsx"] });
  });

  it.each([
    [
      "vite build",
      `wrangler.json:1:55: A push runs no commands, and "vite build" is no esbuild command line that this host could run by itself. [config-unsupported]`,
    ],
    [
      "esbuild a.ts --outdir=x | cat",
      `wrangler.json:1:55: A push runs no commands, and "esbuild a.ts --outdir=x | cat" is no esbuild command line that this host could run by itself. [config-unsupported]`,
    ],
    [
      "esbuild src/index.ts --outdir=../x",
      `wrangler.json:1:55: --outdir names "../x", which is outside of the repository. [config-unsupported]`,
    ],
    [
      "npx esbuild src/index.ts --outdir=x --minfy",
      `wrangler.json:1:55: This host does not know esbuild's flag --minfy. [config-unsupported]`,
    ],
    [
      "npm run nothing",
      `wrangler.json:1:55: build.command asks for the script "nothing", which package.json does not have. [config-invalid]`,
    ],
    ["npm run loop", `package.json:1:24: The script "loop" leads to itself. [config-invalid]`],
    [
      "esbuild --bundle",
      `wrangler.json:1:55: This esbuild command line names no file to begin with. [config-unsupported]`,
    ],
    [
      "esbuild src/index.ts",
      `wrangler.json:1:55: This esbuild command line writes no file: it has neither --outfile nor --outdir. [config-unsupported]`,
    ],
  ])("%s is refused", async (command, first) => {
    const files = {
      "wrangler.json": wrangler({ build: { command } }),
      "package.json": `{ "scripts": { "loop": "npm run loop" } }`,
      "src/index.ts": APP,
    };
    expect((await printed(files)).split("\n")[0]).toBe(first);
  });

  it("that fails is shown as any build", async () => {
    const command = "esbuild src/a.ts --bundle --outfile=out/a.js";
    const files = { "wrangler.json": wrangler({ build: { command } }), "src/a.ts": "const = 1;", "index.ts": APP };
    expect((await printed(files)).split("\n")[0]).toBe(
      `src/a.ts:1:7: Expected identifier but found "=". [syntax-error]`,
    );
    const gone = { "wrangler.json": wrangler({ build: { command } }), "index.ts": APP };
    expect((await printed(gone)).split("\n")[0]).toContain("there is no src/a.ts in this commit. [import-not-found]");
  });
});
