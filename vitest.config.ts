// Two projects: unit tests inside workerd (the real runtime, with facets, the loader and R2), and end-to-end tests in Node,
// which drive the real git client against the Worker under wrangler dev.
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

export default defineConfig({
  test: {
    projects: [
      {
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
        test: {
          name: "workerd",
          include: ["test/{git,store,repo,app,http,build,fuzz}/**/*.test.ts", "test/*.test.ts"],
          setupFiles: ["test/runs-in-workerd.ts"],
          testTimeout: 30_000,
          provide: { fuzz, compat },
        },
      },
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
