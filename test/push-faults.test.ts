// Pushes while R2 fails: whichever operation it is, and however, a push succeeds after all or changes nothing.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readAppName } from "../src/app/app-name.ts";
import { openHostedApp } from "../src/app/hosted-app.ts";
import { sweep } from "../src/app/sweeping.ts";
import { SWEEP_AFTER_MS } from "../src/app/upkeep-limits.ts";
import { ZERO_ID } from "../src/git/object-id.ts";
import { encodePktLine } from "../src/git/pkt-line.ts";
import { push } from "../src/push.ts";
import { createHost } from "../src/push-host.ts";
import { arePacksClosed } from "../src/repo/compaction.ts";
import { openRepository } from "../src/repo/repository.ts";
import { assetKey } from "../src/store/asset-objects.ts";
import { listAssetObjects } from "../src/store/assets.ts";
import { packKeys } from "../src/store/pack-store.ts";
import { makeBlob, makeCommit, makePack, makeTree, text, type TinyObject } from "./git/tiny-repository.ts";

/** errs: nothing is done. lands: it is done, and the answer is an error. short: what is read ends too early. */
type Fault = "errs" | "lands" | "short";

interface Faults {
  readonly fault: Fault;
  /** The first operation that fails, and how many do. */
  readonly from: number;
  readonly count: number;
}

/** A bucket that fails as it is told, and counts what it was asked. */
function failing(bucket: R2Bucket, { fault, from, count }: Faults): { bucket: R2Bucket; asked: () => number } {
  let asked = 0;
  const run = async <T>(isRead: boolean, work: () => Promise<T>): Promise<T> => {
    const fails = asked >= from && asked < from + count;
    asked += 1;
    if (!fails || (fault === "short" && !isRead)) return work();
    if (fault === "errs") throw new Error("R2 errs");
    const result = await work();
    if (fault === "short") return shorten(result);
    throw new Error("R2 errs, and did it");
  };
  const faulty = {
    get: (...args: Parameters<R2Bucket["get"]>) => run(true, () => bucket.get(...args)),
    head: (...args: Parameters<R2Bucket["head"]>) => run(false, () => bucket.head(...args)),
    put: (...args: Parameters<R2Bucket["put"]>) => run(false, () => bucket.put(...args)),
    delete: (...args: Parameters<R2Bucket["delete"]>) => run(false, () => bucket.delete(...args)),
  };
  const proxy = new Proxy(bucket, {
    get: (target, name) => (name in faulty ? Reflect.get(faulty, name) : Reflect.get(target, name)),
  });
  return { bucket: proxy, asked: () => asked };
}

function isBody(value: unknown): value is R2ObjectBody {
  return typeof value === "object" && value !== null && "arrayBuffer" in value;
}

function shorten<T>(result: T): T {
  if (!isBody(result)) return result;
  const object = result;
  const half = async (): Promise<ArrayBuffer> => (await object.arrayBuffer()).slice(0, Math.floor(object.size / 2));
  const body = new ReadableStream<Uint8Array>(
    {
      // Not before it is asked for: what is read once cannot be read again.
      async pull(controller) {
        controller.enqueue(new Uint8Array(await half()));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Proxy(object, {
    get(target, name) {
      if (name === "arrayBuffer") return half;
      if (name === "body") return body;
      return Reflect.get(target, name, target);
    },
  });
}

const APP = readAppName("faulty");
const supervisor = env.SUPERVISOR.getByName(APP);

interface Version {
  readonly name: string;
  readonly commit: TinyObject;
  readonly objects: readonly TinyObject[];
}

/** A deploy with code and an asset, both of them new. */
function makeVersion(name: string, parents: readonly TinyObject[]): Version {
  const source = makeBlob(`import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject { fetch() { return new Response("${name}"); } }\n`);
  const config = makeBlob(`{ "main": "index.ts", "assets": { "directory": "public" } }\n`);
  const asset = makeBlob(`asset of ${name}`);
  const folder = makeTree({ "a.txt": asset });
  const tree = makeTree({ "index.ts": source, public: folder, "wrangler.json": config });
  const commit = makeCommit(tree, parents);
  return { name, commit, objects: [commit, tree, folder, source, config, asset] };
}

/** What git is told; the text of an error where the request as a whole failed. */
async function pushMain(from: string, to: Version, bucket: R2Bucket): Promise<string> {
  const commands = encodePktLine(`${from} ${to.commit.id} refs/heads/main\0report-status`);
  const body = new Blob([Buffer.concat([commands, text("0000"), makePack(to.objects).pack])]).stream();
  const finished: Promise<unknown>[] = [];
  const context = { waitUntil: (promise: Promise<unknown>) => void finished.push(promise) };
  const request = {
    app: APP,
    actor: "owner",
    body,
    apiUrl: "",
    urlOf: (label: string) => label,
    now: Date.now,
    context,
  };
  try {
    const answer = await push(request, createHost({ ...env, BUCKET: bucket }));
    const report = await new Response(answer).text();
    await Promise.all(finished);
    return report;
  } catch (error) {
    return `failed: ${String(error)}`;
  }
}

async function listKeys(prefix: string): Promise<string[]> {
  return (await env.BUCKET.list({ prefix })).objects.map(({ key }) => key);
}

/** Pushes once while R2 fails, and checks that all of it is there or nothing. Returns what main is at, and whether R2 did fail. */
async function pushFailing(
  tip: TinyObject,
  faults: Faults,
): Promise<{ tip: TinyObject; isOk: boolean; hasFailed: boolean }> {
  const { fault, from, count } = faults;
  const version = makeVersion(`${fault} ${count} ${from}`, [tip]);
  const { bucket, asked } = failing(env.BUCKET, faults);
  const before = await readState();
  const report = await pushMain(tip.id, version, bucket);
  const after = await readState();
  const isOk = report.includes("ok refs/heads/main");
  const hasFailed = asked() > from;
  if (!isOk) {
    expect(report).toMatch(/^failed: |ng refs\/heads\/main|unpack /m);
    expect({ refs: after.refs, packs: after.packs }).toEqual({ refs: before.refs, packs: before.packs });
    return { tip, isOk, hasFailed };
  }
  expect(after.refs).toMatchObject([{ id: version.commit.id }]);
  expect(await arePacksClosed(openRepository(createHost(env).packs, after), [version.commit.id])).toBe(true);
  const asset = await supervisor.fetch("http://faulty.localhost/a.txt");
  expect(await asset.text()).toBe(`asset of ${version.name}`);
  return { tip: version.commit, isOk, hasFailed };
}

async function readState() {
  const state = await supervisor.readRepository();
  if (state === undefined) throw new Error("The app is gone.");
  return state;
}

describe("a push while R2 fails", () => {
  it("succeeds after all or leaves everything as it was, whatever fails", async () => {
    const first = makeVersion("first", []);
    expect(await pushMain(ZERO_ID, first, env.BUCKET)).toContain("ok refs/heads/main");
    let tip = first.commit;
    const outcomes: string[] = [];
    // What fails for good fails alike from one operation to the next.
    const kinds = (["errs", "lands", "short"] as const).flatMap((fault) => [
      { fault, count: 1, step: 1 },
      { fault, count: 1000, step: 3 },
    ]);
    for (const { fault, count, step } of kinds) {
      for (let from = 0, hasFailed = true; hasFailed; from += step) {
        const pushed = await pushFailing(tip, { fault, from, count });
        ({ tip, hasFailed } = pushed);
        outcomes.push(`${fault} ${count}: ${pushed.isOk}`);
      }
    }
    // One failure is made good; R2 that does not come back fails the push.
    expect(outcomes).toContain("errs 1: true");
    expect(outcomes).toContain("lands 1: true");
    expect(outcomes).not.toContain("short 1: false");
    expect(outcomes).toContain("errs 1000: false");
    expect(outcomes).toContain("lands 1000: false");
    const last = makeVersion("last", [tip]);
    expect(await pushMain(tip.id, last, env.BUCKET)).toContain("ok refs/heads/main");

    const state = await readState();
    const { repositoryId } = state;
    const objectIds = await runInDurableObject(supervisor, async (_, ctx) => {
      const app = openHostedApp(ctx, env);
      await sweep({ ...app, now: () => Date.now() + SWEEP_AFTER_MS + 1000 });
      return listAssetObjects(app.db);
    });
    const names = [
      ...state.packs.flatMap(({ packId }) => packKeys(state, packId)),
      ...objectIds.map((id) => assetKey(repositoryId, id)),
    ];
    const there = [
      ...(await listKeys(`repositories/${repositoryId}/`)),
      ...(await listKeys(`assets/${repositoryId}/`)),
    ];
    expect(there.toSorted()).toEqual(names.toSorted());
  }, 120_000);
});
