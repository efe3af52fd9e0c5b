// From a one-line change to live, against the same push to git's own http-backend, which deploys nothing; a rollback; a first
// push to a host that just started; and a request to a hosted app against the same class as a plain Durable Object, and as a bare facet.
// `npm run bench`. Prints figures and asserts none: machines differ.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join } from "node:path";
import { commit, git, makeFolder, makeRepository, tryGit, type Files } from "../e2e/git.ts";
import { startBenchHost, type BenchHost } from "./bench-host.ts";
import { startHttpBackend } from "./http-backend.ts";
import { formatRatio, formatSample, sampleOf, timeMs, type Sample } from "./measure.ts";

const RUNS = 15;
/** Requests in one round, for each number of clients that ask at once. */
const REQUESTS: Readonly<Record<number, number>> = { 1: 300, 16: 2000 };
const ROUNDS = 11;

/** After a push the runtime goes on compiling esbuild, on the cores that are measured. */
const WARM_UP_MS = 20_000;

/** An app of 20 files. `version` is the line that changes. */
function appFiles(version: number): Files {
  const modules = Array.from({ length: 19 }, (_, at) => [
    `src/part-${at}.ts`,
    `// Part ${at}.\nexport const part${at}: { readonly name: string; readonly value: number } = { name: "part ${at}", value: ${at} };\n`,
  ]);
  const imports = modules.map((_, at) => `import { part${at} } from "./part-${at}.ts";`).join("\n");
  const sum = modules.map((_, at) => `part${at}.value`).join(" + ");
  const entry = `import { DurableObject } from "cloudflare:workers";
${imports}
export const version = ${version} + 0 * (${sum});
export class App extends DurableObject {
  override fetch(): Response {
    const visits = (this.ctx.storage.kv.get<number>("visits") ?? 0) + 1;
    this.ctx.storage.kv.put("visits", visits);
    return new Response(\`\${visits}\`, { headers: { "x-version": \`\${version}\` } });
  }
}
`;
  return { ...Object.fromEntries(modules), "src/index.ts": entry };
}

const agent = new Agent({ keepAlive: true });

/** One request, read to its end; the version that answered. */
function visit(port: number, hostName: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ agent, host: "127.0.0.1", port, path: "/", headers: { host: hostName } }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode === 200) resolve(String(response.headers["x-version"]));
        else reject(new Error(`${hostName} answered ${response.statusCode}.`));
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** The time of each request. */
async function load(port: number, hostName: string, clients: number): Promise<number> {
  const requests = REQUESTS[clients] ?? 0;
  let left = requests;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await visit(port, hostName);
    }
  };
  const totalMs = await timeMs(() => Promise.all(Array.from({ length: clients }, client)));
  return totalMs / requests;
}

interface Pushes {
  readonly deploy: Sample;
  readonly peer: Sample;
  readonly rollback: Sample;
  /** The server's share by stage, in milliseconds: the medians of what the reports say. */
  readonly server: Readonly<Record<string, number>>;
}

async function measurePushes(host: BenchHost, peerUrl: string, repository: string): Promise<Pushes> {
  const deploys: number[] = [];
  const peers: number[] = [];
  const rollbacks: number[] = [];
  const stages: Record<string, number[]> = {};
  for (let run = 0; run < RUNS; run += 1) {
    const version = run + 2;
    await commit(repository, { "src/index.ts": appFiles(version)["src/index.ts"] }, `Version ${version}`);
    deploys.push(await timeMs(() => pushAndNote(host, repository, "main:main", stages)));
    const live = await visit(host.port, "bench.localhost");
    if (live !== String(version)) throw new Error(`Version ${version} was pushed, and ${live} answered.`);
    peers.push(await timeMs(() => git(repository, "push", "--quiet", peerUrl, "main:main")));
    rollbacks.push(
      await timeMs(() => git(repository, "push", "--quiet", "--force", host.gitUrl("bench"), "main~1:main")),
    );
    await git(repository, "push", "--quiet", host.gitUrl("bench"), "main:main");
  }
  const server = Object.fromEntries(Object.entries(stages).map(([stage, times]) => [stage, sampleOf(times).medianMs]));
  return { deploy: sampleOf(deploys), peer: sampleOf(peers), rollback: sampleOf(rollbacks), server };
}

async function pushAndNote(
  host: BenchHost,
  repository: string,
  refspec: string,
  stages: Record<string, number[]>,
): Promise<void> {
  const { code, stderr } = await tryGit(repository, ["push", "-o", "json", host.gitUrl("bench"), refspec]);
  const json = /^remote: (\{.*\})\s*$/m.exec(stderr)?.[1];
  if (code !== 0 || json === undefined) throw new Error(`The push ended with ${code}:\n${stderr}`);
  const report: { readonly stagesMs: Readonly<Record<string, number>> } = JSON.parse(json);
  for (const [stage, tookMs] of Object.entries(report.stagesMs)) (stages[stage] ??= []).push(tookMs);
}

async function warmUp(port: number): Promise<void> {
  const endMs = performance.now() + WARM_UP_MS;
  while (performance.now() < endMs) {
    for (const hostName of ["bench.localhost", "hop.bench", "plain.bench"]) await load(port, hostName, 16);
  }
}

interface Requests {
  readonly hosted: Sample;
  readonly hop: Sample;
  readonly plain: Sample;
}

/** The hosted app, a facet behind nothing but the hop to it, and a plain Durable Object: in turn, so that all have the same machine. */
async function measureRequests(port: number, clients: number): Promise<Requests> {
  const hosted: number[] = [];
  const hop: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    hosted.push(await load(port, "bench.localhost", clients));
    hop.push(await load(port, "hop.bench", clients));
    plain.push(await load(port, "plain.bench", clients));
  }
  return { hosted: sampleOf(hosted), hop: sampleOf(hop), plain: sampleOf(plain) };
}

function showRequests(clients: number, { hosted, hop, plain }: Requests): void {
  const of = clients === 1 ? "one by one" : `${clients} at once`;
  show(`hosted request, ${of}`, formatSample(hosted));
  show(`facet request, ${of}`, formatSample(hop));
  show(`plain request, ${of}`, formatSample(plain));
  show("", formatRatio(hosted, plain, "a plain Durable Object"));
  show("", `${formatRatio(hop, plain, "it")} is the facet alone`);
}

function show(name: string, text: string): void {
  console.log(`${name.padEnd(30)}${text}`);
}

execFileSync(process.execPath, ["scripts/generate.ts"]);
const root = makeFolder();
mkdirSync(join(root, "bench.git"));
await git(root, "init", "--quiet", "--bare", "bench.git");
const peer = await startHttpBackend(root);
const host = await startBenchHost();
try {
  const repository = await makeRepository(appFiles(1));
  const coldMs = await timeMs(() => git(repository, "push", "--quiet", host.gitUrl("bench"), "main:main"));
  await git(repository, "push", "--quiet", `${peer.url}/bench.git`, "main:main");
  const pushes = await measurePushes(host, `${peer.url}/bench.git`, repository);
  await warmUp(host.port);
  const oneByOne = await measureRequests(host.port, 1);
  const atOnce = await measureRequests(host.port, 16);
  show("cold first push", `${coldMs.toFixed(1)} ms`);
  show("push to live, warm", formatSample(pushes.deploy));
  show("push to http-backend", formatSample(pushes.peer));
  show("", formatRatio(pushes.deploy, pushes.peer, "http-backend"));
  show(
    "server's share",
    Object.entries(pushes.server)
      .map(([stage, ms]) => `${stage} ${ms} ms`)
      .join(", "),
  );
  show("rollback", formatSample(pushes.rollback));
  show("", formatRatio(pushes.rollback, pushes.deploy, "a deploy"));
  showRequests(1, oneByOne);
  showRequests(16, atOnce);
} finally {
  agent.destroy();
  await host.stop();
  await peer.stop();
}
