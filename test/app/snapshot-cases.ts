// What snapshots of data promise, however the runtime copies databases.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { writeRetention } from "../../src/store/retention.ts";
import { openDatabase } from "../../src/store/database.ts";
import {
  appSource,
  commitRehearsed,
  deploy,
  IMPORTS,
  MAIN,
  makeCode,
  supervisorOf,
  takeSnapshot,
  visitText,
} from "./deployment.ts";

/** Counts its requests and answers with its name and the count. */
export function counter(name: string): string {
  return appSource(`    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return new Response("${name}" + count);`);
}

/** A class that changes the data when it is constructed and starts in the rehearsal alone, on the machine's second try never. */
const BROKEN_WHEN_LIVE = `${IMPORTS}let starts = 0;
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.kv.put("count", 1000);
    if (env.BREAK) throw new Error("broken");
  }
}
`;

/** Deploys the code of a source again, on a snapshot's data if one is named. */
export async function deployAgain(app: string, source: string, restoresSnapshot?: number, varsJson = "{}") {
  const supervisor = supervisorOf(app);
  const code = makeCode(source);
  await supervisor.rehearse({ code, varsJson: "{}", restoresSnapshot });
  const { refs } = await supervisor.openForPush();
  const oldId = refs.find(({ name }) => name === MAIN)?.id;
  const outcome = await commitRehearsed(app, code.codeId, { oldId, restoresSnapshot, varsJson });
  if (outcome.deploy === undefined) throw new Error(JSON.stringify(outcome.results));
  return { deploy: outcome.deploy, cutover: await supervisor.cutOver(outcome.deploy.number) };
}

/** The tests. */
export function describeSnapshots(): void {
  describe("a snapshot", () => {
    it("is kept of the data from just before a deploy, and not before the first", async () => {
      await deploy("kept", counter("a"));
      expect(await supervisorOf("kept").listSnapshots()).toEqual([]);
      await visitText("kept");
      await deploy("kept", counter("b"));
      expect(await supervisorOf("kept").tidySnapshots(2)).toMatchObject({ kept: { id: 1 }, removed: [] });
      const [snapshot] = await supervisorOf("kept").listSnapshots();
      expect(snapshot).toMatchObject({ id: 1, ofDeploy: 1, beforeDeploy: 2, reason: "deploy 2" });
      expect(snapshot?.sizeBytes).toBeGreaterThan(0);
    });

    it("brings data back with code, and can be undone with the data that it replaced", async () => {
      const app = "restored";
      await deploy(app, counter("a"));
      expect(await visitText(app)).toBe("a1");
      await deploy(app, counter("b"));
      expect(await visitText(app)).toBe("b2");
      expect(await visitText(app)).toBe("b3");
      const choice = await supervisorOf(app).chooseData({ deployNumber: 1 });
      if (choice.kind !== "found") throw new Error(choice.reason);
      const back = await deployAgain(app, counter("a"), choice.snapshot.id);
      expect(back.cutover.kind).toBe("live");
      expect(await visitText(app)).toBe("a2");
      const [safety] = await supervisorOf(app).listSnapshots();
      expect(safety).toMatchObject({ ofDeploy: 2, beforeDeploy: 3, reason: "safety before restore" });
      await deployAgain(app, counter("b"), safety?.id);
      expect(await visitText(app)).toBe("b4");
    });

    it("says what is kept where there is none of a deploy", async () => {
      await deploy("none", counter("a"));
      await deploy("none", counter("b"));
      const choice = await supervisorOf("none").chooseData({ deployNumber: 2 });
      expect(choice).toMatchObject({ kind: "not-kept" });
      expect(choice.kind === "not-kept" && choice.reason).toContain("snapshot 1 (deploy 1");
    });

    it("takes back what a version did to the data that did not start", async () => {
      const app = "undone";
      await deploy(app, counter("a"));
      expect(await visitText(app)).toBe("a1");
      const { cutover } = await deployAgain(app, BROKEN_WHEN_LIVE, undefined, '{"BREAK":"1"}');
      expect(cutover.kind).toBe("reverted");
      expect(await visitText(app)).toBe("a2");
    });

    it("takes back a restore whose version did not start", async () => {
      const app = "restore-undone";
      await deploy(app, counter("a"));
      expect(await visitText(app)).toBe("a1");
      await deploy(app, counter("b"));
      expect(await visitText(app)).toBe("b2");
      const { cutover } = await deployAgain(app, BROKEN_WHEN_LIVE, 1, '{"BREAK":"1"}');
      expect(cutover.kind).toBe("reverted");
      expect(await visitText(app)).toBe("b3");
    });

    it("leaves nothing of a first deploy that did not start", async () => {
      const app = "first-undone";
      const supervisor = supervisorOf(app);
      await supervisor.openForPush();
      expect((await deployAgain(app, BROKEN_WHEN_LIVE, undefined, '{"BREAK":"1"}')).cutover.kind).toBe("reverted");
      await deploy(app, counter("a"));
      expect(await visitText(app)).toBe("a1");
    });

    it("goes when it is over the limits, the oldest first, and never the newest", async () => {
      const app = "pruned";
      await deploy(app, counter("a"));
      await visitText(app);
      await runInDurableObject(supervisorOf(app), (_, { storage }) =>
        writeRetention(openDatabase(storage), { keptSnapshots: 2 }),
      );
      for (let turn = 2; turn <= 5; turn += 1) {
        await deploy(app, counter(`v${turn}`));
        await supervisorOf(app).tidySnapshots(turn);
      }
      expect((await supervisorOf(app).listSnapshots()).map(({ id }) => id)).toEqual([4, 3]);
      await runInDurableObject(supervisorOf(app), (_, { storage }) =>
        writeRetention(openDatabase(storage), { keptSnapshotBytes: 1 }),
      );
      expect(await supervisorOf(app).tidySnapshots(5)).toMatchObject({ kept: { id: 4 }, removed: [{ id: 3 }] });
    });

    it("can be made by hand, is not pruned, and is deleted by hand", async () => {
      const app = "manual";
      await deploy(app, counter("a"));
      await visitText(app);
      const snapshot = await takeSnapshot(app);
      expect(snapshot).toMatchObject({ id: 1, ofDeploy: 1, beforeDeploy: undefined, reason: "manual" });
      await visitText(app);
      await deployAgain(app, counter("a"), 1);
      expect(await visitText(app)).toBe("a2");
      expect(await supervisorOf(app).deleteSnapshot(1)).toBe("deleted");
      expect(await supervisorOf(app).deleteSnapshot(1)).toBe("not-found");
      expect((await takeSnapshot(app)).id).toBe(3);
    });

    it("refuses the commit of a deploy whose snapshot went meanwhile", async () => {
      await deploy("gone", counter("a"));
      await expect(deployAgain("gone", counter("a"), 77)).rejects.toThrow("snapshot-not-kept");
    });
  });
}
