import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { compact } from "../../src/app/compaction.ts";
import { openHostedApp } from "../../src/app/hosted-app.ts";
import { sweep } from "../../src/app/sweeping.ts";
import { GRACE_MS, MAX_PACKS, SWEEP_AFTER_MS } from "../../src/app/upkeep-limits.ts";
import { ZERO_ID, type ObjectId } from "../../src/git/object-id.ts";
import { findObject, openObjectDatabase, readObject } from "../../src/store/object-database.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import { openPackStream, writePackFiles } from "../../src/store/pack-store.ts";
import type { PackRow } from "../../src/store/repository-state.ts";
import {
  deltaOf,
  makeBlob,
  makeCommit,
  makePack,
  makeTree,
  type TinyEntry,
  type TinyObject,
} from "../git/tiny-repository.ts";
import { command, MAIN, ref, supervisorOf, testId } from "./deployment.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A commit with a tree and a file of its own. */
interface Version {
  readonly commit: TinyObject;
  readonly objects: readonly TinyObject[];
}

function makeVersion(content: string, parents: readonly Version[] = []): Version {
  const blob = makeBlob(content);
  const tree = makeTree({ file: blob });
  const commit = makeCommit(
    tree,
    parents.map((parent) => parent.commit),
  );
  return { commit, objects: [commit, tree, blob] };
}

async function storeOf(app: string) {
  const { repositoryId } = await supervisorOf(app).openForPush();
  return { bucket: env.BUCKET, cache: new PackCache(), repositoryId };
}

let packCount = 0;

/** Writes a pack as an ingest does. Nothing names it yet. */
async function store(app: string, entries: readonly TinyEntry[]): Promise<PackRow> {
  const { pack, idx, edges, objectCount } = makePack(entries);
  const packId = testId(++packCount);
  await writePackFiles(await storeOf(app), packId, { pack, idx, edges });
  return { packId, objectCount, packBytes: pack.byteLength, createdAtMs: Date.now() };
}

interface Move {
  readonly name?: string;
  readonly from?: Version | undefined;
  readonly to?: Version | undefined;
  readonly pack?: PackRow | undefined;
  readonly checkedPackIds?: readonly string[];
}

async function commitMove(app: string, { name = MAIN, from, to, pack, checkedPackIds }: Move) {
  const state = await supervisorOf(app).openForPush();
  return supervisorOf(app).commit({
    repositoryId: state.repositoryId,
    commands: [command(name, from?.commit.id ?? ZERO_ID, to?.commit.id ?? ZERO_ID)],
    atomic: false,
    pack,
    checkedPackIds: checkedPackIds ?? state.packs.map(({ packId }) => packId),
    nowMs: Date.now(),
  });
}

/** Pushes a version on a branch. */
async function push(app: string, to: Version, from?: Version, name: string = MAIN): Promise<PackRow> {
  const pack = await store(app, to.objects);
  const { results } = await commitMove(app, { name, from, to, pack });
  expect(results).toEqual([{ name, kind: "ok" }]);
  return pack;
}

/** Pushes versions one after the other. */
async function pushHistory(app: string, count: number, first = makeVersion(`${app} 0`)): Promise<Version[]> {
  const versions = [first];
  await push(app, first);
  for (let n = 1; n < count; n++) {
    const last = versions.at(-1)!;
    const next = makeVersion(`${app} ${n}`, [last]);
    // oxlint-disable-next-line no-await-in-loop -- each push stands on the one before
    await push(app, next, last);
    versions.push(next);
  }
  return versions;
}

async function pushTwo(app: string): Promise<readonly [Version, Version]> {
  const [first, second] = await pushHistory(app, 2);
  return [first!, second!];
}

/** Runs a task of the app at another time than it is. */
async function runAt<T>(app: string, aheadMs: number, task: (app: ReturnType<typeof openHostedApp>) => Promise<T>) {
  return runInDurableObject(supervisorOf(app), (_, ctx) =>
    task({ ...openHostedApp(ctx, env), now: () => Date.now() + aheadMs }),
  );
}

const compactNow = (app: string) => runAt(app, 0, compact);
const sweepAfter = (app: string, aheadMs: number) => runAt(app, aheadMs, sweep);

async function packsOf(app: string): Promise<readonly PackRow[]> {
  return (await supervisorOf(app).readRepository())?.packs ?? [];
}

async function keysOf(app: string): Promise<string[]> {
  const { repositoryId } = await storeOf(app);
  const { objects } = await env.BUCKET.list({ prefix: `repositories/${repositoryId}/` });
  return objects.map(({ key }) => key);
}

async function has(app: string, id: ObjectId): Promise<boolean> {
  const odb = openObjectDatabase(await storeOf(app), await packsOf(app));
  return (await findObject(odb, id)) !== undefined;
}

/** Reads everything of some versions. */
async function expectAll(app: string, versions: readonly Version[]): Promise<void> {
  const odb = openObjectDatabase(await storeOf(app), await packsOf(app));
  for (const { id, kind, bytes } of versions.flatMap(({ objects }) => objects)) {
    // oxlint-disable-next-line no-await-in-loop -- one reader
    const object = await readObject(odb, id);
    expect(object.kind).toBe(kind);
    expect(Buffer.compare(object.bytes, bytes)).toBe(0);
  }
}

async function dueTasks(app: string): Promise<Record<string, number>> {
  const rows = await runInDurableObject(supervisorOf(app), (_, ctx) =>
    ctx.storage.sql.exec<{ task: string; at_ms: number }>("SELECT task, at_ms FROM due").toArray(),
  );
  return Object.fromEntries(rows.map(({ task, at_ms }) => [task, at_ms]));
}

/** Runs a compaction during which `work` is done, after its snapshot and before its end. */
async function compactDuring(app: string, work: () => Promise<unknown>): Promise<number | undefined> {
  return runInDurableObject(supervisorOf(app), async (_, ctx) => {
    const hosted = openHostedApp(ctx, env);
    const { Compactor } = ctx.exports;
    let isDone = false;
    const compactor = {
      compact: async (...given: Parameters<typeof Compactor.compact>) => {
        const outcome = await Compactor.compact(...given);
        if (!isDone) await work();
        isDone = true;
        return outcome;
      },
      areClosed: (...given: Parameters<typeof Compactor.areClosed>) => Compactor.areClosed(...given),
    };
    const exports = new Proxy(ctx.exports, {
      get: (target, name) => (name === "Compactor" ? compactor : Reflect.get(target, name)),
    });
    const paused = new Proxy(ctx, {
      get: (target, name) => {
        if (name === "exports") return exports;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    return compact({ ...hosted, ctx: paused });
  });
}

describe("scheduleCompaction", () => {
  it("waits for quiet once there are many packs, and not for ever", async () => {
    const app = "often-pushed";
    const versions = await pushHistory(app, MAX_PACKS);
    const before = await dueTasks(app);
    expect(before["compact"]).toBeGreaterThan(Date.now() + DAY_MS / 2);
    await push(app, makeVersion("one more", versions), versions.at(-1));
    const after = await dueTasks(app);
    expect(after["compact"]).toBeLessThan(Date.now() + 61_000);
    await runInDurableObject(supervisorOf(app), (_, ctx) => {
      ctx.storage.sql.exec("UPDATE due SET at_ms = at_ms - 30000 WHERE task = 'compact'");
      for (let n = 0; n < MAX_PACKS + 1; n++) {
        ctx.storage.sql.exec("INSERT INTO packs VALUES (?, 1, 1, 1)", `pack ${n}`);
      }
    });
    await commitMove(app, { name: "refs/heads/other", to: versions[0] });
    expect((await dueTasks(app))["compact"]).toBe((after["compact"] ?? 0) - 30_000);
  });
});

describe("compact", () => {
  it("makes one pack of many by the supervisor's alarm, and reads all objects from it", async () => {
    const app = "compacted";
    const versions = await pushHistory(app, MAX_PACKS + 1);
    await runInDurableObject(supervisorOf(app), (_, ctx) => {
      ctx.storage.sql.exec("UPDATE due SET at_ms = 1 WHERE task = 'compact'");
    });
    expect(await runDurableObjectAlarm(supervisorOf(app))).toBe(true);
    const packs = await packsOf(app);
    expect(packs).toMatchObject([{ objectCount: versions.length * 3 }]);
    await expectAll(app, versions);
    expect(await dueTasks(app)).not.toHaveProperty("compact");
    expect(await dueTasks(app)).toHaveProperty("sweep");
    const more = makeVersion("after it", versions.slice(-1));
    await push(app, more, versions.at(-1));
    expect((await packsOf(app)).map(({ packId }) => packId)[1]).toBe(packs[0]?.packId);
  });

  it("leaves a few packs as they are while refs reach all that is in them", async () => {
    const versions = await pushHistory("kept-as-is", 3);
    const before = await packsOf("kept-as-is");
    expect(await compactNow("kept-as-is")).toBeUndefined();
    expect(await packsOf("kept-as-is")).toEqual(before);
    await expectAll("kept-as-is", versions);
  });

  it("drops what a forced push left, which is gone from R2 after the grace", async () => {
    const app = "forced";
    const [first, secret] = await pushTwo(app);
    const replacement = makeVersion("no secret", [first]);
    await push(app, replacement, secret);
    await compactNow(app);
    expect(await has(app, secret.commit.id)).toBe(false);
    await expectAll(app, [first, replacement]);
    await sweepAfter(app, GRACE_MS - 60_000);
    expect(await keysOf(app)).toHaveLength(4 * 3);
    expect(await sweepAfter(app, GRACE_MS + 60_000)).toBeUndefined();
    expect(await keysOf(app)).toHaveLength(3);
    await expectAll(app, [first, replacement]);
  });

  it("keeps what the deploy history names, and what an undo may go back to", async () => {
    const app = "deployed";
    const [first, deployed] = await pushTwo(app);
    const [before, unstarted] = [makeVersion("before it"), makeVersion("not started yet")];
    await push(app, before, deployed);
    await push(app, unstarted, before);
    await push(app, makeVersion("dropped"), undefined, "refs/heads/gone");
    await commitMove(app, { name: "refs/heads/gone", from: makeVersion("dropped") });
    await runInDurableObject(supervisorOf(app), (_, ctx) => {
      const insert = `INSERT INTO deploys (number, facet, ref, ref_before, commit_id, tree_id, subject, code_id, vars, created_at_ms, state)
        VALUES (?, 'app', ?, ?, ?, '', '', '', '{}', 0, ?)`;
      ctx.storage.sql.exec(insert, 1, MAIN, first.commit.id, deployed.commit.id, "started");
      ctx.storage.sql.exec(insert, 2, MAIN, before.commit.id, unstarted.commit.id, "committed");
    });
    await compactNow(app);
    expect(await packsOf(app)).toMatchObject([{ objectCount: 4 * 3 }]);
    await expectAll(app, [first, deployed, before, unstarted]);
    expect(await has(app, makeVersion("dropped").commit.id)).toBe(false);
  });

  it("leaves nothing of a repository whose last ref was deleted", async () => {
    const app = "emptied";
    await supervisorOf(app).createRepository({ deploy: false });
    const version = makeVersion("all there was");
    await push(app, version, undefined, "refs/tags/only");
    await commitMove(app, { name: "refs/tags/only", from: version });
    await compactNow(app);
    expect(await packsOf(app)).toEqual([]);
  });

  it("goes on serving a clone that began before", async () => {
    const app = "slow-clone";
    const [first, second] = await pushTwo(app);
    const old = (await packsOf(app))[0]!;
    const stream = await openPackStream(await storeOf(app), old.packId);
    await push(app, makeVersion("forced", [first]), second);
    await compactNow(app);
    await sweepAfter(app, GRACE_MS - 60_000);
    expect((await new Response(stream).arrayBuffer()).byteLength).toBe(old.packBytes);
    const again = await openPackStream(await storeOf(app), old.packId);
    expect((await new Response(again).arrayBuffer()).byteLength).toBe(old.packBytes);
  });

  it("does not lengthen a chain of deltas past git's depth", async () => {
    const app = "chained";
    const blobs = Array.from({ length: 70 }, (_, n) => makeBlob(`${"line\n".repeat(50)}${n}`));
    const tree = makeTree(Object.fromEntries(blobs.map((blob, n) => [`file${String(n).padStart(2, "0")}`, blob])));
    const version = { commit: makeCommit(tree, []), objects: [tree, ...blobs] };
    const chain = blobs.slice(1).map((blob, n) => deltaOf(blob, blobs[n]!, "offset"));
    const pack = await store(app, [version.commit, tree, blobs[0]!, ...chain]);
    await commitMove(app, { to: version, pack });
    const dropped = makeVersion("dropped");
    await push(app, dropped, undefined, "refs/tags/gone");
    await commitMove(app, { name: "refs/tags/gone", from: dropped });
    await compactNow(app);
    const [compacted] = await packsOf(app);
    expect(compacted?.packBytes).not.toBe(pack.packBytes);
    await expectAll(app, [version]);
  });
});

describe("compact, with pushes meanwhile", () => {
  it("keeps packs that were added, and refs where they moved to", async () => {
    const app = "moved-meanwhile";
    const versions = await pushHistory(app, MAX_PACKS + 1);
    const next = makeVersion("pushed meanwhile", versions.slice(-1));
    let added: PackRow | undefined;
    await compactDuring(app, async () => {
      added = await push(app, next, versions.at(-1));
    });
    const packs = await packsOf(app);
    expect(packs).toHaveLength(2);
    expect(packs[0]?.packId).toBe(added?.packId);
    await expectAll(app, [...versions, next]);
  });

  it("changes nothing where a ref moved to what it left out", async () => {
    const app = "brought-back";
    const [first, dropped] = await pushTwo(app);
    await push(app, makeVersion("instead", [first]), dropped);
    const before = await packsOf(app);
    const keysBefore = await keysOf(app);
    const nextMs = await compactDuring(app, () => commitMove(app, { name: "refs/heads/back", to: dropped }));
    expect(nextMs).toBeGreaterThan(0);
    expect(await packsOf(app)).toEqual(before);
    expect(await keysOf(app)).toEqual(keysBefore);
    await expectAll(app, [first, dropped]);
  });

  it("changes nothing where a pack that was added rests on what it left out", async () => {
    const app = "rests-on-it";
    const [first, dropped] = await pushTwo(app);
    await push(app, makeVersion("instead", [first]), dropped);
    const child = makeVersion("child of the dropped", [dropped]);
    await compactDuring(app, () => push(app, child, undefined, "refs/heads/child"));
    await expectAll(app, [first, dropped, child]);
    expect(await packsOf(app)).toHaveLength(4);
  });

  it("leaves nothing in R2 where the app was deleted", async () => {
    const app = "deleted-meanwhile";
    const versions = await pushHistory(app, MAX_PACKS + 1);
    expect(versions).toHaveLength(MAX_PACKS + 1);
    const { repositoryId } = await storeOf(app);
    await compactDuring(app, () => supervisorOf(app).destroy());
    expect((await env.BUCKET.list({ prefix: `repositories/${repositoryId}/` })).objects).toEqual([]);
    expect(await supervisorOf(app).readRepository()).toBeUndefined();
  });
});

describe("commit of a push that was checked before a compaction", () => {
  it("is refused, and taken once it was checked again", async () => {
    const app = "checked-before";
    const [first, dropped] = await pushTwo(app);
    await push(app, makeVersion("instead", [first]), dropped);
    const checkedPackIds = (await packsOf(app)).map(({ packId }) => packId);
    const next = makeVersion("next", [first]);
    const pack = await store(app, next.objects);
    await compactNow(app);
    const move = { name: ref("refs/heads/next"), to: next, pack };
    const refused = await commitMove(app, { ...move, checkedPackIds });
    expect(refused).toMatchObject({ mustCheckAgain: true, results: [{ kind: "refused", code: "ref-stale" }] });
    expect(await packsOf(app)).toHaveLength(1);
    expect(await commitMove(app, move)).toMatchObject({ results: [{ kind: "ok" }] });
  });

  it("may still delete refs", async () => {
    const app = "deletes-later";
    const [first, dropped] = await pushTwo(app);
    await push(app, first, undefined, "refs/heads/gone");
    await push(app, makeVersion("instead", [first]), dropped);
    const checkedPackIds = (await packsOf(app)).map(({ packId }) => packId);
    await compactNow(app);
    const outcome = await commitMove(app, { name: "refs/heads/gone", from: first, checkedPackIds });
    expect(outcome.results).toMatchObject([{ kind: "ok" }]);
  });

  it("is refused with a pack that is so old that it may have been swept", async () => {
    const app = "took-long";
    const version = makeVersion("slow");
    const pack = { ...(await store(app, version.objects)), createdAtMs: Date.now() - SWEEP_AFTER_MS };
    const outcome = await commitMove(app, { to: version, pack });
    expect(outcome.results).toMatchObject([{ kind: "refused", code: "ref-stale" }]);
  });
});

describe("sweep", () => {
  it("deletes what nothing names once it is an hour old, and looks again until then", async () => {
    const app = "swept";
    const versions = await pushHistory(app, 2);
    await store(app, makeVersion("never committed").objects);
    expect(await dueTasks(app)).toHaveProperty("sweep");
    expect(await sweepAfter(app, SWEEP_AFTER_MS / 2)).toBeGreaterThan(0);
    expect(await keysOf(app)).toHaveLength(9);
    await sweepAfter(app, SWEEP_AFTER_MS + 1000);
    expect(await keysOf(app)).toHaveLength(6);
    expect(await sweepAfter(app, 2 * SWEEP_AFTER_MS)).toBeUndefined();
    await expectAll(app, versions);
  });

  it("goes through all pages", async () => {
    const app = "many-keys";
    const [version] = await pushHistory(app, 1);
    const { repositoryId } = await storeOf(app);
    for (let at = 0; at < 1010; at += 101) {
      const keys = Array.from({ length: 101 }, (_, n) => `repositories/${repositoryId}/pack-${at + n}.pack`);
      // oxlint-disable-next-line no-await-in-loop -- a hundred at a time
      await Promise.all(keys.map((key) => env.BUCKET.put(key, "")));
    }
    await sweepAfter(app, 2 * SWEEP_AFTER_MS);
    expect(await keysOf(app)).toHaveLength(3);
    await expectAll(app, [version!]);
  });
});
