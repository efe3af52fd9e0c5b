// Apps in a folder of a monorepo, and what they import of its other packages.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { RootSetting } from "../../build/app-root.ts";
import { Builder } from "../../build/builder.ts";
import { build } from "../../build/index.ts";
import { runBundle } from "./run-bundle.ts";
import { treeOf, type TreeEntry } from "./source-tree-literal.ts";

const builder = new Builder(env.LOADER);
const rooted = (root: string): RootSetting => ({ root, setCommand: (to) => `set ${to}` });
const app = (expression: string, imports = ""): string =>
  `${imports}\nexport default { fetch() { return Response.json(${expression}); } };\n`;

type Files = Readonly<Record<string, TreeEntry>>;

async function answerOf(files: Files, root = ""): Promise<unknown> {
  const outcome = await build(treeOf(files), builder, rooted(root));
  if (outcome.kind === "failed") return outcome.messages.map(({ text, fix }) => `${text} ${fix}`);
  return runBundle(outcome.bundle);
}

const PACKAGES: Files = {
  "packages/ui/package.json": `{ "name": "@acme/ui", "exports": { ".": { "types": "./x.d.ts", "default": "./dist/index.js" }, "./button": "./src/button.tsx" } }`,
  "packages/ui/src/index.ts": `import { helper } from "helper"; export const ui: string = "ui " + helper;`,
  "packages/ui/src/button.tsx": `export const button: string = "button";`,
  "packages/helper/package.json": `{ "name": "helper", "main": "lib/main.js" }`,
  "packages/helper/lib/main.ts": `export const helper: string = "helped";`,
  "packages/plain/package.json": `{ "name": "plain" }`,
  "packages/plain/src/index.ts": `export default "plain";`,
  "packages/plain/src/deep.ts": `export default "deep";`,
};
const IMPORTS = `import { ui } from "@acme/ui"; import { button } from "@acme/ui/button"; import plain from "plain"; import deep from "plain/deep";`;
const EXPECTED = ["ui helped", "button", "plain", "deep"];

describe("findRoot", () => {
  it.each<[string, Files]>([
    ["npm", { "package.json": `{ "workspaces": ["packages/*", "apps/*"] }` }],
    ["yarn's table", { "package.json": `{ "workspaces": { "packages": ["packages/**", "!packages/old"] } }` }],
    ["pnpm", { "pnpm-workspace.yaml": `# all\npackages:\n  - "packages/*"\n  - apps/* # these\ncatalog:\n  - no\n` }],
    ["pnpm in one line", { "pnpm-workspace.yaml": `packages: ['packages/*', apps/*]\n` }],
  ])("finds the one app, and the workspaces of %s", async (_, root) => {
    const files = {
      ...root,
      ...PACKAGES,
      "apps/web/wrangler.jsonc": `{ "main": "src/worker.ts", "compatibility_date": "2026-01-01" }`,
      "apps/web/src/worker.ts": app("[ui, button, plain, deep]", IMPORTS),
    };
    expect(await answerOf(files)).toEqual(EXPECTED);
  });

  it("finds the one folder whose package.json has an entry, where none has a wrangler configuration", async () => {
    const files = {
      "package.json": "{}",
      "web/package.json": `{ "main": "./server.js" }`,
      "web/server.js": app("1"),
      "docs/package.json": "{}",
    };
    expect(await answerOf(files)).toBe(1);
  });

  it("takes the folder that was set, and reads nothing above it but packages", async () => {
    const files = {
      "wrangler.jsonc": `{ "main": "root.ts" }`,
      "root.ts": app(`"root"`),
      "apps/a/index.ts": app("[name, process.env.A]", `import { name } from "@/name";`),
      "apps/a/name.ts": `export const name = "a";`,
      "apps/a/tsconfig.json": `{ "compilerOptions": { "paths": { "@/*": ["./*"] } } }`,
      "apps/a/wrangler.toml": `compatibility_date = "2026-01-01"\n[define]\n"process.env.A" = "1"\n`,
    };
    expect(await answerOf(files)).toBe("root");
    expect(await answerOf(files, "apps/a")).toEqual(["a", 1]);
    expect(await answerOf(files, "./apps/a/")).toEqual(["a", 1]);
    const [message] = [await answerOf(files, "apps/b")].flat();
    expect(message).toBe(
      `The app's root is set to "apps/b", which is no folder of this commit. Did you mean "apps/a"? set apps/a`,
    );
  });

  it("serves the assets of that folder", async () => {
    const files = { "a/public/x.txt": "x", "a/index.ts": app("1"), "public/y.txt": "y" };
    const outcome = await build(treeOf(files), builder, rooted("a"));
    expect(outcome.kind === "built" && outcome.bundle.assets.map(({ path }) => path)).toEqual(["/x.txt"]);
  });
});
