import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { typecheck, type TypecheckLimits, type TypecheckOutcome } from "../../../build/typecheck/typecheck.ts";
import { treeOf, type TreeEntry } from "../source-tree-literal.ts";

const APP = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  override async fetch(request: Request): Promise<Response> {
    const count: number = this.ctx.storage.kv.get<number>("count") ?? 0;
    return new Response(String(count) + request.url);
  }
}
`;

async function check(
  files: Readonly<Record<string, TreeEntry>>,
  { entry = "src/index.ts", limits }: { entry?: string; limits?: TypecheckLimits } = {},
): Promise<TypecheckOutcome> {
  return typecheck(treeOf(files), entry, { loader: env.LOADER, ...(limits === undefined ? {} : { limits }) });
}

async function places(files: Readonly<Record<string, TreeEntry>>): Promise<string[]> {
  const outcome = await check(files);
  if (outcome.kind === "unchecked") throw new Error(outcome.message.text);
  return outcome.messages.map(
    ({ location, text }) => `${location?.path}:${location?.line}:${location?.column} ${/TS\d+/.exec(text)?.[0]}`,
  );
}

describe("typecheck", () => {
  it("finds nothing in an app whose types are right, with the runtime's own types", async () => {
    expect(await check({ "src/index.ts": APP })).toEqual({ kind: "checked", messages: [], total: 0, fileCount: 1 });
  });

  it("says where a type is wrong, with TypeScript's number", async () => {
    const outcome = await check({ "src/index.ts": APP.replace("const count: number", "const count: string") });
    expect(outcome).toMatchObject({
      kind: "checked",
      total: 1,
      messages: [{ code: "type-error", location: { path: "src/index.ts", line: 4, column: 11 } }],
    });
  });

  it("follows imports, and leaves alone what nothing imports", async () => {
    const files = {
      "src/index.ts": `import { half } from "./half.ts"; export default { fetch: () => new Response(half("4")) };`,
      "src/half.ts": `export const half = (n: number): string => String(n / 2);`,
      "src/unused.ts": `export const wrong: number = "no";`,
    };
    expect(await places(files)).toEqual(["src/index.ts:1:83 TS2345"]);
  });

  it("reads tsconfig.json, with what it extends and the declarations that it includes", async () => {
    const files = {
      "src/index.ts": `import { one } from "#lib/one"; export const n: number = one; export const g: Given = { id: 1 };`,
      "lib/one.ts": `export const one = undefined;`,
      "src/given.d.ts": `interface Given { id: number }`,
      "base.json": `{ "compilerOptions": { "strict": false, "module": "esnext", "moduleResolution": "bundler" } }`,
      "tsconfig.json": `{ // a comment
        "extends": "./base.json", "compilerOptions": { "paths": { "#lib/*": ["./lib/*"] }, "types": [] }, "include": ["src"] }`,
    };
    expect(await places(files)).toEqual([]);
    expect(await places({ ...files, "base.json": files["base.json"].replace("false", "true") })).toEqual([
      "src/index.ts:1:46 TS2322",
    ]);
  });

  it("says what is wrong with tsconfig.json, and lets options of newer compilers be", async () => {
    const files = { "src/index.ts": "export const n = 1;" };
    expect(await places({ ...files, "tsconfig.json": `{ "compilerOptions": { "module": "no" } }` })).toEqual([
      "tsconfig.json:1:34 TS6046",
    ]);
    expect(await places({ ...files, "tsconfig.json": `{ "compilerOptions": { "fromTheFuture": true } }` })).toEqual([]);
  });

  it("reads the declarations of packages that the commit carries, and not their mistakes", async () => {
    const files = {
      "src/index.ts": `import { add } from "adder"; export const sum: string = add(1, 2);`,
      "node_modules/adder/package.json": `{ "name": "adder", "types": "./types/index.d.ts", "main": "index.js" }`,
      "node_modules/adder/types/index.d.ts": `import "./other"; export function add(a: number, b: number): number;`,
      "node_modules/adder/types/other.d.ts": `declare const wrong: Missing;`,
      "node_modules/adder/index.js": `exports.add = (a, b) => a + b;`,
    };
    expect(await places(files)).toEqual(["src/index.ts:1:43 TS2322"]);
  });

  it("takes the tsconfig.json of the app's own folder", async () => {
    const files = {
      "tsconfig.json": `{ "compilerOptions": { "module": "no" } }`,
      "apps/web/tsconfig.json": `{ "compilerOptions": { "strict": true, "types": [] } }`,
      "apps/web/src/index.ts": `export const n: string = 1;`,
    };
    expect(await check(files, { entry: "apps/web/src/index.ts" })).toMatchObject({
      total: 1,
      messages: [{ location: { path: "apps/web/src/index.ts", line: 1, column: 14 } }],
    });
  });

  it("names five errors and counts the rest", async () => {
    const lines = Array.from({ length: 9 }, (_, at) => `export const n${at}: number = "no";`);
    const outcome = await check({ "src/index.ts": lines.join("\n") });
    expect(outcome).toMatchObject({ kind: "checked", total: 9 });
    expect(outcome.kind === "checked" && outcome.messages.length).toBe(5);
  });

  it("gives up, and says so, where there is more source than it may read", async () => {
    const files = {
      "src/index.ts": `import "./large.ts";`,
      "src/large.ts": `export const text = "${"x".repeat(5000)}";`,
    };
    expect(await check(files, { limits: { timeMs: 30_000, sourceBytes: 4000 } })).toMatchObject({
      kind: "unchecked",
      message: { code: "build-limit" },
    });
  });

  it("throws what reading the tree throws", async () => {
    const tree = treeOf({ "src/index.ts": `import "./other.d.ts";`, "src/other.d.ts": "export {};" });
    const broken = {
      ...tree,
      read: (paths: readonly string[]) =>
        paths.some((path) => path.endsWith(".d.ts")) ? Promise.reject(new Error("R2 is down")) : tree.read(paths),
    };
    await expect(typecheck(broken, "src/index.ts", { loader: env.LOADER })).rejects.toThrow("R2 is down");
  });

  it("takes what is imported of packages that are not in the commit for any, and JSX with them", async () => {
    const files = {
      "package.json": `{ "dependencies": { "hono": "4" }, "devDependencies": { "@types/node": "24" } }`,
      "tsconfig.json": `{ "compilerOptions": { "strict": true, "jsx": "react-jsx", "jsxImportSource": "hono/jsx",
        "module": "esnext", "moduleResolution": "bundler", "types": ["node", "@cloudflare/workers-types"] } }`,
      "src/index.tsx": `import { Hono, type Context } from "hono";
import { logger } from "hono/logger";
import { Buffer as B } from "node:buffer";
const app = new Hono<{ Bindings: Env }>();
app.use(logger());
app.get("/", (c: Context) => c.html(<h1 class="x">{B.from("a").length}</h1>));
interface Env { readonly N: number }
const wrong: string = 1;
export default app;
import { nothing } from "unlisted";
`,
    };
    const outcome = await check(files, { entry: "src/index.tsx" });
    expect(outcome.kind === "checked" && outcome.messages.map(({ text }) => /TS\d+/.exec(text)?.[0])).toEqual([
      "TS2322",
      "TS2307",
    ]);
  });
});
