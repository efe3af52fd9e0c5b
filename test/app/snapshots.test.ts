import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { commitRehearsed, deploy, makeCode, supervisorOf, visitText } from "./deployment.ts";
import { counter, deployAgain, describeSnapshots } from "./snapshot-cases.ts";

describeSnapshots();

describe("a restore that a crash cut short", () => {
  it("is done again from the same snapshot, and the data from before stays kept", async () => {
    const app = "crashed";
    await deploy(app, counter("a"));
    expect(await visitText(app)).toBe("a1");
    await deploy(app, counter("b"));
    expect(await visitText(app)).toBe("b2");
    const code = makeCode(counter("a"));
    const { refs } = await supervisorOf(app).openForPush();
    await commitRehearsed(app, code.codeId, { oldId: refs[0]?.id, restoresSnapshot: 1 });
    // The safety copy was made and the data half replaced when the host died.
    await runInDurableObject(supervisorOf(app), (_, { facets, storage }) => {
      facets.clone("app", "snapshot:2");
      storage.sql.exec(
        "INSERT INTO snapshots (id, of_deploy, before_deploy, reason, taken_at_ms) VALUES (2, 2, 3, 'safety before restore', 0)",
      );
      facets.delete("app");
    });
    expect(await visitText(app)).toBe("a2");
    await deployAgain(app, counter("b"), 2);
    expect(await visitText(app)).toBe("b3");
  });
});
