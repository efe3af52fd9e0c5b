import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { deploy, IMPORTS, supervisorOf, visitText } from "./deployment.ts";

const YEARLY = "0 0 1 1 *";

/** An app that tells how often scheduled() was called, by its class or by its default export. */
const cronApp = (called: string): string => `${IMPORTS}let runs = [];
export class App extends DurableObject {
  fetch() { return Response.json(runs); }
  ${called === "class" ? `scheduled({ cron, scheduledTime }) { runs.push(["class", cron, typeof scheduledTime]); }` : ""}
}
export default {
  fetch() {},
  ${called === "default" ? `scheduled({ cron }, env, ctx) { ctx.waitUntil(Promise.resolve()); runs.push(["default", cron, env.SLIPWAY.environment]); }` : ""}
};`;

/** Lets every cron trigger run as if it were due for so long. */
async function passBy(app: string, lateMs = 0): Promise<void> {
  await runInDurableObject(supervisorOf(app), (_, { storage }) => {
    storage.sql.exec("UPDATE crons SET next_ms = ?", Date.now() - lateMs);
  });
  await runDurableObjectAlarm(supervisorOf(app));
}

const nextRuns = (app: string): Promise<string[]> =>
  runInDurableObject(supervisorOf(app), (_, { storage }) =>
    storage.sql
      .exec<{ cron: string; next_ms: number }>("SELECT * FROM crons ORDER BY cron")
      .toArray()
      .map(({ cron, next_ms: nextMs }) => `${cron} ${new Date(nextMs).toISOString().slice(5)}`),
  );

const lines = async (app: string): Promise<string[]> =>
  ((await supervisorOf(app).readLogs({ limit: 10, kind: "alarm" })) ?? []).map(({ text }) => text);

describe("a cron trigger", () => {
  it.each([
    ["class", ["class", YEARLY, "number"]],
    ["default", ["default", YEARLY, "production"]],
  ])("calls scheduled() of the %s", async (called, run) => {
    const app = `cron-${called}`;
    await deploy(app, cronApp(called), { crons: [YEARLY] });
    expect(await nextRuns(app)).toEqual([`${YEARLY} 01-01T00:00:00.000Z`]);
    await evictDurableObject(supervisorOf(app));
    await passBy(app);
    await expect.poll(() => visitText(app)).toBe(JSON.stringify([run]));
    expect(await nextRuns(app)).toEqual([`${YEARLY} 01-01T00:00:00.000Z`]);
    await expect.poll(() => lines(app)).toEqual([expect.stringMatching(/^cron 0 0 1 1 \* ran, /)]);
  });

  it("is counted with the time that it took", async () => {
    const app = "cron-usage";
    await deploy(
      app,
      cronApp("class")
        .replace("{ runs.push(", "{ await scheduler.wait(30); runs.push(")
        .replace("scheduled({", "async scheduled({"),
      { crons: [YEARLY] },
    );
    await passBy(app);
    await expect.poll(() => lines(app)).toHaveLength(1);
    const tookMs = Number(/ran, (\d+) ms$/.exec((await lines(app))[0] ?? "")?.[1]);
    expect(tookMs).toBeGreaterThanOrEqual(30);
    const used = await supervisorOf(app).readUsage(1);
    expect(used?.rows).toMatchObject([{ requests: 0, errors: 0, wallMs: tookMs }]);
  });

  it("is not made up for when it was missed, and nobody is called where there is no scheduled()", async () => {
    await deploy("cron-missed", cronApp("class"), { crons: [YEARLY] });
    await passBy("cron-missed", 61_000);
    expect(await nextRuns("cron-missed")).toEqual([`${YEARLY} 01-01T00:00:00.000Z`]);
    expect(await visitText("cron-missed")).toBe("[]");
    await deploy("cron-missed", cronApp("nobody"), { crons: [YEARLY] });
    await passBy("cron-missed");
    await expect.poll(() => lines("cron-missed")).toEqual([`cron ${YEARLY} called nobody: the app has no scheduled()`]);
  });

  it("calls scheduled() of an ordinary Worker", async () => {
    await deploy("cron-worker", cronApp("default").replace("fetch() {}", "fetch() { return Response.json(runs); }"), {
      className: "default",
      crons: [YEARLY],
    });
    await passBy("cron-worker");
    await expect.poll(() => visitText("cron-worker")).toBe(JSON.stringify([["default", YEARLY, "production"]]));
  });

  it("moves with the deploy", async () => {
    await deploy("cron-moves", cronApp("class"), { crons: [YEARLY, "30 7 1 2 *"] });
    expect(await nextRuns("cron-moves")).toHaveLength(2);
    await deploy("cron-moves", cronApp("class"), { crons: ["30 7 1 2 *", "59 23 1 3 *"] });
    expect(await nextRuns("cron-moves")).toEqual(["30 7 1 2 * 02-01T07:30:00.000Z", "59 23 1 3 * 03-01T23:59:00.000Z"]);
    await deploy("cron-moves", cronApp("class"));
    expect(await nextRuns("cron-moves")).toEqual([]);
  });
});
