import { describe, expect, it } from "vitest";
import { openTree, readFile } from "../../build/open-tree.ts";
import { treeOf } from "./source-tree-literal.ts";

describe("openTree", () => {
  it("reads ahead what is probably source, in one round, sorted", async () => {
    const tree = treeOf({
      "src/b.ts": "b",
      "wrangler.toml": "",
      link: { link: "src" },
      "public/app.js": "",
      "node_modules/a/index.js": "",
      "src/a.test.ts": "",
      "package-lock.json": "{}",
      "logo.png": "",
      "large.txt": "x".repeat(600_000),
    });
    const open = await openTree(tree);
    expect(tree.readPaths).toEqual(["link", "wrangler.toml", "src/b.ts"]);
    expect(open.names.links).toEqual([["link", "src"]]);
    expect(open.names.files.map(([path]) => path)).toEqual([...open.index.files.keys()].toSorted());
  });
});

describe("readFile", () => {
  it("reads what was not read ahead", async () => {
    const open = await openTree(treeOf({ "logo.png": "png", "a.ts": "a" }));
    expect(new TextDecoder().decode(await readFile(open, "logo.png"))).toBe("png");
    expect(new TextDecoder().decode(await readFile(open, "a.ts"))).toBe("a");
  });
});
