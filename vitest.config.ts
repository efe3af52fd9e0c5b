// Unit tests inside workerd (the real runtime, with facets, the loader and R2), and end-to-end tests in Node, which drive the real
// git client against the Worker under wrangler dev. The files of "workerd" share one isolate and its storage, since each would
// load the Worker anew otherwise, for seconds: a file uses names of apps that no other file has, or is on the list ALONE.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { buildSync } from "esbuild";
import { defineConfig } from "vitest/config";
import { answerFromOutside } from "./test/app/public-internet.ts";

execFileSync(process.execPath, ["scripts/generate.ts"], { stdio: "inherit" });

// `npm run fuzz` says otherwise.
const fuzz = {
  seed: Number(process.env["FUZZ_SEED"] ?? 20_261_201),
  seconds: Number(process.env["FUZZ_SECONDS"] ?? 40),
};

/** The class that test/app/compat.test.ts compares: the same text is a plain Durable Object here, and deployed as an app there. */
const [compatApp] = buildSync({
  entryPoints: ["test/app/compat/app.ts"],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2024",
  external: ["cloudflare:*", "node:*"],
}).outputFiles;
const compat = { source: compatApp?.text ?? "", page: readFileSync("docs/apps.md", "utf8") };

/** Files that ask what there is at all, change what an isolate shares, or run the same cases as another. */
const ALONE = [
  "test/app/{commit,compat,cutover,data-copy,isolation,previews,repository,snapshots,websocket}.test.ts",
  "test/http/{env,tokens,auth}.test.ts",
  "test/store/code.test.ts",
];

/** A project of tests inside workerd. */
function inWorkerd(
  name: string,
  files: { readonly include: string[]; readonly exclude?: string[]; readonly isolate: boolean },
) {
  return {
    plugins: [
      cloudflareTest({
        wrangler: { configPath: "./wrangler.jsonc" },
        miniflare: {
          bindings: { ADMIN_TOKEN: "unit-test-token", ENV_KEY: "unit-test-key-of-at-least-32-characters" },
          outboundService: answerFromOutside,
          durableObjects: { PLAIN: { className: "App", scriptName: "plain", useSQLite: true } },
          workers: [
            {
              name: "plain",
              modules: true,
              script: compat.source,
              compatibilityDate: "2026-11-02",
              compatibilityFlags: ["nodejs_compat"],
              bindings: { GREETING: "hello" },
              durableObjects: { OBJECTS: { className: "App", useSQLite: true } },
              outboundService: answerFromOutside,
            },
          ],
        },
      }),
    ],
    test: { name, ...files, setupFiles: ["test/runs-in-workerd.ts"], testTimeout: 30_000, provide: { fuzz, compat } },
  };
}

export default defineConfig({
  test: {
    projects: [
      inWorkerd("workerd", {
        include: ["test/{git,store,repo,app,http,build,fuzz}/**/*.test.ts", "test/*.test.ts"],
        exclude: ALONE,
        isolate: false,
      }),
      inWorkerd("workerd alone", { include: ALONE, isolate: true }),
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
