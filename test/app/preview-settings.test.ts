// What the settings previewAlarms and previewCrons do to the previews that are there, and that no rehearsal rings.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { IMPORTS, deploy, makeCode, pushBranch, supervisorOf, textOf, visitText } from "./deployment.ts";

const YEARLY = "0 0 1 1 *";

/** Sets its alarm where it is asked to, and tells how often it rang and ran; `constructing` is more of its constructor. */
const clock = (mark: string, constructing = ""): string => `${IMPORTS}// ${mark}
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ${constructing}
  }
  async fetch(request) {
    const { storage } = this.ctx;
    if (new URL(request.url).pathname === "/set") await storage.setAlarm(Date.now() + 3_600_000);
    const counts = [storage.kv.get("rings") ?? 0, storage.kv.get("runs") ?? 0];
    return Response.json([...counts, await storage.getAlarm() === null ? "none" : "set"]);
  }
  alarm() {
    console.log("rang in " + this.env.SLIPWAY.environment + " " + this.env.SLIPWAY.deploy);
    this.ctx.storage.kv.put("rings", (this.ctx.storage.kv.get("rings") ?? 0) + 1);
  }
  scheduled() { this.ctx.storage.kv.put("runs", (this.ctx.storage.kv.get("runs") ?? 0) + 1); }
}
`;

/** [rings, runs, alarm] in production and in the preview of "try". */
async function seen(app: string): Promise<unknown> {
  return [await visitText(app), await textOf(app, `try--${app}`)].map((text) => JSON.parse(text));
}

/** Production, and a preview that began without an alarm. */
async function makeApp(app: string, crons: readonly string[] = []): Promise<void> {
  await deploy(app, clock("main"), { crons });
  await pushBranch(app, "try", clock("try"), { overrides: { crons } });
}

/** Makes everything due now, and lets the supervisor's alarm ring. */
async function passBy(app: string): Promise<void> {
  await runInDurableObject(supervisorOf(app), (_, { storage }) => {
    storage.sql.exec("UPDATE alarms SET due_ms = 1");
    storage.sql.exec("UPDATE crons SET next_ms = ?", Date.now());
  });
  await runDurableObjectAlarm(supervisorOf(app));
}

function rowsOf(app: string, table: "alarms" | "crons"): Promise<unknown[]> {
  return runInDurableObject(supervisorOf(app), (_, { storage }) =>
    storage.sql
      .exec<{ facet: string }>(`SELECT facet FROM ${table} ORDER BY facet`)
      .toArray()
      .map(({ facet }) => facet),
  );
}

describe("previewAlarms", () => {
  it("is on at first: a preview's alarm rings there alone", async () => {
    await makeApp("ring-on");
    await textOf("ring-on", "try--ring-on", "/set");
    await passBy("ring-on");
    await expect
      .poll(() => seen("ring-on"))
      .toEqual([
        [0, 0, "none"],
        [1, 0, "none"],
      ]);
  });

  it("keeps the alarms of previews from ringing while it is off, and lets them ring once it is on again", async () => {
    const app = "ring-off";
    await makeApp(app);
    await textOf(app, `try--${app}`, "/set");
    await visitText(app, "/set");
    await supervisorOf(app).changeSettings({ previewAlarms: false });
    await passBy(app);
    await expect
      .poll(() => seen(app))
      .toEqual([
        [1, 0, "none"],
        [0, 0, "set"],
      ]);
    expect(await rowsOf(app, "alarms")).toEqual(["preview:try"]);
    // The supervisor's own alarm is not set for what does not ring.
    await visitText(app, "/set");
    await passBy(app);
    await expect
      .poll(() => seen(app))
      .toEqual([
        [2, 0, "none"],
        [0, 0, "set"],
      ]);
    await supervisorOf(app).changeSettings({ previewAlarms: true });
    await runDurableObjectAlarm(supervisorOf(app));
    await expect
      .poll(() => seen(app))
      .toEqual([
        [2, 0, "none"],
        [1, 0, "none"],
      ]);
  });
});

describe("previewCrons", () => {
  it("is off at first; on, the expressions of previews run, and off again they do not, those that were due included", async () => {
    const app = "cron-settings";
    await makeApp(app, [YEARLY]);
    expect(await rowsOf(app, "crons")).toEqual(["app"]);
    await passBy(app);
    await expect
      .poll(() => seen(app))
      .toEqual([
        [0, 1, "none"],
        [0, 0, "none"],
      ]);
    await supervisorOf(app).changeSettings({ previewCrons: true });
    expect(await rowsOf(app, "crons")).toEqual(["app", "preview:try"]);
    await passBy(app);
    await expect
      .poll(() => seen(app))
      .toEqual([
        [0, 2, "none"],
        [0, 1, "none"],
      ]);
    await runInDurableObject(supervisorOf(app), (_, { storage }) => {
      storage.sql.exec("UPDATE crons SET next_ms = ?", Date.now());
    });
    await supervisorOf(app).changeSettings({ previewCrons: false });
    await runDurableObjectAlarm(supervisorOf(app));
    await expect
      .poll(() => seen(app))
      .toEqual([
        [0, 3, "none"],
        [0, 1, "none"],
      ]);
    expect(await rowsOf(app, "crons")).toEqual(["app"]);
  });
});

describe("a rehearsal", () => {
  it("rings no alarm, neither its own nor that of the data that it has a copy of, and has no cron triggers", async () => {
    const app = "ring-rehearsed";
    await makeApp(app, [YEARLY]);
    await visitText(app, "/set");
    const sets = clock("other", "if (env.SLIPWAY.deploy === undefined) ctx.storage.setAlarm(Date.now());");
    const code = makeCode(sets, { crons: [YEARLY, "5 5 5 5 *"] });
    const rehearsal = await supervisorOf(app).rehearse({ code, varsJson: "{}" });
    expect(rehearsal).toMatchObject({ kind: "started", data: "copy" });
    await pushBranch(app, "try", sets);
    expect(await rowsOf(app, "alarms")).toEqual(["app"]);
    expect(await rowsOf(app, "crons")).toEqual(["app"]);
    await passBy(app);
    // Lines come in order: one of a rehearsal would have come before production's.
    const rang = async (): Promise<unknown> =>
      (await supervisorOf(app).readLogs({ limit: 100, text: "rang in" }))?.map(({ text }) => text);
    await expect.poll(rang).toEqual(["rang in production 1"]);
    expect(await seen(app)).toEqual([
      [1, 1, "none"],
      [0, 0, "none"],
    ]);
  });
});
