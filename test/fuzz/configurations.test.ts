import * as fc from "fast-check";
import { expect } from "vitest";
import { type ConfigFile, parseConfigFile } from "../../build/config-file.ts";
import { readConfig } from "../../build/config.ts";
import type { BuildMessage } from "../../build/messages.ts";
import { formatMessage } from "../../build/messages.ts";
import { openTree } from "../../build/open-tree.ts";
import { readWranglerConfig } from "../../build/wrangler-config.ts";
import { treeOf } from "../build/source-tree-literal.ts";
import { nearly } from "./mutation.ts";
import { holds } from "./property.ts";

const WRANGLER_JSON = `\ufeff{
  // a comment
  "name": "app", "main": "src/index.ts", "compatibility_date": "2026-01-02", "compatibility_flags": ["nodejs_compat"],
  "vars": { "A": 1, "B": { "c": [null, true, "\\u00e9\\n"] } },
  "durable_objects": { "bindings": [{ "name": "X", "class_name": "X", "script_name": "app" }] },
  "kv_namespaces": [], "migrations": [{ "tag": "v1", "new_sqlite_classes": ["X"] }],
}
`;
const WRANGLER_TOML = `name = "app"
main = 'src/index.ts'
compatibility_date = 2026-01-02
[vars]
A = 1_000
B.c = [ 1.5e3, inf, 0xff, 1979-05-27T07:32:00Z, """x
y""" ]
[[durable_objects.bindings]]
name = "X"
class_name = "X"
`;
const PACKAGE = `{ "name": "app", "main": "src/index.ts", "exports": { ".": { "worker": ["./src/index.ts"] }, "./*": null },
  "dependencies": { "a": "1" }, "peerDependencies": [] }`;
const TSCONFIG = `{ "extends": ["./base", "pkg"], "compilerOptions": { "baseUrl": "..", "jsx": "preserve", "paths": { "@/*": ["./src/*", 1] } } }`;

/** As deep as a file of that size can be, and values that are not what is expected. */
const odd = fc.oneof(
  fc.json().map((text) => text),
  fc
    .constantFrom("__proto__", "constructor", "main", "vars", "extends", "exports")
    .map((key) => `{ "${key}": { "": [[]] } }`),
  fc
    .tuple(
      fc.constantFrom("[", '{"a":', '{"vars":[', "a = [", "a.", "[[a]]\n", "[a."),
      fc.integer({ min: 1, max: 20_000 }),
    )
    .map(([part, count]) => part.repeat(count)),
  fc
    .tuple(fc.constantFrom("vars", "extends", "exports", "main", "d1_databases"), fc.integer({ min: 1, max: 20_000 }))
    .map(([key, depth]) => `{"${key}":${"[".repeat(depth)}${"]".repeat(depth)}}`),
);

function file(...texts: readonly string[]): fc.Arbitrary<Uint8Array> {
  const valid = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...texts) }, { weight: 1, arbitrary: odd });
  return nearly(valid.map((text) => new Uint8Array(Buffer.from(text))));
}

function checkPlaces(found: ConfigFile): void {
  for (const keys of [["vars", "B", "c", 1], ["durable_objects", "bindings", 0], ["a.*+?(\\"], ["__proto__"], []]) {
    const { line, column, length } = found.locate(keys);
    expect(Math.min(line, column, length)).toBeGreaterThan(0);
  }
}

holds(
  "configurations",
  20,
  fc.asyncProperty(
    file(WRANGLER_JSON),
    file(WRANGLER_TOML),
    file(PACKAGE),
    fc.record({ tsconfig: file(TSCONFIG), base: file(TSCONFIG, "{}") }),
    async (json, toml, packageJson, { tsconfig, base }) => {
      const messages: BuildMessage[] = [];
      for (const [path, bytes] of Object.entries({
        "wrangler.jsonc": json,
        "wrangler.toml": toml,
        "package.json": packageJson,
      })) {
        const parsed = parseConfigFile(path, bytes);
        if (parsed.kind === "failed") messages.push(parsed.message);
        else checkPlaces(parsed.file);
        const outcome = parsed.kind === "read" ? readWranglerConfig(parsed.file) : undefined;
        if (outcome?.kind === "failed") messages.push(...outcome.messages);
      }
      for (const wrangler of [{ "wrangler.jsonc": json }, { "wrangler.toml": toml }]) {
        const files = { ...wrangler, "package.json": packageJson, "tsconfig.json": tsconfig, "base.json": base };
        const tree = await openTree(treeOf({ ...files, "src/index.ts": "" }));
        const outcome = await readConfig(tree, "");
        messages.push(...(outcome.kind === "failed" ? outcome.messages : outcome.warnings));
      }
      for (const message of messages) expect(formatMessage(message)[0]).toContain(message.code);
    },
  ),
);
