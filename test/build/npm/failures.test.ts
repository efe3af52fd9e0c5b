import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Builder } from "../../../build/builder.ts";
import { build, type BuildOutcome } from "../../../build/index.ts";
import { treeOf } from "../source-tree-literal.ts";
import { lockOf, makeRegistry, REGISTRY_URL, sha512, type TestRegistry } from "./test-registry.ts";

const builder = new Builder(env.LOADER);
const NONSENSE = new TextEncoder().encode(`no tarball ${crypto.randomUUID()}`);
const OTHER = sha512(new TextEncoder().encode(crypto.randomUUID()));

function buildLocked(
  registry: TestRegistry,
  entry: Readonly<Record<string, unknown>>,
  range = "*",
): Promise<BuildOutcome> {
  return buildWith(registry, range, { "package-lock.json": lockOf({ "node_modules/a": entry }) });
}

function buildWith(
  registry: TestRegistry,
  range: string,
  files: Readonly<Record<string, string>>,
): Promise<BuildOutcome> {
  const app = {
    "index.ts": `import "a";\nexport default {};\n`,
    "package.json": `{ "dependencies": { "a": "${range}" } }`,
  };
  return build(treeOf({ ...app, ...files }), builder, undefined, registry);
}

function codesOf(outcome: BuildOutcome): string[] {
  const messages = outcome.kind === "failed" ? outcome.messages : outcome.warnings;
  return messages.map(({ code }) => code);
}

const CASES: readonly (readonly [
  name: string,
  code: string,
  run: (registry: TestRegistry) => Promise<BuildOutcome>,
])[] = [
  [
    "a tarball that is not the one that was locked",
    "integrity-mismatch",
    (registry) => buildLocked(registry, { version: "1.0.0", integrity: OTHER }),
  ],
  [
    "a checksum that proves nothing",
    "integrity-mismatch",
    (registry) => buildLocked(registry, { version: "1.0.0", integrity: "sha512-AAAA" }),
  ],
  [
    "a package that the registry does not have",
    "dependency-missing",
    (registry) => buildLocked(registry, { name: "gone", version: "1.0.0", integrity: OTHER }, "npm:gone@1"),
  ],
  [
    "a version that it does not have",
    "dependency-version-missing",
    (registry) => buildLocked(registry, { version: "9.9.9", integrity: OTHER }),
  ],
  ["a range that nothing fits", "dependency-version-missing", (registry) => buildWith(registry, "^7", {})],
  [
    "a registry that is down",
    "registry-unreachable",
    (registry) => {
      registry.intercept = () => new Response("down", { status: 503 });
      return buildLocked(registry, registry.locked("a@1.0.0"));
    },
  ],
  [
    "a private package",
    "registry-unauthorized",
    (registry) => {
      registry.intercept = () => new Response("who", { status: 401 });
      return buildLocked(registry, registry.locked("a@1.0.0"));
    },
  ],
  [
    "a tarball that is none",
    "package-invalid",
    (registry) => {
      registry.intercept = () => new Response(NONSENSE);
      return buildLocked(registry, { version: "1.0.0", integrity: sha512(NONSENSE) });
    },
  ],
  [
    "a lockfile that has another version than is asked for",
    "lockfile-drift",
    (registry) => buildLocked(registry, registry.locked("a@1.0.0"), "^2"),
  ],
  [
    "a lockfile that lacks a package",
    "lockfile-drift",
    (registry) => buildWith(registry, "1", { "package-lock.json": lockOf({}) }),
  ],
  [
    "a lockfile that is no JSON",
    "lockfile-invalid",
    (registry) => buildWith(registry, "1", { "package-lock.json": "<<<<<<< HEAD\n{" }),
  ],
  [
    "a lockfile whose folder leaves the repository",
    "lockfile-invalid",
    (registry) =>
      buildWith(registry, "1", { "package-lock.json": lockOf({ "../node_modules/a": registry.locked("a@1.0.0") }) }),
  ],
  [
    "a lockfile of another package manager",
    "lockfile-unsupported",
    (registry) => buildWith(registry, "1", { "bun.lock": "" }),
  ],
  [
    "a dependency from git",
    "dependency-unsupported",
    (registry) => buildLocked(registry, { version: "1.0.0", resolved: "git+ssh://git@host.test/a.git#1" }, "host/a"),
  ],
  [
    "a native addon",
    "dependency-native",
    (registry) => buildLocked(registry, { name: "native", ...registry.locked("native@1.0.0") }, "npm:native@1"),
  ],
  [
    "an install script, which is a warning",
    "install-script",
    (registry) => buildLocked(registry, { name: "script", ...registry.locked("script@1.0.0") }, "npm:script@1"),
  ],
];

it.each(CASES)("%s: %s", async (_name, code, run) => {
  const registry = await makeRegistry({
    "a@1.0.0": { files: { "index.js": "console.log(1);" } },
    "native@1.0.0": { files: { "index.js": "", "binding.gyp": "{}" } },
    "script@1.0.0": { manifest: { scripts: { postinstall: "node x" } }, files: { "index.js": "console.log(1);" } },
  });
  expect(codesOf(await run(registry))).toEqual([code]);
});

it("drops what leads out of a package", async () => {
  const body = new TextEncoder().encode("evil");
  const registry = await makeRegistry({
    "a@1.0.0": {
      files: { "index.js": `import "./up.js";` },
      entries: [
        { header: { name: "package/../../up.js", size: 4, type: "file" }, body },
        { header: { name: "package/up.js", size: 0, type: "symlink", linkname: "/etc/passwd" } },
      ],
    },
  });
  expect(codesOf(await buildLocked(registry, registry.locked("a@1.0.0")))).toEqual(["import-not-found"]);
});

it("sends a token to its own registry only", async () => {
  const registry = await makeRegistry(
    { "a@1.0.0": { files: { "index.js": "1;" } } },
    { tokens: { [REGISTRY_URL]: "secret" } },
  );
  const tarball = registry.published.get("a@1.0.0")?.tarball ?? NONSENSE;
  registry.intercept = (url) => {
    if (url.startsWith(REGISTRY_URL))
      return new Response(null, { status: 302, headers: { location: "http://cdn.test/a" } });
    return new Response(Uint8Array.from(tarball));
  };
  expect(codesOf(await buildLocked(registry, registry.locked("a@1.0.0")))).toEqual([]);
  expect(registry.requests).toEqual(["a/-/a-1.0.0.tgz Bearer secret", "http://cdn.test/a"]);
});
