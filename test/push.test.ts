import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readAppName } from "../src/app/app-name.ts";
import { ZERO_ID } from "../src/git/object-id.ts";
import { encodePktLine } from "../src/git/pkt-line.ts";
import { push } from "../src/push.ts";
import { createHost } from "../src/push-host.ts";
import { makeBlob, makeCommit, makePack, makeTree, text, type TinyObject } from "./git/tiny-repository.ts";

const APP = readAppName("pushed-while-compacted");

interface Version {
  readonly commit: TinyObject;
  readonly objects: readonly TinyObject[];
}

function makeVersion(content: string, parents: readonly TinyObject[]): Version {
  const blob = makeBlob(content);
  const tree = makeTree({ file: blob });
  const commit = makeCommit(tree, parents);
  return { commit, objects: [commit, tree, blob] };
}

/** Pushes to main as git does. `meanwhile` runs when the commands were read and the pack was not. The report's lines. */
async function pushMain(from: string, to: Version, meanwhile?: () => Promise<unknown>): Promise<string> {
  const commands = encodePktLine(`${from} ${to.commit.id} refs/heads/main\0report-status`);
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        pulls += 1;
        if (pulls === 1) return controller.enqueue(Buffer.concat([commands, text("0000")]));
        await meanwhile?.();
        controller.enqueue(makePack(to.objects).pack);
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const finished: Promise<unknown>[] = [];
  const context = { waitUntil: (promise: Promise<unknown>) => void finished.push(promise) };
  const answer = await push(
    { app: APP, actor: "owner", body, apiUrl: "", urlOf: (label) => label, now: Date.now, context },
    createHost(env),
  );
  const report = await new Response(answer).text();
  await Promise.all(finished);
  return report;
}

/** Has the supervisor compact now. Returns the packs that there are afterwards. */
async function compactNow(): Promise<readonly string[]> {
  const supervisor = env.SUPERVISOR.getByName(APP);
  await runInDurableObject(supervisor, async (_, ctx) => {
    ctx.storage.sql.exec("UPDATE due SET at_ms = 1 WHERE task = 'compact'");
    await ctx.storage.setAlarm(Date.now() + 60_000);
  });
  await runDurableObjectAlarm(supervisor);
  return ((await supervisor.readRepository())?.packs ?? []).map(({ packId }) => packId);
}

describe("push", () => {
  it("is checked again where a compaction came between its beginning and its commit", async () => {
    await env.SUPERVISOR.getByName(APP).createRepository({ deploy: false });
    const first = makeVersion("first", []);
    const dropped = makeVersion("dropped", [first.commit]);
    const second = makeVersion("second", [first.commit]);
    expect(await pushMain(ZERO_ID, first)).toContain("ok refs/heads/main");
    expect(await pushMain(first.commit.id, dropped)).toContain("ok refs/heads/main");
    expect(await pushMain(dropped.commit.id, second)).toContain("ok refs/heads/main");

    // What this push stands on is still there afterwards.
    const third = makeVersion("third", [second.commit]);
    let packIds: readonly string[] = [];
    const meanwhile = async () => (packIds = await compactNow());
    expect(await pushMain(second.commit.id, third, meanwhile)).toContain("ok refs/heads/main");
    expect(packIds).toHaveLength(1);

    // What this one stands on is dropped meanwhile.
    expect(await pushMain(third.commit.id, second)).toContain("ok refs/heads/main");
    const onDropped = makeVersion("on the dropped", [third.commit]);
    expect(await pushMain(second.commit.id, onDropped, compactNow)).toContain("ng refs/heads/main ref-stale");
    expect(await pushMain(second.commit.id, onDropped)).toContain("ng refs/heads/main object-missing");
    const state = await env.SUPERVISOR.getByName(APP).readRepository();
    expect(state?.refs).toMatchObject([{ id: second.commit.id }]);
  });
});
