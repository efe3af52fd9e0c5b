import { describe, expect, it } from "vitest";
import { parseConfigFile } from "../../build/config-file.ts";
import { readWranglerConfig, type WranglerOutcome } from "../../build/wrangler-config.ts";

/** The configuration with these crons, the first of them on line 3. */
function read(crons: readonly string[]): WranglerOutcome {
  const text = `{ "compatibility_date": "2026-01-01", "triggers": {\n"crons": [\n${crons.map((cron) => JSON.stringify(cron)).join(",\n")}\n] } }`;
  const parsed = parseConfigFile("wrangler.jsonc", Buffer.from(text));
  if (parsed.kind === "failed") throw new Error("The file cannot be read.");
  return readWranglerConfig(parsed.file);
}

describe("triggers.crons", () => {
  it("takes what Cloudflare takes", () => {
    const crons = ["*/30 * * * *", "5/15 * * * *", "0 17 * * SUN", "10 7 * * mon-fri", "0 15 1 jan *", "0 18 * * 6L"];
    const special = ["59 23 LW * *", "0 0 15W * *", "0 0 L * *", "0 0 * * 6#2"];
    const outcome = read([...crons, ...special]);
    expect(outcome.kind === "read" && outcome.config.crons).toEqual([...crons, ...special]);
  });

  it.each([
    ["* * * * * *", "it has 6 fields, not five."],
    ["@daily", "it has one field, not five."],
    ["61 * * * *", "Invalid value for minute: 61."],
    ["0 0 * * 0", "Invalid value"],
    ["0 0 30 2 *", "there is no such day."],
  ])("refuses %s where it stands", (cron, why) => {
    const outcome = read(["0 * * * *", cron]);
    if (outcome.kind !== "failed") throw new Error(`${cron} was taken.`);
    const [message] = outcome.messages;
    expect(message).toMatchObject({ code: "config-invalid", location: { path: "wrangler.jsonc", line: 4 } });
    expect(message?.text).toContain(`"${cron}" cannot be read: ${why.slice(0, -1)}`);
  });
});
