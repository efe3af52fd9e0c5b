// The git server against git's own http-backend, in turn: push, clone, depth-1 clone, incremental push and fetch, ls-remote, and
// the bare HTTP fetch of everything. `npm run bench`; with `-- PATH...` also for repositories of one's own (real source gives
// real deltas). Without a path, repositories are generated. Also workerd's peak memory for each.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { commit, git, makeFolder, makeRepository, type Files } from "../e2e/git.ts";
import { startBenchHost, type BenchHost } from "./bench-host.ts";
import { startHttpBackend, type HttpBackend } from "./http-backend.ts";
import { formatRatio, sampleOf, timeMs, type Sample } from "./measure.ts";

const RUNS = Number(process.env["BENCH_RUNS"] ?? 5);

/** The two servers that take turns. */
interface Peers {
  readonly host: BenchHost;
  readonly backend: HttpBackend;
  readonly root: string;
}

/** One repository in both, and its source. */
interface Subject {
  readonly name: string;
  readonly source: string;
}

type Server = "host" | "backend";
const SERVERS: readonly Server[] = ["host", "backend"];

/** Text with words in it: deltas and deflates somewhat as source does. Changes with the seed. */
function prose(seed: number, sizeBytes: number): string {
  const words: string[] = [];
  let state = seed;
  for (let left = sizeBytes; left > 0; left -= 8) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    words.push(`w${(state >>> 16) % 5000}${left % 64 < 8 ? "\n" : " "}`);
  }
  return words.join("");
}

async function generate(name: string, fileCount: number, commits: number): Promise<Subject> {
  const files = Object.fromEntries(
    Array.from({ length: fileCount }, (_, at): [string, string] => [`src/${at % 40}/file-${at}.ts`, prose(at, 12_000)]),
  );
  const source = await makeRepository(files);
  for (let at = 0; at < commits; at += 1) {
    const changed: Files = { [`src/${at % 40}/file-${at % fileCount}.ts`]: prose(at + 7, 12_000) };
    await commit(source, changed, `Change ${at}`);
  }
  return { name, source };
}

/** A clone of a repository of one's own: its HEAD as main. */
async function adopt(path: string): Promise<Subject> {
  const folder = makeFolder();
  await git(folder, "clone", "--quiet", "--no-tags", "--single-branch", path, "source");
  const source = join(folder, "source");
  await git(source, "checkout", "--quiet", "-B", "main");
  return { name: basename(path), source };
}

async function makeRemote(peers: Peers, server: Server, id: string): Promise<string> {
  if (server === "host") {
    await peers.host.createStore(id);
    return peers.host.gitUrl(id);
  }
  await git(peers.root, "init", "--quiet", "--bare", `${id}.git`);
  await git(join(peers.root, `${id}.git`), "config", "core.logAllRefUpdates", "false");
  return `${peers.backend.url}/${id}.git`;
}

type Samples = Record<string, Record<Server, number[]>>;

function note(samples: Samples, what: string, server: Server, tookMs: number): void {
  (samples[what] ??= { host: [], backend: [] })[server].push(tookMs);
}

/** One round of everything against one server; each round into a repository of its own. */
async function measureRound(peers: Peers, server: Server, subject: Subject, samples: Samples): Promise<void> {
  const remote = await makeRemote(peers, server, `r${Math.random().toString(36).slice(2, 12)}`);
  const { source } = subject;
  const folder = makeFolder();
  const measure = async (what: string, work: () => Promise<unknown>): Promise<void> =>
    note(samples, what, server, await timeMs(work));
  await measure("push", () => git(source, "push", "--quiet", remote, "main:main"));
  await measure("ls-remote", () => git(source, "ls-remote", remote));
  await measure("clone", () => git(folder, "clone", "--quiet", "--bare", remote, "full"));
  await measure("depth-1 clone", () => git(folder, "clone", "--quiet", "--bare", "--depth=1", remote, "shallow"));
  await measure("raw fetch", () => fetchRaw(remote, folder));
  const worktree = join(folder, "work");
  await git(folder, "clone", "--quiet", "--no-checkout", source, "work");
  await git(worktree, "reset", "--quiet");
  await git(worktree, "commit", "--quiet", "--allow-empty", "-m", "One more");
  await measure("incremental push", () => git(worktree, "push", "--quiet", remote, "HEAD:refs/heads/main"));
  await measure("incremental fetch", () => git(join(folder, "full"), "fetch", "--quiet", remote, "main"));
}

/** Everything over HTTP in protocol version 2, with no git client that indexes it. */
async function fetchRaw(remote: string, folder: string): Promise<void> {
  const tip = (await git(folder, "ls-remote", remote, "refs/heads/main")).slice(0, 40);
  const packets = ["command=fetch", "0001", "ofs-delta", "no-progress", `want ${tip}`, "done"];
  const body = packets.map((text) => (text === "0001" ? text : pkt(`${text}\n`))).join("");
  const url = new URL(remote);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString("base64")}`;
  url.username = "";
  url.password = "";
  const response = await fetch(`${url.href}/git-upload-pack`, {
    method: "POST",
    body: `${body}0000`,
    headers: {
      authorization,
      "git-protocol": "version=2",
      "content-type": "application/x-git-upload-pack-request",
    },
  });
  if (!response.ok || response.body === null) throw new Error(`The fetch was answered ${response.status}.`);
  let sizeBytes = 0;
  for await (const chunk of response.body) sizeBytes += chunk.byteLength;
  if (sizeBytes < 100) throw new Error("The fetch brought no pack.");
}

function pkt(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}

/** The process numbers of this process's own workerds. */
function listWorkerds(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || !existsSync(`/proc/${pid}/status`)) return false;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return status.includes("Name:\tworkerd\n") && status.includes(`PPid:\t${process.pid}\n`);
  });
}

/** A line of /proc/PID/status, summed over the workerds, in bytes. */
function sumOf(line: "VmRSS" | "VmHWM"): number {
  const kib = listWorkerds().map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  });
  return 1024 * kib.reduce((sum, one) => sum + one, 0);
}

/** Makes what is resident now the peak (proc(5), clear_refs). What it is, in bytes. */
function resetPeak(): number {
  for (const pid of listWorkerds()) writeFileSync(`/proc/${pid}/clear_refs`, "5");
  return sumOf("VmRSS");
}

function show(samples: Samples): void {
  for (const [what, times] of Object.entries(samples)) {
    const own: Sample = sampleOf(times.host);
    const peer: Sample = sampleOf(times.backend);
    const figures = `${own.medianMs.toFixed(0)} ms, http-backend ${peer.medianMs.toFixed(0)} ms`;
    console.log(`  ${what.padEnd(20)}${figures.padEnd(40)}${formatRatio(own, peer, "http-backend")}`);
  }
}

execFileSync(process.execPath, ["scripts/generate.ts"]);
const paths = process.argv.slice(2);
const subjects =
  paths.length > 0
    ? await Promise.all(paths.map(adopt))
    : [await generate("20 files", 20, 5), await generate("2,000 files, 300 commits", 2000, 300)];
const root = makeFolder();
const backend = await startHttpBackend(root);
for (const subject of subjects) {
  const host = await startBenchHost();
  const samples: Samples = {};
  let restingBytes = 0;
  for (let run = 0; run < RUNS; run += 1) {
    for (const server of SERVERS) await measureRound({ host, backend, root }, server, subject, samples);
    // The first round is the local R2's: it takes memory for what it writes first and keeps it.
    if (run === 0) restingBytes = resetPeak();
  }
  const growthMb = (sumOf("VmHWM") - restingBytes) / 1e6;
  const size = await git(subject.source, "count-objects", "-v");
  console.log(`${subject.name} (${/size-pack: (\d+)/.exec(size)?.[1] ?? "?"} KiB packed, ${RUNS} runs, medians)`);
  show(samples);
  console.log(`  workerd's peak memory over its rest after one round: ${growthMb.toFixed(0)} MB`);
  await host.stop();
}
await backend.stop();
