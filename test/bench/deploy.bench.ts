// What deploys cost visitors, and what many of them cost the host: requests while versions are pushed against requests while none
// are; a rollback; memory and disk over a long row of deploys (on disk there is what upkeep takes away later: code
// that no kept deploy has after an hour, packs after a day). `npm run bench`; BENCH_DEPLOYS, BENCH_CLIENTS and BENCH_ROW make it
// shorter. Prints figures; what must never be, a request that a deploy failed or a write that it lost, ends it with an error.
import { execFileSync } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { commit, git, makeRepository } from "../e2e/git.ts";
import { startHost, type Host } from "../e2e/host.ts";
import { listWrites, loadedApp, startLoad, type LoadOutcome } from "../e2e/load.ts";
import { memoryMb } from "./host-memory.ts";
import { pushJson, type PushFacts } from "./json-push.ts";
import { formatSample, sampleOf, timeMs } from "./measure.ts";

const DEPLOYS = Number(process.env["BENCH_DEPLOYS"] ?? 20);
const CLIENTS = Number(process.env["BENCH_CLIENTS"] ?? 50);
const ROW = Number(process.env["BENCH_ROW"] ?? 200);
const ROLLBACKS = 10;
const QUIET_MS = 10_000;

type Cutover = PushFacts["cutover"];

let version = 0;

async function deployNext(host: Host, repository: string): Promise<Cutover> {
  version += 1;
  await commit(repository, { "src/index.ts": loadedApp(String(version)) }, `Version ${version}`);
  return (await pushJson(host, repository, "bench")).cutover;
}

function formatTimes({ timesMs }: LoadOutcome): string {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * sorted.length)] ?? 0).toFixed(0);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${(sorted.at(-1) ?? 0).toFixed(0)} ms of ${sorted.length} requests`;
}

async function checkLoad(host: Host, outcome: LoadOutcome): Promise<void> {
  if (outcome.problems.length > 0) throw new Error(`Visitors had problems:\n${outcome.problems.join("\n")}`);
  const stored = await listWrites(host.appUrl("bench"));
  const lost = [...outcome.acknowledged].filter((id) => !stored.has(id));
  if (lost.length > 0) throw new Error(`These writes were acknowledged and are lost: ${lost.join(", ")}`);
}

async function measureLoad(host: Host, repository: string): Promise<void> {
  const quiet = startLoad(host.appUrl("bench"), CLIENTS);
  await wait(QUIET_MS);
  const without = await quiet.stop();
  await checkLoad(host, without);
  const busy = startLoad(host.appUrl("bench"), CLIENTS, "deploys-");
  const cutovers: Cutover[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let at = 0; at < DEPLOYS; at += 1) cutovers.push(await deployNext(host, repository));
  const during = await busy.stop();
  await checkLoad(host, during);
  const sum = (name: keyof Cutover): number => cutovers.reduce((total, cutover) => total + cutover[name], 0);
  show(`${CLIENTS} clients, no deploy`, formatTimes(without));
  show(`${CLIENTS} clients, ${DEPLOYS} deploys`, formatTimes(during));
  show(
    "holds",
    `longest ${Math.max(...cutovers.map(({ longestHoldMs }) => longestHoldMs))} ms; ${formatSample(sampleOf(cutovers.map(({ longestHoldMs }) => longestHoldMs)))}`,
  );
  show(
    "requests",
    `${sum("drainedCount")} drained, ${sum("droppedCount")} dropped, ${sum("turnedAwayCount")} turned away, 0 failed`,
  );
  show("writes", `${during.acknowledged.size} acknowledged, 0 lost`);
}

async function measureRollback(host: Host, repository: string): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run < ROLLBACKS; run += 1) {
    times.push(
      await timeMs(() => git(repository, "push", "--quiet", "--force", host.gitUrl("bench.git"), "main~1:main")),
    );
    await git(repository, "push", "--quiet", host.gitUrl("bench.git"), "main:main");
  }
  show("rollback to live", formatSample(sampleOf(times)));
}

async function measureRow(host: Host, repository: string): Promise<void> {
  for (let at = 0; at <= ROW; at += 1) {
    if (at % Math.max(1, Math.floor(ROW / 4)) === 0) {
      show(
        `after ${at} more deploys`,
        `${memoryMb(host).toFixed(0)} MB of memory, ${diskMb(host).toFixed(1)} MB on disk`,
      );
    }
    await deployNext(host, repository);
  }
}

function diskMb(host: Host): number {
  const text = execFileSync("du", ["-sk", host.dataPath], { encoding: "utf8" });
  return Number(text.split(/\s/)[0]) / 1000;
}

function show(name: string, text: string): void {
  console.log(`${name.padEnd(28)}${text}`);
}

execFileSync(process.execPath, ["scripts/generate.ts"]);
const host = await startHost();
try {
  const repository = await makeRepository({ "src/index.ts": loadedApp("0") });
  await git(repository, "push", "--quiet", host.gitUrl("bench.git"), "main");
  await measureLoad(host, repository);
  await measureRollback(host, repository);
  await measureRow(host, repository);
} finally {
  await host.stop();
}
