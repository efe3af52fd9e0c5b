import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Builder } from "../../build/builder.ts";
import { ASSETS_ONLY, build, type BuildOutcome } from "../../build/index.ts";
import { runBundle } from "./run-bundle.ts";
import { type TreeEntry, treeOf } from "./source-tree-literal.ts";

const builder = new Builder(env.LOADER);
const CODE = `export default { fetch(): Response { return new Response("code"); } };`;

async function buildOf(entries: Readonly<Record<string, TreeEntry>>, by = builder): Promise<BuildOutcome> {
  return build(treeOf(entries), by);
}

async function servedOf(entries: Readonly<Record<string, TreeEntry>>): Promise<string[]> {
  const outcome = await buildOf(entries);
  if (outcome.kind === "failed") throw new Error(JSON.stringify(outcome.messages));
  return outcome.bundle.assets.map(({ path, source }) =>
    source.kind === "tree" && !source.path.endsWith(path) ? `${path} <- ${source.path}` : path,
  );
}

async function failureOf(entries: Readonly<Record<string, TreeEntry>>, by = builder): Promise<string> {
  const outcome = await buildOf(entries, by);
  if (outcome.kind === "built") throw new Error("It was built.");
  const [first] = outcome.messages;
  return `${first?.code} ${first?.location?.line ?? ""} ${first?.text}`;
}

const wrangler = (assets: unknown): string => JSON.stringify({ compatibility_date: "2026-11-02", assets });

describe("which files are served", () => {
  it("is public/ where nothing is said, and nothing without it", async () => {
    expect(await servedOf({ "src/index.ts": CODE, "public/a/b.txt": "b", "public/index.html": "" })).toEqual([
      "/a/b.txt",
      "/index.html",
    ]);
    expect(await servedOf({ "src/index.ts": CODE, "dist/index.html": "" })).toEqual([]);
  });

  it("is assets.directory, without what nobody means to publish", async () => {
    const files = { "index.html": "", _headers: "", _redirects: "", "_worker.js": "", "sub/_headers": "" };
    const hidden = {
      ".env": "",
      ".git/config": "",
      ".well-known/x": "",
      "node_modules/a/b.js": "",
      "wrangler.jsonc": "",
    };
    const below = Object.entries({ ...files, ...hidden }).map(([path, text]) => [`dist/${path}`, text]);
    expect(
      await servedOf({
        "src/index.ts": CODE,
        "wrangler.json": wrangler({ directory: "./dist/" }),
        ...Object.fromEntries(below),
      }),
    ).toEqual(["/.well-known/x", "/index.html", "/sub/_headers"]);
  });

  it("leaves out what .assetsignore lists, as .gitignore would", async () => {
    const ignoring = "*.map\n!keep.map\n/drafts/\n# a comment\n!.env.example\n";
    expect(
      await servedOf({
        "src/index.ts": CODE,
        "public/.assetsignore": ignoring,
        "public/a.js": "",
        "public/a.js.map": "",
        "public/keep.map": "",
        "public/drafts/x": "",
        "public/sub/drafts/x": "",
        "public/.env.example": "",
      }),
    ).toEqual(["/.env.example", "/a.js", "/keep.map", "/sub/drafts/x"]);
  });

  it("follows links inside of the commit and says which lead nowhere", async () => {
    const tree = {
      "src/index.ts": CODE,
      "images/a.png": "a",
      "public/img": { link: "../images" },
      "public/one.png": { link: "../images/a.png" },
      "public/out": { link: "../../etc/passwd" },
      "public/self": { link: "." },
    };
    expect(await servedOf(tree)).toEqual(["/img/a.png <- images/a.png", "/one.png <- images/a.png"]);
    const outcome = await buildOf(tree);
    const warned = outcome.kind === "built" ? outcome.warnings.map(({ text }) => text) : [];
    expect(warned.filter((text) => text.includes("leads to no file")).length).toBe(2);
  });
});

describe("an app without code", () => {
  it("is an app of assets alone", async () => {
    const outcome = await buildOf({ "public/index.html": "" });
    if (outcome.kind === "failed") throw new Error(JSON.stringify(outcome.messages));
    expect(outcome.bundle).toMatchObject({ entry: ASSETS_ONLY, exports: ["App"], stats: { moduleCount: 0 } });
  });

  it("is none where main is named, or where there is nothing to serve", async () => {
    expect(await failureOf({ "public/index.html": "", "wrangler.json": `{"main":"src/x.ts"}` })).toContain(
      "entry-not-found",
    );
    expect(await failureOf({ "README.md": "" })).toContain("entry-not-found");
    expect(await failureOf({ "public/_headers": "" })).toContain("entry-not-found");
  });
});

describe("what is refused", () => {
  const cases: readonly [string, unknown, string][] = [
    [
      "a folder that is not there",
      { directory: "dist" },
      'config-invalid 1 assets.directory names "dist", which is not',
    ],
    ["a folder outside", { directory: "../dist" }, "is outside of the repository"],
    ["no table", "dist", "config-invalid 1 assets must be a table"],
    ["a directory that is no string", { directory: 1 }, "assets.directory must be a string"],
    ["an unknown html_handling", { html_handling: "auto" }, "assets.html_handling must be one of"],
    ["an unknown not_found_handling", { not_found_handling: "spa" }, "assets.not_found_handling must be one of"],
    ["a pattern without a slash", { run_worker_first: ["api/*"] }, 'must begin with "/"'],
    ["only exceptions", { run_worker_first: ["!/a"] }, 'needs a pattern without "!"'],
    ["too many patterns", { run_worker_first: Array.from({ length: 101 }, () => "/a") }, "100 is the limit"],
  ];
  it.each(cases)("%s", async (_, assets, message) => {
    expect(await failureOf({ "src/index.ts": CODE, "wrangler.json": wrangler(assets) })).toContain(message);
  });

  it("a file and a number of files over the limit, with path, size and limit", async () => {
    const small = new Builder(env.LOADER, { assetBytes: 10, assetFiles: 2 });
    const large = { "src/index.ts": CODE, "public/big.bin": "12345678901" };
    expect(await failureOf(large, small)).toContain(
      "build-limit  public/big.bin has 11 bytes, and 10 bytes is the limit",
    );
    const many = { "src/index.ts": CODE, "public/1": "", "public/2": "", "public/3": "" };
    expect(await failureOf(many, small)).toContain("more than 2 assets");
  });
});

it("keeps the code out of the assets' way: the bundle runs as ever", async () => {
  const outcome = await buildOf({
    "src/index.ts": `export default { fetch: () => Response.json(1) };`,
    "public/a": "",
  });
  if (outcome.kind === "failed") throw new Error(JSON.stringify(outcome.messages));
  expect(await runBundle(outcome.bundle)).toBe(1);
});
