import { createExecutionContext, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { sumCounts } from "../../src/app/usage.ts";
import type { UsageAnswer } from "../../src/http/api/usage.ts";
import { route } from "../../src/http/router.ts";
import { createHost } from "../../src/push-host.ts";
import { appSource, deploy, supervisorOf, visitText } from "../app/deployment.ts";
import { call } from "./api-client.ts";

const host = createHost(env);

/** Says a line with each request, sends four bytes out with /out, and answers 503 to /bad. */
const APP = appSource(`    const { pathname } = new URL(request.url);
    console.log("said");
    if (pathname === "/bad") return new Response("bad", { status: 503 });
    if (pathname === "/out") return new Response(await (await fetch("https://api.egress.test/", { method: "POST", body: "sent" })).text());
    return new Response("served");`);

function ask(token: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return route(new Request("http://localhost/metrics", { headers }), host, createExecutionContext());
}

/** Every figure by its name and labels. Throws at what is not of the format: see "Text-based format" of Prometheus' documentation. */
function parse(text: string): ReadonlyMap<string, number> {
  expect(text.endsWith("\n")).toBe(true);
  const figures = new Map<string, number>();
  let family = { name: "", type: "" };
  for (const line of text.slice(0, -1).split("\n")) {
    const [, comment, name = "", rest = ""] = /^# (HELP|TYPE) ([a-z_]+) ([^\\]+)$/.exec(line) ?? [];
    if (comment === "HELP") family = { name, type: "" };
    else if (comment === "TYPE") {
      expect([name, family.type]).toEqual([family.name, ""]);
      expect(rest).toBe(name.endsWith("_total") ? "counter" : "gauge");
      family.type = rest;
    } else {
      const sample = /^([a-z_]+)(\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\})? (\d+(?:\.\d+)?(?:e[+-]\d+)?)$/.exec(line);
      if (sample === null) throw new Error(`This is no line of the format: ${line}`);
      const [, of = "", labels = "", figure] = sample;
      expect([of, family.type]).toEqual([family.name, expect.stringMatching(/./)]);
      expect(figures.has(of + labels)).toBe(false);
      figures.set(of + labels, Number(figure));
    }
  }
  return figures;
}

/** Those of one app, without its label. */
async function figuresOf(app: string): Promise<Record<string, number>> {
  const all = parse(await (await ask("unit-test-token")).text());
  const own = [...all].filter(([name]) => name.includes(`{app="${app}"`));
  return Object.fromEntries(
    own.map(([name, figure]) => [name.replace(`app="${app}"`, "").replace(/\{,?/, "{"), figure]),
  );
}

/** When the app is to report; undefined: nothing changed. */
function reportMs(app: string): Promise<number | undefined> {
  return runInDurableObject(supervisorOf(app), (_, { storage }) => {
    return storage.sql.exec<{ at_ms: number }>("SELECT at_ms FROM due WHERE task = 'report'").toArray()[0]?.at_ms;
  });
}

/** Makes what is to be reported within a minute be reported now. */
async function reportNow(app: string): Promise<void> {
  await runInDurableObject(supervisorOf(app), (_, { storage }) => {
    storage.sql.exec("UPDATE due SET at_ms = 1 WHERE task = 'report'");
  });
  await runDurableObjectAlarm(supervisorOf(app));
}

async function readUsage(app: string): Promise<UsageAnswer> {
  return (await call("GET", `/apps/${app}/usage?days=1`)).json();
}

describe("/metrics", () => {
  it("has what is known of an app's traffic, in base units, as its usage has it", async () => {
    const app = "metrics-app";
    for (const message of ["first", "second"]) {
      const files = { "src/index.js": APP, "public/a.txt": "twelve bytes", "c.txt": message };
      // oxlint-disable-next-line no-await-in-loop -- one deploy after the other
      expect((await call("POST", `/apps/${app}/commits`, { body: { message, files } })).status).toBe(200);
    }
    await supervisorOf(app).changeEgress({ allow: ["api.egress.test"] });
    await runInDurableObject(supervisorOf(app), (_, { storage }) => {
      storage.sql.exec(`INSERT INTO objects (facet, class_name, object_id, created_at_ms, used_at_ms, size_bytes)
        VALUES ('app', 'Room', 'a', 0, 0, 5000)`);
    });
    const received = "POST api.egress.test/ sent";
    const paths = ["/", "/", "/bad", "/out", "/bad"];
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const path of paths)
      expect(await visitText(app, path)).toBe({ "/bad": "bad", "/out": received }[path] ?? "served");
    const known = {
      "slipway_app_requests_total{}": 5,
      "slipway_app_errors_total{}": 2,
      "slipway_app_egress_requests_total{}": 1,
      'slipway_app_egress_bytes_total{direction="sent"}': 4,
      'slipway_app_egress_bytes_total{direction="received"}': received.length,
      // Five of the console, five of requests, one of egress.
      "slipway_app_log_lines_total{}": 11,
      "slipway_app_dropped_log_lines_total{}": 0,
      "slipway_app_deploys_total{}": 2,
      "slipway_app_objects{}": 1,
      'slipway_app_stored_bytes{kind="assets"}': 12,
      'slipway_app_stored_bytes{kind="objects"}': 5000,
      'slipway_app_stored_bytes{kind="previews"}': 0,
    };
    await expect.poll(async () => (await reportNow(app), figuresOf(app)), { timeout: 15_000 }).toMatchObject(known);
    const { usage, storedBytes } = await readUsage(app);
    const total = sumCounts(usage);
    expect(usage.map(({ deploys }) => deploys)).toEqual([1, 1]);
    expect(storedBytes.repository).toBeGreaterThan(0);
    expect(storedBytes.snapshots).toBeGreaterThan(0);
    await expect
      .poll(async () => (await reportNow(app), figuresOf(app)), { timeout: 15_000 })
      .toEqual({
        ...known,
        "slipway_app_cpu_seconds_total{}": total.cpuMs / 1000,
        "slipway_app_wall_seconds_total{}": total.wallMs / 1000,
        'slipway_app_stored_bytes{kind="repository"}': storedBytes.repository,
        'slipway_app_stored_bytes{kind="snapshots"}': storedBytes.snapshots,
        'slipway_app_stored_bytes{kind="data"}': (await readUsage(app)).storedBytes.data,
      });
  });

  it("hears of a deploy alone, of what changes while a report is under way, and of nothing else", async () => {
    const app = "metrics-listed";
    await deploy(app, APP);
    expect(await reportMs(app)).toBeGreaterThan(Date.now());
    await reportNow(app);
    await expect.poll(() => reportMs(app)).toBeUndefined();
    await visitText(app);
    await expect.poll(() => reportMs(app), { timeout: 10_000 }).toBeGreaterThan(Date.now());
    // As it stands while the report runs.
    await runInDurableObject(supervisorOf(app), (_, { storage }) => {
      storage.sql.exec("UPDATE due SET at_ms = 1 WHERE task = 'report'");
    });
    await visitText(app);
    await expect.poll(() => reportMs(app), { timeout: 10_000 }).toBeGreaterThan(Date.now());
  });

  it("forgets an app that is deleted, until it comes back", async () => {
    const app = "metrics-deleted";
    await deploy(app, APP);
    await reportNow(app);
    expect(await figuresOf(app)).toMatchObject({ "slipway_app_deploys_total{}": 1 });
    await supervisorOf(app).deleteUntil(Date.now() + 60_000);
    expect(await figuresOf(app)).toEqual({});
    await supervisorOf(app).undelete();
    await reportNow(app);
    expect(await figuresOf(app)).toMatchObject({ "slipway_app_deploys_total{}": 1 });
    await supervisorOf(app).destroy();
    expect(await figuresOf(app)).toEqual({});
  });

  it("is for tokens of the whole host", async () => {
    const body = { name: "own", access: "admin" };
    await deploy("metrics-token", APP);
    const { token } = await (await call("POST", "/apps/metrics-token/tokens", { body })).json<{ token: string }>();
    expect((await ask(token)).status).toBe(403);
    expect((await ask("wrong")).status).toBe(401);
    const answer = await ask("unit-test-token");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
  });
});
