// What a pusher sees of each failure, to the letter.
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Builder } from "../../build/builder.ts";
import { build } from "../../build/index.ts";
import { formatMessage, formatMessages } from "../../build/messages.ts";
import { treeOf } from "./source-tree-literal.ts";

const builder = new Builder(env.LOADER, { bundleBytes: 4000, fileBytes: 5000 });

/** The lines of a failed build; of one that succeeds, those of its warnings. */
async function printed(files: Parameters<typeof treeOf>[0]): Promise<string> {
  const outcome = await build(treeOf(files), builder);
  const lines =
    outcome.kind === "failed"
      ? formatMessages(outcome.messages, outcome.total)
      : outcome.warnings.flatMap((warning) => formatMessage(warning));
  return `\n${lines.join("\n")}\n`;
}

const LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4665\nsize 12345\n";
const APP = "export class App {}\n";

const CASES: readonly (readonly [name: string, files: Parameters<typeof treeOf>[0], lines: string])[] = [
  [
    "an empty commit",
    {},
    `
This commit has no files to deploy. [entry-not-found]
`,
  ],
  [
    "no entry file, and nothing like one",
    { "README.md": "# hi\n" },
    `
No entry file found. [entry-not-found]
  Looked for, in this order:
    main of the wrangler configuration (there is no wrangler.jsonc)
    exports, module and main of package.json (there is none)
    src/index.ts, .tsx, .mts, .js, .jsx, .mjs
    index.ts, .tsx, .mts, .js, .jsx, .mjs
  Add a file wrangler.jsonc with this line: { "main": "src/index.ts" }
`,
  ],
  [
    "no entry file, with candidates",
    { "worker.ts": APP, "app/main.ts": APP, "app/util.ts": APP, "package.json": `{ "main": "dist/index.js" }` },
    `
No entry file found. [entry-not-found]
  Looked for, in this order:
    main of the wrangler configuration (there is no wrangler.jsonc)
    exports, module and main of package.json (main is "dist/index.js", not in this commit)
    src/index.ts, .tsx, .mts, .js, .jsx, .mjs
    index.ts, .tsx, .mts, .js, .jsx, .mjs
  Nearest in this commit: worker.ts, app/main.ts, app/util.ts
  Add a file wrangler.jsonc with this line: { "main": "worker.ts" }
`,
  ],
  [
    "no entry file, with a wrangler configuration",
    { "wrangler.toml": `name = "x"\n`, "lib/a.js": APP },
    `
No entry file found. [entry-not-found]
  Looked for, in this order:
    main of the wrangler configuration (not set in wrangler.toml)
    exports, module and main of package.json (there is none)
    src/index.ts, .tsx, .mts, .js, .jsx, .mjs
    index.ts, .tsx, .mts, .js, .jsx, .mjs
  Nearest in this commit: lib/a.js
  Add this line to wrangler.toml: main = "lib/a.js"
`,
  ],
  [
    "main that is not in the commit",
    { "wrangler.jsonc": `{\n  "main": "src/idnex.ts"\n}\n`, "src/index.ts": APP },
    `
wrangler.jsonc:2:11: main names "src/idnex.ts", which is not in this commit. [entry-not-found]
  2 |   "main": "src/idnex.ts"
    |           ^^^^^^^^^^^^^^
  Did you mean "src/index.ts"?
`,
  ],
  [
    "main in TOML that is not in the commit",
    { "wrangler.toml": `name = "x"\nmain = "dist/worker.js"\n`, "src/worker.ts": APP },
    `
wrangler.toml:2:1: main names "dist/worker.js", which is not in this commit. [entry-not-found]
  2 | main = "dist/worker.js"
    | ^^^^^^^^^^^^^^^^^^^^^^^
  Did you mean "src/worker.ts"?
`,
  ],
  [
    "main that is a folder",
    { "wrangler.json": `{ "main": "src" }`, "src/index.ts": APP },
    `
wrangler.json:1:11: main names "src", which is a folder. [entry-not-found]
  1 | { "main": "src" }
    |           ^^^^^
`,
  ],
  [
    "main that leaves the repository",
    { "wrangler.json": `{ "main": "../index.ts" }`, "index.ts": APP },
    `
wrangler.json:1:11: main names "../index.ts", which is outside of the repository. [entry-not-found]
  1 | { "main": "../index.ts" }
    |           ^^^^^^^^^^^^^
  Did you mean "index.ts"?
`,
  ],
  [
    "settings for this host that are wrong",
    { "package.json": `{\n  "slipway": { "prob": "/", "probe": "health" }\n}\n`, "index.ts": APP },
    `
package.json:2:24: "slipway" has no setting "prob". [config-invalid]
  2 |   "slipway": { "prob": "/", "probe": "health" }
    |                        ^^^
  Did you mean "probe"?

package.json:2:38: "probe" must be a path that begins with "/", and is "health". [config-invalid]
  2 |   "slipway": { "prob": "/", "probe": "health" }
    |                                      ^^^^^^^^
  Write "probe": "/health", or "/" for the front page.
`,
  ],
  [
    "settings for this host that are no object",
    { "package.json": `{ "slipway": "/health" }`, "index.ts": APP },
    `
package.json:1:14: "slipway" must be an object. [config-invalid]
  1 | { "slipway": "/health" }
    |              ^^^^^^^^^
  Write "slipway": { "probe": "/health" }.
`,
  ],
  [
    "main in a submodule",
    { "wrangler.json": `{ "main": "lib/index.ts" }`, lib: { submodule: true } },
    `
wrangler.json:1:11: main names "lib/index.ts", which is in the submodule lib: its content is not in the push. [submodule]
  1 | { "main": "lib/index.ts" }
    |           ^^^^^^^^^^^^^^
`,
  ],
  [
    "JSONC that cannot be parsed",
    { "wrangler.jsonc": `{\n  // the entry\n  "main": "src/index.ts"\n  "vars": {}\n}\n`, "src/index.ts": APP },
    `
wrangler.jsonc:4:3: A comma was expected before this. [config-invalid]
  4 |   "vars": {}
    |   ^^^^^^
`,
  ],
  [
    "TOML that cannot be parsed",
    { "wrangler.toml": `name = "x"\nmain = src/index.ts\n`, "src/index.ts": APP },
    `
wrangler.toml:2:8: This is not TOML: invalid value. [config-invalid]
  2 | main = src/index.ts
    |        ^
`,
  ],
  [
    "package.json with a comment",
    { "package.json": `{\n  // no\n}\n`, "src/index.ts": APP },
    `
package.json:2:3: A comment is not allowed here. [config-invalid]
  2 |   // no
    |   ^^^^^
`,
  ],
  [
    "tsconfig.json that cannot be parsed",
    { "tsconfig.json": `{ "compilerOptions": `, "src/index.ts": APP },
    `
tsconfig.json:1:22: A value was expected here. [config-invalid]
  1 | { "compilerOptions": 
    |                      ^
`,
  ],
  [
    "values of the wrong kind",
    {
      "wrangler.jsonc": `{\n  "main": 1,\n  "compatibility_date": "today",\n  "compatibility_flags": "nodejs_compat",\n  "durable_objects": { "bindings": [{ "name": "A" }] }\n}\n`,
      "src/index.ts": APP,
    },
    `
wrangler.jsonc:2:11: main must be a path such as "src/index.ts", not a number. [config-invalid]
  2 |   "main": 1,
    |           ^

wrangler.jsonc:3:25: compatibility_date must be a date such as "2026-11-02", not "today". [config-invalid]
  3 |   "compatibility_date": "today",
    |                         ^^^^^^^

wrangler.jsonc:4:26: compatibility_flags must be a list of strings, not a string. [config-invalid]
  4 |   "compatibility_flags": "nodejs_compat",
    |                          ^^^^^^^^^^^^^^^

wrangler.jsonc:5:37: A binding in durable_objects.bindings must have a class_name. [config-invalid]
  5 |   "durable_objects": { "bindings": [{ "name": "A" }] }
    |                                     ^^^^^^^^^^^^^^^
`,
  ],
  [
    "a date that the runtime does not know",
    { "wrangler.toml": `compatibility_date = "2030-01-01"\n`, "src/index.ts": APP },
    `
wrangler.toml:1:1: compatibility_date 2030-01-01 is newer than this host's runtime, which knows dates up to 2026-11-02. [config-invalid]
  1 | compatibility_date = "2030-01-01"
    | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  Set it to "2026-11-02" or earlier.
`,
  ],
  [
    "a configuration without a date",
    { "wrangler.jsonc": `{}`, "src/index.ts": APP },
    `
wrangler.jsonc has no compatibility_date: 2026-11-02 is used. [build-warning]
  Set "compatibility_date" to "2026-11-02".
`,
  ],
  [
    "what this host cannot bind",
    {
      "wrangler.toml": `compatibility_date = "2026-01-01"\n\n[[kv_namespaces]]\nbinding = "KV"\nid = "1"\n`,
      "src/index.ts": APP,
    },
    `
wrangler.toml:3:1: This host has nothing to bind for kv_namespaces. [config-unsupported]
  3 | [[kv_namespaces]]
    | ^^^^^^^^^^^^^^^^^
  Use the Durable Object's own storage, ctx.storage.kv.
`,
  ],
  [
    "a class of another Worker",
    {
      "wrangler.json": `{ "durable_objects": { "bindings": [{ "name": "A", "class_name": "A", "script_name": "other" }] } }`,
      "src/index.ts": APP,
    },
    `
wrangler.json:1:86: The class A is another Worker's (script_name), and an app reaches only its own classes here. [config-unsupported]
  1 | { "durable_objects": { "bindings": [{ "name": "A", "class_name": "A", "script_name": "other" }] } }
    |                                                                                      ^^^^^^^
  Call the other app at its own address with fetch.
`,
  ],
  [
    "keys that nobody knows, and environments",
    {
      "wrangler.jsonc": `{\n  "compatibility_date": "2026-01-01",\n  "compatability_flags": [],\n  "durable_objects": { "binding": [] },\n  "colour": 1,\n  "env": { "staging": {}, "live": {} }\n}\n`,
      "src/index.ts": APP,
    },
    `
wrangler.jsonc:3:26: compatability_flags is no key of a wrangler configuration, and is not read. [build-warning]
  3 |   "compatability_flags": [],
    |                          ^^
  Did you mean "compatibility_flags"?
wrangler.jsonc:5:13: colour is no key of a wrangler configuration, and is not read. [build-warning]
  5 |   "colour": 1,
    |             ^
wrangler.jsonc:4:35: durable_objects.binding is no key of a wrangler configuration, and is not read. [build-warning]
  4 |   "durable_objects": { "binding": [] },
    |                                   ^^
  Did you mean "bindings"?
wrangler.jsonc:6:10: The environments of wrangler.jsonc (staging, live) are not used: an app here has what the top level says. [build-warning]
  6 |   "env": { "staging": {}, "live": {} }
    |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
`,
  ],
  [
    "classes that were renamed, transferred and deleted",
    {
      "wrangler.jsonc": `{\n  "compatibility_date": "2026-01-01",\n  "migrations": [\n    { "tag": "v1", "new_sqlite_classes": ["Room"] },\n    { "tag": "v2", "renamed_classes": [{ "from": "Room", "to": "Hall" }], "transferred_classes": [{ "from": "Lobby", "from_script": "x", "to": "Foyer" }] },\n    { "tag": "v3", "deleted_classes": ["Hall"] }\n  ]\n}\n`,
      "src/index.ts": APP,
    },
    `
wrangler.jsonc:5:98: Objects of Foyer do not get what those of Lobby have: transferred_classes is not read. [build-warning]
  5 | ...o": "Hall" }], "transferred_classes": [{ "from": "Lobby", "from_script": "x", "to": "Foyer" }] },
    |                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  Another Worker is another app here: bring its data over by requests between the two.
wrangler.jsonc:6:39: The objects of Hall are kept, for going back: a push deletes no data. [build-warning]
  6 |     { "tag": "v3", "deleted_classes": ["Hall"] }
    |                                       ^^^^^^^^
  To delete them: DELETE /api/v1/apps/<app>/objects/<class>/<id>.
`,
  ],
  [
    "how to bundle, of the wrong kind",
    {
      "wrangler.jsonc": `{\n  "minify": "yes",\n  "define": { "A": "hello world", "a b": "1" },\n  "rules": [{ "type": "Texts", "globs": ["*"] }],\n  "alias": { "a": "../../a" }\n}\n`,
      "src/index.ts": APP,
    },
    `
wrangler.jsonc:2:13: minify must be true or false, not a string. [config-invalid]
  2 |   "minify": "yes",
    |             ^^^^^

wrangler.jsonc:3:20: The value of define.A is an expression, and "hello world" is none. [config-invalid]
  3 |   "define": { "A": "hello world", "a b": "1" },
    |                    ^^^^^^^^^^^^^
  A string needs quotes of its own: "\\"hello world\\"".

wrangler.jsonc:3:42: define can only replace a name such as DEBUG or process.env.X, not "a b". [config-invalid]
  3 |   "define": { "A": "hello world", "a b": "1" },
    |                                          ^^^

wrangler.jsonc:4:23: A module cannot be of the type "Texts" here, only ESModule, CommonJS, CompiledWasm, Text, Data. [config-invalid]
  4 |   "rules": [{ "type": "Texts", "globs": ["*"] }],
    |                       ^^^^^^^

wrangler.jsonc:5:19: alias.a names "../../a", which is outside of the repository. [config-invalid]
  5 |   "alias": { "a": "../../a" }
    |                   ^^^^^^^^^
`,
  ],
  [
    "a rule that an earlier one of its type ends",
    {
      "wrangler.json": `{ "compatibility_date": "2026-01-01", "rules": [{ "type": "Text", "globs": ["**/*.glsl"] }] }`,
      "src/index.ts": `import page from "./page.html";\nconsole.log(page);\n`,
      "src/page.html": "",
    },
    `
src/index.ts:1:18: src/page.html falls under a rule for Text modules, but an earlier rule for Text ends it. [build-failed]
  1 | import page from "./page.html";
    |                  ^^^^^^^^^^^^^
  Add "fallthrough": true to the earlier rule in the wrangler configuration.
`,
  ],
  [
    "TypeScript that is not to be bundled",
    { "wrangler.json": `{ "compatibility_date": "2026-01-01", "no_bundle": true }`, "src/index.ts": APP },
    `
no_bundle takes modules as they are, and the runtime reads no TypeScript or JSX: src/index.ts. [config-unsupported]
  Remove no_bundle: the host then makes JavaScript of it.
`,
  ],
  [
    "a tsconfig that is not there",
    { "wrangler.json": `{ "compatibility_date": "2026-01-01", "tsconfig": "tsconfig.app.json" }`, "index.ts": APP },
    `
wrangler.json:1:51: tsconfig names "tsconfig.app.json", which is not in this commit. [config-invalid]
  1 | { "compatibility_date": "2026-01-01", "tsconfig": "tsconfig.app.json" }
    |                                                   ^^^^^^^^^^^^^^^^^^^
`,
  ],
  [
    "extends of a package that is not there",
    { "tsconfig.json": `{ "extends": "@tsconfig/node" }`, "src/index.ts": APP },
    `
tsconfig.json:1:14: tsconfig.json extends "@tsconfig/node", which is not in this commit: its options are not applied. [build-warning]
  1 | { "extends": "@tsconfig/node" }
    |              ^^^^^^^^^^^^^^^^
  Copy the options that matter into tsconfig.json, or commit node_modules/@tsconfig/node.
`,
  ],
  [
    "several folders that could be the app",
    {
      "package.json": `{ "workspaces": ["apps/*"] }`,
      "apps/web/wrangler.toml": "",
      "apps/web/src/index.ts": APP,
      "apps/api/wrangler.jsonc": "{}",
      "apps/api/src/index.ts": APP,
      "packages/ui/package.json": `{ "main": "index.ts" }`,
      "packages/ui/index.ts": "",
    },
    `
This repository has 2 folders that could be the app, and none at its root. [entry-not-found]
    apps/api
    apps/web
  Say which one it is, and push again:
  Set the app's root to "apps/api".
`,
  ],
  [
    "a main that is not in the app's folder",
    { "apps/web/wrangler.json": `{ "main": "src/idnex.ts" }`, "apps/web/src/index.ts": APP },
    `
apps/web/wrangler.json:1:11: main names "src/idnex.ts", which is not in this commit. [entry-not-found]
  1 | { "main": "src/idnex.ts" }
    |           ^^^^^^^^^^^^^^
  Did you mean "src/index.ts"?
`,
  ],
  [
    "a syntax error",
    { "src/index.ts": `const a = 1;\n\tconst é = "日本" +* 2;\n` },
    `
src/index.ts:2:18: Unexpected "*". [syntax-error]
  2 |   const é = "日本" +* 2;
    |                     ^
`,
  ],
  [
    "more than five errors",
    Object.fromEntries(
      "abcdefg".split("").map((name, at, all) => [
        at === 0 ? "index.ts" : `${name}.ts`,
        `${all
          .slice(at + 1)
          .map((next) => `import "./${next}";`)
          .join("")}\n${at === 0 ? "" : "let = 1;"}`,
      ]),
    ),
    `
b.ts:2:1: "let" is a reserved word and cannot be used in an ECMAScript module. [syntax-error]
  2 | let = 1;
    | ^^^
  This file is considered to be an ECMAScript module because of the "import" keyword here: b.ts:1:53: import "./c";import "./d";import "./e";import "./f";import "./g";

c.ts:2:1: "let" is a reserved word and cannot be used in an ECMAScript module. [syntax-error]
  2 | let = 1;
    | ^^^
  This file is considered to be an ECMAScript module because of the "import" keyword here: c.ts:1:40: import "./d";import "./e";import "./f";import "./g";

d.ts:2:1: "let" is a reserved word and cannot be used in an ECMAScript module. [syntax-error]
  2 | let = 1;
    | ^^^
  This file is considered to be an ECMAScript module because of the "import" keyword here: d.ts:1:27: import "./e";import "./f";import "./g";

e.ts:2:1: "let" is a reserved word and cannot be used in an ECMAScript module. [syntax-error]
  2 | let = 1;
    | ^^^
  This file is considered to be an ECMAScript module because of the "import" keyword here: e.ts:1:14: import "./f";import "./g";

f.ts:2:1: "let" is a reserved word and cannot be used in an ECMAScript module. [syntax-error]
  2 | let = 1;
    | ^^^
  This file is considered to be an ECMAScript module because of the "import" keyword here: f.ts:1:1: import "./g";
`,
  ],
  [
    "a file that is not there",
    { "src/index.ts": `import { a } from "./greting";\nconsole.log(a);\n`, "src/greeting.ts": "" },
    `
src/index.ts:1:19: Cannot find "./greting": there is no src/greting in this commit. [import-not-found]
  1 | import { a } from "./greting";
    |                   ^^^^^^^^^^^
  Did you mean "./greeting.ts"?
`,
  ],
  [
    "a file that is elsewhere",
    { "src/index.ts": `import a from "./greeting.js";\nconsole.log(a);\n`, "lib/greeting.js": "" },
    `
src/index.ts:1:15: Cannot find "./greeting.js": there is no src/greeting.js in this commit. [import-not-found]
  1 | import a from "./greeting.js";
    |               ^^^^^^^^^^^^^^^
  Did you mean "../lib/greeting.js"?
`,
  ],
  [
    "a file that is nowhere",
    { "src/index.ts": `await import("./generated/prisma");\n` },
    `
src/index.ts:1:14: Cannot find "./generated/prisma": there is no src/generated/prisma in this commit. [import-not-found]
  1 | await import("./generated/prisma");
    |              ^^^^^^^^^^^^^^^^^^^^
  Is the file committed? git status --ignored shows what is not.
`,
  ],
  [
    "a name that differs in case",
    { "src/index.ts": `export * from "./Room";\n`, "src/room.ts": APP },
    `
src/index.ts:1:15: Cannot find "./Room": there is no src/Room in this commit. [import-not-found]
  1 | export * from "./Room";
    |               ^^^^^^^^
  Did you mean "./room.ts"?
`,
  ],
  [
    "a folder without an index",
    { "src/index.ts": `import "./lib";\n`, "src/lib/a.ts": "" },
    `
src/index.ts:1:8: "./lib" is the folder src/lib, which has no index file. [import-not-found]
  1 | import "./lib";
    |        ^^^^^^^
  Import one of its files, or add an index.ts to it.
`,
  ],
  [
    "a path out of the repository",
    { "src/index.ts": `import "../../secrets.ts";\n` },
    `
src/index.ts:1:8: "../../secrets.ts" leads out of the repository. [import-not-found]
  1 | import "../../secrets.ts";
    |        ^^^^^^^^^^^^^^^^^^
`,
  ],
  [
    "a symbolic link out of the repository",
    { "index.ts": `import "./etc/passwd.txt";\n`, etc: { link: "../../etc" } },
    `
index.ts:1:8: "./etc/passwd.txt" goes through the symbolic link etc, which leads out of the repository. [import-not-found]
  1 | import "./etc/passwd.txt";
    |        ^^^^^^^^^^^^^^^^^^
  etc -> ../../etc
`,
  ],
  [
    "a symbolic link to nothing",
    { "index.ts": `import "./a.ts";\n`, "a.ts": { link: "b.ts" } },
    `
index.ts:1:8: "./a.ts" is a symbolic link to b.ts, which is not in this commit. [import-not-found]
  1 | import "./a.ts";
    |        ^^^^^^^^
`,
  ],
  [
    "a submodule",
    { "index.ts": `import "./vendor/lib/a.ts";\n`, "vendor/lib": { submodule: true } },
    `
index.ts:1:8: "./vendor/lib/a.ts" is in the submodule vendor/lib: its content is not in the push. [submodule]
  1 | import "./vendor/lib/a.ts";
    |        ^^^^^^^^^^^^^^^^^^^
  Put the files into this repository: git rm --cached vendor/lib, then git add vendor/lib/ without its .git.
`,
  ],
  [
    "a Git LFS pointer",
    { "index.ts": `import a from "./model.bin";\nconsole.log(a);\n`, "model.bin": LFS },
    `
index.ts:1:15: model.bin is a Git LFS pointer: its content is not in the push. [lfs-pointer]
  1 | import a from "./model.bin";
    |               ^^^^^^^^^^^^^
  Store it in git itself: git lfs untrack "model.bin", then git add --renormalize "model.bin" and commit.
`,
  ],
  [
    "a configuration that is a Git LFS pointer",
    { "wrangler.jsonc": LFS, "index.ts": APP },
    `
wrangler.jsonc is a Git LFS pointer: its content is not in the push. [lfs-pointer]
  Store it in git itself: git lfs untrack "wrangler.jsonc", then git add --renormalize "wrangler.jsonc" and commit.
`,
  ],
  [
    "an export that is not there",
    { "index.ts": `import { greet } from "./a.ts";\ngreet();\n`, "a.ts": "export const great = 1;\n" },
    `
index.ts:1:10: No matching export in "a.ts" for import "greet". [import-not-found]
  1 | import { greet } from "./a.ts";
    |          ^^^^^
  Did you mean to import "great" instead? a.ts:1:14: export const great = 1;
`,
  ],
  [
    "a file of a kind that is not imported",
    { "index.ts": `import logo from "./logo.png";\nconsole.log(logo);\n`, "logo.png": "" },
    `
index.ts:1:18: logo.png has the extension .png, which cannot be imported. [build-failed]
  1 | import logo from "./logo.png";
    |                  ^^^^^^^^^^^^
  Can be: .ts .mts .cts .tsx .js .mjs .cjs .jsx .json .txt .html .sql .md .css .wasm .bin
  Others can be by rules in the wrangler configuration, as Text or Data.
`,
  ],
  [
    "a native addon",
    {
      "index.ts": `import a from "a";\nconsole.log(a);\n`,
      "node_modules/a/index.js": `module.exports = require("./build/a.node");\n`,
      "node_modules/a/build/a.node": "",
    },
    `
node_modules/a/index.js:1:26: node_modules/a/build/a.node is a native addon, which the runtime cannot load. [dependency-native]
  1 | module.exports = require("./build/a.node");
    |                          ^^^^^^^^^^^^^^^^
  Use a package that is all JavaScript, or WebAssembly.
`,
  ],
  [
    "a package that package.json does not list",
    { "src/index.ts": `import { z } from "zod";\nconsole.log(z);\n` },
    `
src/index.ts:1:19: Cannot find package "zod": package.json does not list it, and it is no module of the runtime. [dependency-not-found]
  1 | import { z } from "zod";
    |                   ^^^^^
  A package: npm install zod, then commit package.json. A file of your own: "./zod".
`,
  ],
  [
    "a package that package.json lists",
    {
      "src/index.ts": `import { z } from "zod/v4";\nconsole.log(z);\n`,
      "package.json": `{ "dependencies": { "zod": "^4.0.0" } }`,
    },
    `
package.json:1:19: This host was started without an npm registry, and there is no lockfile to say which packages are meant. [registry-unreachable]
  1 | { "dependencies": { "zod": "^4.0.0" } }
    |                   ^^^^^^^^^^^^^^^^^^^
  Commit node_modules, or ask the host's owner to set NPM_REGISTRY.
`,
  ],
  [
    "a package that a package lacks",
    {
      "index.ts": `import a from "a";\nconsole.log(a);\n`,
      "node_modules/a/index.js": `module.exports = require("b");\n`,
    },
    `
node_modules/a/index.js:1:26: Cannot find package "b", which a package imports without depending on it (an optional peer, perhaps). [dependency-not-found]
  1 | module.exports = require("b");
    |                          ^^^
  npm install b, then commit package.json.
`,
  ],
  [
    "a package that only warns",
    {
      "index.ts": `import a from "a";\nconsole.log(a);\n`,
      "node_modules/a/index.js": `module.exports = { b: 1, b: 2 };\n//# sourceMappingURL=index.js.map\n`,
      "lib.js": "",
    },
    `

`,
  ],
  [
    "a package whose name is misspelt",
    {
      "src/index.ts": `import { z } from "zodd";\nconsole.log(z);\n`,
      "package.json": `{ "devDependencies": { "zod": "^4.0.0" } }`,
    },
    `
src/index.ts:1:19: Cannot find package "zodd": package.json does not list it, and it is no module of the runtime. [dependency-not-found]
  1 | import { z } from "zodd";
    |                   ^^^^^^
  Did you mean "zod"?
`,
  ],
  [
    "a package without what is asked of it",
    {
      "index.ts": `import a from "a/private";\nconsole.log(a);\n`,
      "node_modules/a/package.json": `{ "exports": "./a.js" }`,
      "node_modules/a/a.js": "",
      "node_modules/a/private.js": "",
    },
    `
index.ts:1:15: The package "a" in node_modules/a has no file for "private". [dependency-not-found]
  1 | import a from "a/private";
    |               ^^^^^^^^^^^
`,
  ],
  [
    "a file of the repository as if it were a package",
    { "src/index.ts": `import { a } from "src/lib/a";\nconsole.log(a);\n`, "src/lib/a.ts": "" },
    `
src/index.ts:1:19: Cannot find package "src": "src/lib/a" is a file of this repository. [dependency-not-found]
  1 | import { a } from "src/lib/a";
    |                   ^^^^^^^^^^^
  Import it as "./lib/a.ts".
`,
  ],
  [
    "a name of package.json's imports that is not there",
    { "index.ts": `import "#db";\n`, "package.json": "{}" },
    `
index.ts:1:8: "#db" is not among the imports of package.json, or leads to no file. [dependency-not-found]
  1 | import "#db";
    |        ^^^^^
`,
  ],
  [
    "an import from the network",
    { "index.ts": `import "https://esm.sh/zod";\n` },
    `
index.ts:1:8: "https://esm.sh/zod" is an address: a build here fetches nothing from the network. [dependency-not-found]
  1 | import "https://esm.sh/zod";
    |        ^^^^^^^^^^^^^^^^^^^^
  Put the module's source into the repository and import it by its path.
`,
  ],
  [
    "a module of Node where Node is off",
    { "index.ts": `import "fs";\n`, "wrangler.toml": `compatibility_date = "2025-01-01"` },
    `
index.ts:1:8: "node:fs" is a module of Node.js, which is not on for this app. [dependency-not-found]
  1 | import "fs";
    |        ^^^^
  Add "nodejs_compat" to compatibility_flags in wrangler.jsonc.
`,
  ],
  [
    "a module of Node that came later",
    {
      "index.ts": `import "node:fs";\n`,
      "wrangler.toml": `compatibility_date = "2025-01-01"\ncompatibility_flags = ["nodejs_compat"]`,
    },
    `
index.ts:1:8: The runtime has "node:fs" only from compatibility_date 2025-09-15 on. [dependency-not-found]
  1 | import "node:fs";
    |        ^^^^^^^^^
  Set compatibility_date in wrangler.jsonc to "2025-09-15" or later.
`,
  ],
  [
    "a module that Node has not",
    { "index.ts": `import "node:pth";\n` },
    `
index.ts:1:8: The runtime has no module "node:pth". [dependency-not-found]
  1 | import "node:pth";
    |        ^^^^^^^^^^
  Did you mean "node:path"?
`,
  ],
  [
    "a file over the limit",
    { "index.ts": `import a from "./a.txt";\nconsole.log(a);\n`, "a.txt": "x".repeat(6000) },
    `
index.ts:1:15: a.txt has 5.9 KiB, and 4.9 KiB is the limit for one file. [build-limit]
  1 | import a from "./a.txt";
    |               ^^^^^^^^^
`,
  ],
  [
    "what the bundler only warns of",
    { "index.ts": `export const a = { b: 1, b: 2 };\n` },
    `
index.ts:1:26: Duplicate key "b" in object literal. [build-warning]
  1 | export const a = { b: 1, b: 2 };
    |                          ^
  The original key "b" is here: index.ts:1:20: export const a = { b: 1, b: 2 };
`,
  ],
  [
    "an entry that is a Git LFS pointer",
    { "index.ts": LFS },
    `
index.ts is a Git LFS pointer: its content is not in the push. [lfs-pointer]
  Store it in git itself: git lfs untrack "index.ts", then git add --renormalize "index.ts" and commit.
`,
  ],
  [
    "an entry in a submodule",
    { src: { submodule: true }, "package.json": "{}" },
    `
No entry file found. [entry-not-found]
  Looked for, in this order:
    main of the wrangler configuration (there is no wrangler.jsonc)
    exports, module and main of package.json (not set)
    src/index.ts, .tsx, .mts, .js, .jsx, .mjs
    index.ts, .tsx, .mts, .js, .jsx, .mjs
  Submodules, whose content is not in the push: src
  Add a file wrangler.jsonc with this line: { "main": "src/index.ts" }
`,
  ],
  [
    "a bundle over the limit",
    {
      "index.ts": `import a from "./a.txt";\nimport b from "./b.txt";\nconsole.log(a, b);\n`,
      "a.txt": "x".repeat(4000),
      "b.txt": "x".repeat(500),
    },
    `
The bundle has 4.5 KiB, and 3.9 KiB is the limit. [bundle-too-large]
  The largest modules:
    3.9 KiB  a.txt
    520 bytes  b.txt
    35 bytes  index.ts
`,
  ],
];

it.each(CASES)("%s", async (_, files, lines) => {
  expect(await printed(files)).toBe(lines);
});
