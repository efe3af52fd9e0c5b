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

/** What test/app/compat.test.ts compares: the same text is plain here, and deployed as an app there. */
const [compatClass = "", compatWorker = ""] = ["app", "worker"].map((name) => {
  const { outputFiles } = buildSync({
    entryPoints: [`test/app/compat/${name}.ts`],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*", "node:*"],
  });
  return outputFiles[0]?.text;
});
const compat = {
  source: compatClass,
  workerSource: compatWorker,
  oldDate: "2024-01-01",
  variables: { GREETING: "hello", COUNT: 5, SETTINGS: { list: [1, "two", null], isOn: true } },
  page: readFileSync("docs/apps.md", "utf8"),
};

/** One of the plain Workers beside the host's. */
function plain(
  name: string,
  script: string,
  durableObjects: Readonly<Record<string, string>>,
  compatibilityDate = "2026-11-02",
) {
  const classes = Object.entries(durableObjects);
  return {
    name,
    modules: true,
    script,
    compatibilityDate,
    compatibilityFlags: ["nodejs_compat"],
    bindings: compat.variables,
    durableObjects: Object.fromEntries(classes.map(([bound, className]) => [bound, { className, useSQLite: true }])),
    outboundService: answerFromOutside,
  };
}

/** What runs cron triggers of the plain Worker: the flag that lets a Worker do so is not to be set for the host. */
const cronCaller = {
  name: "plain-crons",
  modules: true,
  script: `export default {
  async fetch(request, { WORKER }) {
    const { cron, atMs } = await request.json();
    return Response.json(await WORKER.scheduled({ cron, scheduledTime: new Date(atMs) }));
  }
};`,
  compatibilityDate: "2026-11-02",
  compatibilityFlags: ["service_binding_extra_handlers"],
  serviceBindings: { WORKER: "plain-worker" },
};

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
          durableObjects: {
            PLAIN: { className: "App", scriptName: "plain", useSQLite: true },
            PLAIN_OLD: { className: "App", scriptName: "plain-old", useSQLite: true },
            PLAIN_SUITE: { className: "Suite", scriptName: "plain-worker", useSQLite: true },
          },
          serviceBindings: { PLAIN_WORKER: "plain-worker", PLAIN_CRONS: "plain-crons" },
          workers: [
            plain("plain", compat.source, { OBJECTS: "App" }),
            plain("plain-old", compat.source, { OBJECTS: "App" }, compat.oldDate),
            plain("plain-worker", compat.workerSource, { SUITE: "Suite", PEER: "Peer" }),
            cronCaller,
          ],
        },
      }),
    ],
    test: {
      name,
      ...files,
      setupFiles: ["test/runs-in-workerd.ts"],
      testTimeout: 30_000,
      hookTimeout: 60_000,
      provide: { fuzz, compat },
    },
  };
}

export default defineConfig({
  test: {
    // Most files wait more than they work: on two cores, two at a time.
    maxWorkers: 2,
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
