// What the size of an app's data costs a deploy: the rehearsal copies it, the cutover keeps a snapshot of it while visitors wait.
// `npm run bench`; BENCH_DATA_MB lists other sizes. Prints figures, and each as a multiple of the first size's.
import { execFileSync } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { commit, makeRepository } from "../e2e/git.ts";
import { request, startHost, type Host } from "../e2e/host.ts";
import { pushJson, type PushFacts } from "./json-push.ts";
import { sampleOf, timeMs } from "./measure.ts";

const SIZES_MB = (process.env["BENCH_DATA_MB"] ?? "1,100,500").split(",").map(Number);
const DEPLOYS = 5;

/** The builder is slow at first. */
const WARM_UP = 5;
const APP = "data";

/** So much comes with one request. */
const STEP_MB = 10;

const dataApp = (version: number): string => `
import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS filling (bytes BLOB)");
  }
  async fetch(request: Request): Promise<Response> {
    const { sql } = this.ctx.storage;
    const megabytes = Number(new URL(request.url).searchParams.get("mb"));
    for (let at = 0; at < megabytes * 10; at += 1) sql.exec("INSERT INTO filling VALUES (randomblob(100000))");
    return new Response(String(sql.databaseSize), { headers: { "x-version": "${version}" } });
  }
}
`;

/** Milliseconds of one deploy. */
interface DeployTimes {
  readonly push: number;
  readonly rehearse: number;
  readonly cutOver: number;
  /**
   * The longest that a visitor waited who asked all the time. It has what a local host computes for the push, in the one thread that it
   * has for everything, and what the runtime takes to copy databases, which the push's own figure for holds has not.
   */
  readonly visitor: number;
}

const COLUMNS = ["push", "rehearse", "cutOver", "visitor"] as const;

let version = 0;

async function fill(host: Host, megabytes: number): Promise<void> {
  const url = host.appUrl(APP);
  const sizeMb = async (add: number): Promise<number> => {
    const { status, text } = await request(`${url}?mb=${add}`);
    if (status !== 200) throw new Error(`The app answered ${status}: ${text}`);
    return Number(text) / 1e6;
  };
  for (
    let left = megabytes - (await sizeMb(0));
    left >= 0.5;
    left = megabytes - (await sizeMb(Math.min(left, STEP_MB)))
  );
}

async function deployOnce(host: Host, repository: string): Promise<DeployTimes> {
  version += 1;
  await commit(repository, { "src/index.ts": dataApp(version) }, `Version ${version}`);
  const stopping = new AbortController();
  const visitor = askOn(host, stopping.signal);
  let facts: PushFacts | undefined;
  const push = await timeMs(async () => {
    facts = await pushJson(host, repository, APP);
  });
  stopping.abort();
  if (facts?.rehearsal.data !== "copy") throw new Error("The rehearsal had no copy of the data.");
  const { rehearse = 0, cutOver = 0 } = facts.stagesMs;
  return { push, rehearse, cutOver, visitor: await visitor };
}

async function askOn(host: Host, signal: AbortSignal): Promise<number> {
  const times: number[] = [];
  while (!signal.aborted) {
    const took = await timeMs(async () => {
      const { status, text } = await request(host.appUrl(APP));
      if (status !== 200) throw new Error(`A visitor was answered ${status}: ${text}`);
    });
    times.push(took);
    await wait(5);
  }
  return sampleOf(times).maxMs;
}

async function measureSize(host: Host, repository: string, megabytes: number): Promise<DeployTimes> {
  await fill(host, megabytes);
  const runs: DeployTimes[] = [];
  for (let run = 0; run < DEPLOYS; run += 1) runs.push(await deployOnce(host, repository));
  const median = (name: keyof DeployTimes): number => sampleOf(runs.map((run) => run[name])).medianMs;
  return { push: median("push"), rehearse: median("rehearse"), cutOver: median("cutOver"), visitor: median("visitor") };
}

execFileSync(process.execPath, ["scripts/generate.ts"]);
const host = await startHost();
try {
  const repository = await makeRepository({ "src/index.ts": dataApp(version) });
  await pushJson(host, repository, APP);
  for (let run = 0; run < WARM_UP; run += 1) await deployOnce(host, repository);
  const head = COLUMNS.map((name) => name.padStart(20)).join("");
  console.log(`${"data".padEnd(8)}${head}   (medians of ${DEPLOYS} deploys)`);
  let first: DeployTimes | undefined;
  for (const megabytes of SIZES_MB) {
    const times = await measureSize(host, repository, megabytes);
    first ??= times;
    const base = first;
    const cells = COLUMNS.map((name) =>
      `${times[name].toFixed(0)} ms ${(times[name] / base[name]).toFixed(1)}x`.padStart(20),
    );
    console.log(`${`${megabytes} MB`.padEnd(8)}${cells.join("")}`);
  }
} finally {
  await host.stop();
}
