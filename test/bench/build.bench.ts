// What a build takes, as the push reports it, against native esbuild on the same files: apps of 20, 200 and 500 modules, cold (the
// first push to a host that just started) and warm (one line changed); then an app that uses hono by its lockfile: from the registry,
// from the cache, and unchanged. The registry is one of this file's own, so that no network is measured; it counts what it is asked.
// `npm run bench`. Prints figures and asserts none of them: machines differ. A build that asks the registry again is an error.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { build as esbuild } from "esbuild";
import { commit, makeFolder, makeRepository, tryGit, type Files } from "../e2e/git.ts";
import { ROOT, startHost, type Host } from "../e2e/host.ts";
import { formatRatio, formatSample, sampleOf, timeMs } from "./measure.ts";

const SIZES = [20, 200, 500];
const COLD_RUNS = 3;
const WARM_RUNS = Number(process.env["BENCH_BUILDS"] ?? 25);

/** Some 1.2 KB a module; each imports three of those after it, so that the graph is as deep as it is wide. */
function modulesOf(count: number, version: number): Files {
  const names = Array.from({ length: count - 1 }, (_, at) => `m${at}`);
  const files = names.map((name, at) => {
    const next = [at * 2 + 1, at * 2 + 2, at + 7].filter((to) => to > at && to < names.length);
    const imports = [...new Set(next)].map((to) => `import { m${to} } from "./m${to}.ts";`).join("\n");
    const methods = Array.from({ length: 8 }, (_, n) => {
      return `  async method${n}(input: { readonly id: string; readonly tags?: readonly string[] }): Promise<string> {\n    return \`\${this.name} ${n} \${input.id} \${input.tags?.join(", ") ?? ""}\`;\n  }\n`;
    });
    const sum = [...new Set(next)].map((to) => ` + m${to}.value`).join("");
    const text = `${imports}\nexport class Part${at} {\n  readonly name: string = "part ${at}";\n  readonly value: number = ${at}${sum};\n${methods.join("")}}\nexport const ${name} = new Part${at}();\n`;
    return [`src/${name}.ts`, text] as const;
  });
  const entry = `import { DurableObject } from "cloudflare:workers";\nimport { m0 } from "./m0.ts";\nexport class App extends DurableObject {\n  override fetch(): Response {\n    return new Response(m0.name + m0.value + "${version}");\n  }\n}\n`;
  return { ...Object.fromEntries(files), "src/index.ts": entry };
}

const HONO = `import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { logger } from "hono/logger";
const app = new Hono();
app.use(cors());
app.use(logger());
app.get("/", (context) => context.json({ version: VERSION }));
export class App extends DurableObject {
  override fetch(request: Request): Response | Promise<Response> {
    return app.fetch(request);
  }
}
`;

function honoFiles({ honoVersion, integrity }: Registry, version: number): Files {
  const packages = {
    "": { dependencies: { hono: honoVersion } },
    "node_modules/hono": { version: honoVersion, integrity },
  };
  return {
    "src/index.ts": HONO.replace("VERSION", String(version)),
    "package.json": JSON.stringify({ private: true, dependencies: { hono: honoVersion } }),
    "package-lock.json": JSON.stringify({ name: "app", lockfileVersion: 3, requires: true, packages }),
  };
}

interface Registry {
  readonly url: string;
  readonly honoVersion: string;
  readonly integrity: string;
  requestCount(): number;
  stop(): void;
}

/** The hono that this repository itself has, packed again. */
async function startRegistry(): Promise<Registry> {
  const folder = makeFolder();
  const args = ["pack", join(ROOT, "node_modules/hono"), "--json", "--ignore-scripts", "--offline"];
  const packed: readonly { readonly filename: string; readonly version: string; readonly integrity: string }[] =
    JSON.parse(execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  const [found] = packed;
  if (found === undefined) throw new Error("npm packed nothing.");
  const { filename, version, integrity } = found;
  const tarball = readFileSync(join(folder, filename));
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    response.statusCode = request.url?.endsWith(".tgz") === true ? 200 : 404;
    response.end(response.statusCode === 200 ? tarball : "");
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The registry has no port.");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    honoVersion: version,
    integrity,
    requestCount: () => requests,
    stop: () => server.close(),
  };
}

/** Pushes, and gives the milliseconds of the build stage as the host reports them. */
async function buildMs(host: Host, repository: string, app: string): Promise<number> {
  const { code, stderr } = await tryGit(repository, ["push", "-o", "json", host.gitUrl(`${app}.git`), "main"]);
  const json = /^remote: (\{.*\})\s*$/m.exec(stderr)?.[1];
  if (code !== 0 || json === undefined) throw new Error(`The push ended with ${code}:\n${stderr}`);
  const report: { readonly stagesMs: Readonly<Record<string, number>> } = JSON.parse(json);
  return report.stagesMs["build"] ?? 0;
}

/** The same bundle by native esbuild, its service already running. */
async function nativeMs(repository: string): Promise<number> {
  return timeMs(() =>
    esbuild({
      absWorkingDir: repository,
      entryPoints: ["src/index.ts"],
      outfile: "out.js",
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      target: "es2024",
      sourcemap: "external",
      external: ["cloudflare:*"],
      nodePaths: [join(ROOT, "node_modules")],
    }),
  );
}

/** The peer's cold start: its process too. */
function nativeColdMs(repository: string): Promise<number> {
  const args = ["src/index.ts", "--bundle", "--outfile=out.js", "--format=esm", "--external:cloudflare:*"];
  return timeMs(async () => {
    execFileSync(join(ROOT, "node_modules/.bin/esbuild"), [...args, "--log-level=error"], { cwd: repository });
  });
}

function show(name: string, own: readonly number[], peer?: readonly number[]): void {
  const sample = sampleOf(own);
  const ratio =
    peer === undefined
      ? ""
      : `, ${formatRatio(sample, sampleOf(peer), `native esbuild (${formatSample(sampleOf(peer))})`)}`;
  console.log(`${name.padEnd(28)}${formatSample(sample)}${ratio}`);
}

async function measureSize(count: number): Promise<void> {
  const repository = await makeRepository({ ...modulesOf(count, 0), ".gitignore": "out.js\n" });
  const cold: number[] = [];
  const coldPeer: number[] = [];
  const warm: number[] = [];
  const warmPeer: number[] = [];
  for (let run = 1; run <= COLD_RUNS; run += 1) {
    const host = await startHost();
    try {
      cold.push(await buildMs(host, repository, "cold"));
      coldPeer.push(await nativeColdMs(repository));
      if (run < COLD_RUNS) continue;
      await nativeMs(repository);
      for (let version = 1; version <= WARM_RUNS; version += 1) {
        await commit(repository, { "src/index.ts": modulesOf(count, version)["src/index.ts"] }, `Version ${version}`);
        warm.push(await buildMs(host, repository, "cold"));
        warmPeer.push(await nativeMs(repository));
      }
    } finally {
      await host.stop();
    }
  }
  show(`${count} modules, cold`, cold, coldPeer);
  show(`${count} modules, warm`, warm, warmPeer);
}

/** Times of one kind of build each. */
interface HonoTimes {
  readonly first: number[];
  readonly cached: number[];
  readonly peer: number[];
  readonly same: number[];
}

async function measureHono(): Promise<void> {
  const registry = await startRegistry();
  const times: HonoTimes = { first: [], cached: [], peer: [], same: [] };
  try {
    for (let run = 1; run <= COLD_RUNS; run += 1) await measureHonoHost(registry, times);
  } finally {
    registry.stop();
  }
  show("hono, from the registry", times.first);
  show("hono, from the cache", times.cached, times.peer);
  show("hono, unchanged", times.same);
}

async function measureHonoHost(registry: Registry, { first, cached, peer, same }: HonoTimes): Promise<void> {
  const repository = await makeRepository(honoFiles(registry, 0));
  const host = await startHost({ environment: { NPM_REGISTRY: registry.url } });
  try {
    first.push(await buildMs(host, repository, "hono"));
    const asked = registry.requestCount();
    await nativeMs(repository);
    for (let version = 1; version <= WARM_RUNS; version += 1) {
      await commit(repository, honoFiles(registry, version), `Version ${version}`);
      cached.push(await buildMs(host, repository, "hono"));
      peer.push(await nativeMs(repository));
      await commit(repository, {}, "The same tree");
      same.push(await buildMs(host, repository, "hono"));
    }
    if (registry.requestCount() !== asked) throw new Error("A later build asked the registry again.");
  } finally {
    await host.stop();
  }
}

const only = process.argv.slice(2);
for (const count of SIZES) if (only.length === 0 || only.includes(String(count))) await measureSize(count);
if (only.length === 0 || only.includes("hono")) await measureHono();
