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
import { makeBlob, makeCommit, makeObject, makePack, makeTree, text, type TinyObject } from "./git/tiny-repository.ts";

/** errs: nothing is done. lands: it is done, and the answer is an error. late: the same, and it is done after that. short: what is read ends too early. silent: no answer ever comes. */
type Fault = "errs" | "lands" | "late" | "short" | "silent";

interface Faults {
  readonly fault: Fault;
  /** The first operation that fails, and how many do. */
  readonly from: number;
  readonly count: number;
  /** Whether operations on large objects in parts are all that fails, and all that counts; else they never fail. */
  readonly inParts?: boolean;
}

/** When what is late is done: after it was asked for again. */
const LATE_MS = 150;

/** What is still to land. */
const landings: Promise<unknown>[] = [];

/** A bucket that fails as it is told, and counts what it was asked. */
function failing(
  bucket: R2Bucket,
  { fault, from, count, inParts = false }: Faults,
): { bucket: R2Bucket; asked: () => number } {
  let asked = 0;
  const run = async <T>(isRead: boolean, work: () => Promise<T>): Promise<T> => {
    const fails = asked >= from && asked < from + count;
    asked += 1;
    if (!fails || (fault === "short" && !isRead)) return work();
    if (fault === "errs") throw new Error("R2 errs");
    if (fault === "silent") return new Promise(() => undefined);
    if (fault === "late") {
      const landed = scheduler.wait(LATE_MS).then(work);
      landings.push(Promise.allSettled([landed]));
      throw new Error("R2 errs, and does it later");
    }
    const result = await work();
    if (fault === "short") return shorten(result);
    throw new Error("R2 errs, and did it");
  };
  const whole = {
    get: (...args: Parameters<R2Bucket["get"]>) => run(true, () => bucket.get(...args)),
    head: (...args: Parameters<R2Bucket["head"]>) => run(false, () => bucket.head(...args)),
    put: (...args: Parameters<R2Bucket["put"]>) => run(false, () => bucket.put(...args)),
    delete: (...args: Parameters<R2Bucket["delete"]>) => run(false, () => bucket.delete(...args)),
  };
  const parts = {
    createMultipartUpload: async (key: string) => {
      const upload = await run(false, () => bucket.createMultipartUpload(key));
      return {
        uploadPart: (...args: Parameters<R2MultipartUpload["uploadPart"]>) =>
          run(false, () => upload.uploadPart(...args)),
        complete: (...args: Parameters<R2MultipartUpload["complete"]>) => run(false, () => upload.complete(...args)),
        abort: () => run(false, () => upload.abort()),
      };
    },
  };
  const faulty = inParts ? parts : whole;
  const proxy = new Proxy(bucket, {
    get(target, name) {
      if (name in faulty) return Reflect.get(faulty, name);
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
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

/** So much that a pack goes to R2 in three parts. */
const BALLAST = makeObject(
  "blob",
  Buffer.concat(Array.from({ length: 11 * 16 }, () => crypto.getRandomValues(new Uint8Array(65_536)))),
);

interface Version {
  readonly name: string;
  readonly commit: TinyObject;
  readonly objects: readonly TinyObject[];
}

/** A deploy with code and an asset, both of them new, and what else it brings. */
function makeVersion(name: string, parents: readonly TinyObject[], ballast = makeBlob("none")): Version {
  const source = makeBlob(`import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject { fetch() { return new Response("${name}"); } }\n`);
  const config = makeBlob(`{ "main": "index.ts", "assets": { "directory": "public" } }\n`);
  const asset = makeBlob(`asset of ${name}`);
  const folder = makeTree({ "a.txt": asset });
  const tree = makeTree({ ballast, "index.ts": source, public: folder, "wrangler.json": config });
  const commit = makeCommit(tree, parents);
  return { name, commit, objects: [commit, tree, folder, source, config, asset, ballast] };
}

/** What git is told; the text of an error where the request as a whole failed. */
async function pushMain(app: string, from: string, to: Version, bucket: R2Bucket): Promise<string> {
  const commands = encodePktLine(`${from} ${to.commit.id} refs/heads/main\0report-status`);
  const body = new Blob([Buffer.concat([commands, text("0000"), makePack(to.objects).pack])]).stream();
  const finished: Promise<unknown>[] = [];
  const context = { waitUntil: (promise: Promise<unknown>) => void finished.push(promise) };
  const request = {
    app: readAppName(app),
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

interface FailingPush {
  readonly app: string;
  readonly tip: TinyObject;
  readonly ballast?: TinyObject;
}

/** Pushes once while R2 fails, and checks that all of it is there or nothing. Returns what main is at, and whether R2 did fail. */
async function pushFailing(
  { app, tip, ballast }: FailingPush,
  faults: Faults,
): Promise<{ tip: TinyObject; isOk: boolean; hasFailed: boolean }> {
  const { fault, from, count } = faults;
  const version = makeVersion(`${fault} ${count} ${from}`, [tip], ballast);
  const { bucket, asked } = failing(env.BUCKET, faults);
  const before = await readState(app);
  const report = await pushMain(app, tip.id, version, bucket);
  const after = await readState(app);
  const isOk = report.includes("ok refs/heads/main");
  const hasFailed = asked() > from;
  if (!isOk) {
    expect(report).toMatch(/^failed: |ng refs\/heads\/main|unpack /m);
    expect({ refs: after.refs, packs: after.packs }).toEqual({ refs: before.refs, packs: before.packs });
    return { tip, isOk, hasFailed };
  }
  expect(after.refs).toMatchObject([{ id: version.commit.id }]);
  expect(await arePacksClosed(openRepository(createHost(env).packs, after), [version.commit.id])).toBe(true);
  const asset = await env.SUPERVISOR.getByName(app).fetch(`http://${app}.localhost/a.txt`);
  expect(await asset.text()).toBe(`asset of ${version.name}`);
  return { tip: version.commit, isOk, hasFailed };
}

async function readState(app: string) {
  const state = await env.SUPERVISOR.getByName(app).readRepository();
  if (state === undefined) throw new Error(`${app} is gone.`);
  return state;
}

/** Once the sweeper has passed there is nothing in R2 that no row names. */
async function expectSwept(app: string): Promise<void> {
  await Promise.all(landings);
  const state = await readState(app);
  const { repositoryId } = state;
  const objectIds = await runInDurableObject(env.SUPERVISOR.getByName(app), async (_, ctx) => {
    const opened = openHostedApp(ctx, env);
    await sweep({ ...opened, now: () => Date.now() + SWEEP_AFTER_MS + 1000 });
    return listAssetObjects(opened.db);
  });
  const names = [
    ...state.packs.flatMap(({ packId }) => packKeys(state, packId)),
    ...objectIds.map((id) => assetKey(repositoryId, id)),
  ];
  const there = [...(await listKeys(`repositories/${repositoryId}/`)), ...(await listKeys(`assets/${repositoryId}/`))];
  expect(there.toSorted()).toEqual(names.toSorted());
}

/** A first push, with R2 as it is. What main is at. */
async function begin(app: string): Promise<TinyObject> {
  const first = makeVersion("first", []);
  expect(await pushMain(app, ZERO_ID, first, env.BUCKET)).toContain("ok refs/heads/main");
  return first.commit;
}

describe("a push while R2 fails", () => {
  it("succeeds after all or leaves everything as it was, whatever fails", async () => {
    const app = "faulty";
    let tip = await begin(app);
    const outcomes: string[] = [];
    // What fails for good fails alike from one operation to the next.
    const kinds = (["errs", "lands", "late", "short"] as const).flatMap((fault) => [
      { fault, count: 1, step: 1 },
      { fault, count: 1000, step: 3 },
    ]);
    for (const { fault, count, step } of kinds) {
      for (let from = 0, hasFailed = true; hasFailed; from += step) {
        const pushed = await pushFailing({ app, tip }, { fault, from, count });
        ({ tip, hasFailed } = pushed);
        outcomes.push(`${fault} ${count}: ${pushed.isOk}`);
      }
    }
    // One failure is made good; R2 that does not come back fails the push.
    for (const fault of ["errs", "lands", "late", "short"]) expect(outcomes).not.toContain(`${fault} 1: false`);
    for (const fault of ["errs", "lands", "late"]) expect(outcomes).toContain(`${fault} 1000: false`);
    const last = makeVersion("last", [tip]);
    expect(await pushMain(app, tip.id, last, env.BUCKET)).toContain("ok refs/heads/main");
    await expectSwept(app);
  }, 120_000);
});

describe("a push of a large pack while R2 fails", () => {
  it.each(["errs", "lands", "late"] as const)(
    "succeeds where one operation %s",
    async (fault) => {
      const app = `parts-${fault}`;
      let tip = await begin(app);
      let from = 0;
      for (let hasFailed = true; hasFailed; from += 1) {
        const pushed = await pushFailing({ app, tip, ballast: BALLAST }, { fault, from, count: 1, inParts: true });
        expect(pushed.isOk, `operation ${from}`).toBe(true);
        ({ tip, hasFailed } = pushed);
      }
      // Its beginning, three parts and its end.
      expect(from).toBeGreaterThan(5);
      await expectSwept(app);
    },
    120_000,
  );

  it.each([0, 1, 3, 4])(
    "leaves nothing where nothing works any more from operation %i on",
    async (from) => {
      const app = `parts-gone-${from}`;
      const faults = { fault: "errs", from, count: 1000, inParts: true } as const;
      const pushed = await pushFailing({ app, tip: await begin(app), ballast: BALLAST }, faults);
      expect(pushed).toMatchObject({ isOk: false, hasFailed: true });
      await expectSwept(app);
    },
    120_000,
  );
});

describe("a push while R2 does not answer", () => {
  it("asks again, but for a part whose bytes may change under it", async () => {
    // All at once: each of them waits for as long as R2 may take.
    const whole = Array.from({ length: 8 }, async (_, from) => {
      const app = `silent-${from}`;
      const pushed = await pushFailing({ app, tip: await begin(app) }, { fault: "silent", from, count: 1 });
      expect(pushed.isOk, `operation ${from}`).toBe(true);
      return pushed.hasFailed;
    });
    const inParts = [0, 2, 4].map(async (from) => {
      const app = `parts-silent-${from}`;
      const faults = { fault: "silent", from, count: 1, inParts: true } as const;
      const pushed = await pushFailing({ app, tip: await begin(app), ballast: BALLAST }, faults);
      expect(pushed.hasFailed, `operation ${from}`).toBe(true);
      await expectSwept(app);
      return pushed.isOk;
    });
    const haveFailed = await Promise.all(whole);
    expect(haveFailed).toContain(true);
    expect(haveFailed.at(-1)).toBe(false);
    expect(await Promise.all(inParts)).toEqual([true, false, true]);
  }, 120_000);
});
