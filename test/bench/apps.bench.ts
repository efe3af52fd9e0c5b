// Many apps on one host: whether the last one is made, deployed and answered as fast as the first, and what an idle app costs in
// memory. `npm run bench`; BENCH_APPS makes it shorter. Prints figures and asserts none.
import { execFileSync } from "node:child_process";
import { git, makeRepository } from "../e2e/git.ts";
import { callApi, request, startHost, type Host } from "../e2e/host.ts";
import { memoryMb } from "./host-memory.ts";
import { formatRatio, formatSample, sampleOf, timeMs } from "./measure.ts";

const APPS = Number(process.env["BENCH_APPS"] ?? 1000);

/** What is taken as the first and as the last: the median of so many. */
const GROUP = Math.min(50, Math.floor(APPS / 4));

/** Apps that come before the first which counts: esbuild and V8 are slow at first, with one app as with many. */
const WARM_UP = 20;

const FILES = {
  "src/index.ts": `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  override fetch(): Response {
    const visits = (this.ctx.storage.kv.get<number>("visits") ?? 0) + 1;
    this.ctx.storage.kv.put("visits", visits);
    return new Response(\`\${visits}\`);
  }
}
`,
};

/** What is timed of an app's beginning, in milliseconds. */
interface Beginning {
  readonly create: number;
  readonly deploy: number;
  readonly answer: number;
}

async function begin(host: Host, repository: string, app: string): Promise<Beginning> {
  const create = await timeMs(() => callApi(host, "POST", "/apps", { name: app, deploy: true }));
  const deploy = await timeMs(() => git(repository, "push", "--quiet", host.gitUrl(`${app}.git`), "main"));
  const answer = await timeMs(() => visit(host, app));
  return { create, deploy, answer };
}

async function visit(host: Host, app: string): Promise<void> {
  const { status } = await request(host.appUrl(app));
  if (status !== 200) throw new Error(`${app} answered ${status}.`);
}

function show(name: string, text: string): void {
  console.log(`${name.padEnd(28)}${text}`);
}

execFileSync(process.execPath, ["scripts/generate.ts"]);
const host = await startHost();
try {
  const repository = await makeRepository(FILES);
  // oxlint-disable no-await-in-loop -- one app after the other
  for (let at = 0; at < WARM_UP; at += 1) await begin(host, repository, `warm-${at}`);
  const memoryBefore = memoryMb(host);
  const beginnings: Beginning[] = [];
  for (let at = 1; at <= APPS; at += 1) {
    beginnings.push(await begin(host, repository, `app-${at}`));
    if (at % Math.ceil(APPS / 4) === 0) show(`after ${at} apps`, `${memoryMb(host).toFixed(0)} MB of memory`);
  }
  // oxlint-enable no-await-in-loop
  for (const part of ["create", "deploy", "answer"] as const) {
    const first = sampleOf(beginnings.slice(0, GROUP).map((beginning) => beginning[part]));
    const last = sampleOf(beginnings.slice(-GROUP).map((beginning) => beginning[part]));
    show(`${part}, first ${GROUP} apps`, formatSample(first));
    show(`${part}, last ${GROUP} of ${APPS}`, formatSample(last));
    show("", formatRatio(last, first, "the first"));
  }
  show("an idle app", `${((memoryMb(host) - memoryBefore) / APPS).toFixed(2)} MB of memory`);
} finally {
  await host.stop();
}
