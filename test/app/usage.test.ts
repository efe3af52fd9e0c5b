import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { appSource, deploy, supervisorOf, visit } from "./deployment.ts";

const APP = appSource(`    console.log("said");
    return new Response(null, { status: request.url.endsWith("/bad") ? 503 : 204 });`);

/** Deploy, requests and errors of each row. */
async function read(): Promise<unknown> {
  const used = await supervisorOf("usage-counts").readUsage(1);
  return used?.rows.map(({ deployNumber, requests, errors }) => [deployNumber, requests, errors]);
}

/** Requests that are in the database. */
function countWritten(): Promise<number> {
  return runInDurableObject(
    supervisorOf("usage-counts"),
    (_, { storage }) => storage.sql.exec<{ n: number }>("SELECT coalesce(sum(requests), 0) AS n FROM usage").one().n,
  );
}

describe("usage", () => {
  it("counts requests and errors by deploy, before and after they are written down", async () => {
    await deploy("usage-counts", APP);
    for (const path of ["/", "/", "/bad"]) await visit("usage-counts", path);
    await deploy("usage-counts", APP.replace("said", "said again"));
    await visit("usage-counts", "/");
    expect(await read()).toEqual([
      [1, 3, 1],
      [2, 1, 0],
    ]);
    await expect.poll(countWritten, { timeout: 10_000 }).toBe(4);
    await visit("usage-counts", "/bad");
    expect(await read()).toEqual([
      [1, 3, 1],
      [2, 2, 1],
    ]);
  });

  it("has the time that answers took, as the log has it", async () => {
    await deploy("usage-time", appSource("    await scheduler.wait(30);\n    return new Response();"));
    for (const path of ["/", "/again"]) await visit("usage-time", path);
    const [row] = (await supervisorOf("usage-time").readUsage(1))?.rows ?? [];
    const lines = await supervisorOf("usage-time").readLogs({ limit: 10, kind: "request" });
    const timesMs = lines?.map(({ text }) => Number(/ (\d+) ms$/.exec(text)?.[1]));
    expect(timesMs).toHaveLength(2);
    expect(row?.wallMs).toBe(timesMs?.reduce((sum, timeMs) => sum + timeMs, 0));
    expect(row?.wallMs).toBeGreaterThanOrEqual(60);
  });

  it("is nobody's where there is no app", async () => {
    expect(await supervisorOf("usage-none").readUsage(1)).toBeUndefined();
  });
});
