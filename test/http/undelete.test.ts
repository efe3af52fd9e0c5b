import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { openHostedApp } from "../../src/app/hosted-app.ts";
import { appSource, deploy, supervisorOf, visit, visitText } from "../app/deployment.ts";
import { call, codeOf } from "./api-client.ts";

const COUNTER = appSource(`    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return new Response(String(count));`);

async function listed(): Promise<string[]> {
  const { apps } = await (await call("GET", "/apps?limit=1000")).json<{ apps: { name: string }[] }>();
  return apps.map(({ name }) => name);
}

async function deleted(app: string): Promise<number> {
  const response = await call("DELETE", `/apps/${app}`);
  expect(response.status).toBe(200);
  return Date.parse((await response.json<{ undeleteUntil: string }>()).undeleteUntil);
}

describe("an app that was deleted", () => {
  it("is gone at once and comes back with its data, its tokens and its place in the list", async () => {
    const app = "undone-app";
    await deploy(app, COUNTER);
    expect(await visitText(app)).toBe("1");
    const { token } = await (
      await call("POST", `/apps/${app}/tokens`, { body: { name: "own", access: "admin" } })
    ).json<{ token: string }>();
    expect(await deleted(app)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect((await visit(app)).headers.get("slipway-error")).toBe("app-not-found");
    expect(await codeOf(await call("GET", `/apps/${app}`))).toBe("not-found");
    expect(await codeOf(await call("POST", `/apps/${app}/sql`, { body: { sql: "SELECT 1" } }))).toBe("not-found");
    expect(await listed()).not.toContain(app);
    // As an instance of the supervisor that starts anew sees it.
    await runInDurableObject(supervisorOf(app), (_, state) => {
      expect(openHostedApp(state, env).production.live).toBeUndefined();
    });
    expect((await call("POST", `/apps/${app}/undelete`, { token })).status).toBe(200);
    expect(await visitText(app)).toBe("2");
    expect(await listed()).toContain(app);
    expect(await codeOf(await call("POST", `/apps/${app}/undelete`))).toBe("not-found");
  });

  it("keeps its name: whoever makes or pushes an app of it is told how to go on", async () => {
    const app = "kept-name";
    await deploy(app, COUNTER);
    const untilMs = await deleted(app);
    expect(await deleted(app)).toBe(untilMs);
    for (const [path, body] of [
      ["/apps", { name: app }],
      ["/apps", { name: app, template: "counter" }],
      [`/apps/${app}/commits`, { files: { a: "b" }, message: "Try" }],
    ] as const) {
      const response = await call("POST", path, { body });
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({
        code: "app-deleted",
        detail: expect.stringContaining("/undelete"),
      });
    }
    expect((await call("DELETE", `/apps/${app}?forever=1`)).status).toBe(204);
    expect(await codeOf(await call("POST", `/apps/${app}/undelete`))).toBe("not-found");
    await deploy(app, COUNTER);
    expect(await visitText(app)).toBe("1");
  });

  it("is destroyed by the alarm once its time is over", async () => {
    const app = "over";
    await deploy(app, COUNTER);
    await call("POST", `/apps/${app}/tokens`, { body: { name: "own", access: "admin" } });
    await deleted(app);
    await runInDurableObject(supervisorOf(app), (_, { storage }) => {
      storage.sql.exec("UPDATE due SET at_ms = 1 WHERE task = 'delete'");
      return storage.setAlarm(Date.now() + 60_000);
    });
    await runDurableObjectAlarm(supervisorOf(app));
    await runInDurableObject(supervisorOf(app), (_, { storage }) => {
      expect(storage.sql.exec("SELECT count(*) AS n FROM sqlite_master WHERE name = 'repository'").one()).toEqual({
        n: 0,
      });
    });
    expect(await codeOf(await call("POST", `/apps/${app}/undelete`))).toBe("not-found");
    expect(
      (await (await call("GET", `/tokens`)).json<{ tokens: { app: string | null }[] }>()).tokens.map((t) => t.app),
    ).not.toContain(app);
  });
});
