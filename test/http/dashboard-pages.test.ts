// What pages of the dashboard show, as HTML. How they behave in a browser is for test/e2e/browser.test.ts.
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { route } from "../../src/http/router.ts";
import type { UsageAnswer } from "../../src/http/api/usage.ts";
import { createHost } from "../../src/push-host.ts";
import { appSource } from "../app/deployment.ts";
import { call } from "./api-client.ts";

const APP = "shown";
const host = createHost(env);
let cookie = "";

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext();
  const headers = { accept: "text/html", cookie };
  const response = await route(new Request(`http://localhost${path}`, { headers, ...init }), host, context);
  await waitOnExecutionContext(context);
  return response;
}

async function readPage(path: string): Promise<string> {
  const response = await send(path);
  const page = await response.text();
  expect(response.status, page).toBe(200);
  return page;
}

beforeAll(async () => {
  const signedIn = await send("/sign-in", { method: "POST", body: new URLSearchParams({ token: "unit-test-token" }) });
  cookie = signedIn.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  for (const branch of ["main", "feature/x"]) {
    const files = { "src/index.js": appSource(`return new Response("hello");`), "public/a.txt": "twelve bytes" };
    const body = { branch, message: branch, files };
    // oxlint-disable-next-line no-await-in-loop -- the first is production
    expect((await call("POST", `/apps/${APP}/commits`, { body })).status).toBe(200);
  }
});

/** The options of a select, each with whether it is chosen. */
function optionsOf(page: string, name: string): readonly (readonly [value: string, text: string, isChosen: boolean])[] {
  const select = new RegExp(`<select[^>]*name="${name}"[^>]*>(.*?)</select>`, "s").exec(page)?.[1] ?? "";
  return [...select.matchAll(/<option value="([^"]*)"([^>]*)>([^<]*)<\/option>/g)].map(
    ([, value = "", attributes = "", text = ""]) => [value, text, attributes.includes("selected")],
  );
}

it("shows the log of one environment, of those that there are", async () => {
  expect(optionsOf(await readPage(`/apps/${APP}/logs`), "environment")).toEqual([
    ["", "all", false],
    ["app", "production", false],
    ["preview:feature-x", "preview feature-x", false],
  ]);
  const chosen = optionsOf(await readPage(`/apps/${APP}/logs?environment=preview%3Afeature-x`), "environment");
  expect(chosen.filter(([, , isChosen]) => isChosen)).toEqual([["preview:feature-x", "preview feature-x", true]]);
  // One that went stays in the form while it is asked for.
  const gone = optionsOf(await readPage(`/apps/${APP}/logs?environment=preview%3Agone`), "environment");
  expect(gone.at(-1)).toEqual(["preview:gone", "preview gone", true]);
});

it("has a bar for each cap on what is stored, and how much of it is used", async () => {
  const set = { objects: 20, assetBytes: 24, snapshotBytes: 0 };
  expect((await call("PATCH", `/apps/${APP}/quotas`, { body: set })).status).toBe(200);
  await runInDurableObject(env.SUPERVISOR.getByName(APP), (_, { storage }) => {
    storage.sql.exec(`INSERT INTO objects (facet, class_name, object_id, created_at_ms, used_at_ms, size_bytes)
      VALUES ('app', 'Room', 'a', 0, 0, 5000)`);
  });
  const page = await readPage(`/apps/${APP}/usage`);
  const bars = [...page.matchAll(/<meter aria-labelledby="cap-(\w+)"[^>]* max="(\d+)"[^>]* value="(\d+)"/g)];
  expect(bars.map(([, name]) => name)).toEqual([
    "repositoryBytes",
    "databaseBytes",
    "snapshotBytes",
    "assetBytes",
    "objects",
  ]);
  const [repository, data, snapshots, assets, objects] = bars.map(([, , max, value]) => [Number(max), Number(value)]);
  expect(repository?.[1]).toBeGreaterThan(0);
  expect([snapshots?.[0], assets, objects]).toEqual([1, [24, 12], [20, 1]]);
  const usage = await (await call("GET", `/apps/${APP}/usage`)).json<UsageAnswer>();
  expect(usage).toMatchObject({ storedBytes: { assets: 12, objects: 5000 }, objects: 1 });
  // The quota is of both.
  expect(data?.[1]).toBe(usage.storedBytes.data + 5000);
});
