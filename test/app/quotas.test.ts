import { describe, expect, it } from "vitest";
import { appSource, command, commitCode, deploy, makeCode, supervisorOf, testId, visit } from "./deployment.ts";
import { ZERO_ID } from "../../src/git/object-id.ts";

const APP = appSource(`    const target = new URL(request.url).searchParams.get("fetch");
    if (target === null) return new Response("served");
    return new Response(await fetch(target).then((response) => response.text(), (error) => error.message));`);

describe("quotas", () => {
  it("are the table's until they are set for an app, and again when that is taken back", async () => {
    await deploy("quotas-set", APP);
    const before = await supervisorOf("quotas-set").readQuotas();
    expect(before?.requestsPerMinute).toBe(60_000);
    await supervisorOf("quotas-set").changeQuotas({ requestsPerMinute: 5, assetBytes: 7 });
    expect(await supervisorOf("quotas-set").changeQuotas({ assetBytes: null })).toEqual({
      ...before,
      requestsPerMinute: 5,
    });
    expect(await supervisorOf("quotas-nobody").changeQuotas({ assetBytes: 1 })).toBeUndefined();
    expect(await supervisorOf("quotas-nobody").readQuotas()).toBeUndefined();
  });

  it("of requests answer 429 with when to come again, and the app never hears of it", async () => {
    await deploy("quotas-requests", APP);
    await supervisorOf("quotas-requests").changeQuotas({ requestsPerMinute: 3 });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await visit("quotas-requests")).status);
    expect(statuses.filter((status) => status === 200).length).toBe(3);
    const refused = await visit("quotas-requests");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, expect.stringMatching(/^\d+$/)]);
    await supervisorOf("quotas-requests").changeQuotas({ requestsPerMinute: null });
    await expect.poll(async () => (await visit("quotas-requests")).status, { timeout: 5000 }).toBe(200);
  });

  it("of egress refuse what is too much", async () => {
    await deploy("quotas-egress", APP);
    await supervisorOf("quotas-egress").changeEgress({ allow: ["*.egress.test"] });
    await supervisorOf("quotas-egress").changeQuotas({ egressRequestsPerMinute: 1 });
    const answers: string[] = [];
    for (let n = 0; n < 2; n += 1)
      answers.push(await (await visit("quotas-egress", "/?fetch=https://api.egress.test/")).text());
    expect(answers).toEqual([
      expect.stringMatching(/^GET api/),
      expect.stringContaining("more than 1 requests in a minute"),
    ]);
  });

  it("of the repository refuse a push with used and limit, and leave what can be deleted", async () => {
    await commitCode("quotas-repository", makeCode(APP));
    await supervisorOf("quotas-repository").changeQuotas({ repositoryBytes: 1000 });
    const state = await supervisorOf("quotas-repository").openForPush();
    const push = (packBytes: number) =>
      supervisorOf("quotas-repository").commit({
        repositoryId: state.repositoryId,
        commands: [command("refs/tags/v1", ZERO_ID, testId(9))],
        atomic: false,
        pack: { packId: "0".repeat(40), objectCount: 1, packBytes, createdAtMs: Date.now() },
        checkedPackIds: [],
        nowMs: Date.now(),
      });
    expect((await push(1001)).results).toEqual([
      {
        name: "refs/tags/v1",
        kind: "refused",
        code: "quota-exceeded",
        reason: "the repository would have 1001 bytes of the 1000 that it may have",
      },
    ]);
    expect((await push(1000)).results).toMatchObject([{ kind: "ok" }]);
  });

  it("of log lines drop what is too much", async () => {
    await deploy(
      "quotas-log",
      appSource(`    for (let n = 0; n < 100; n += 1) console.log(n); return new Response("said");`),
    );
    await supervisorOf("quotas-log").changeQuotas({ logLinesPerSecond: 2 });
    await visit("quotas-log");
    await expect
      .poll(async () => (await supervisorOf("quotas-log").readUsage(1))?.rows[0]?.droppedLogLines ?? 0, {
        timeout: 5000,
      })
      .toBeGreaterThan(70);
  });
});
